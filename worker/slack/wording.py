"""The words of an alert, apart from where they are shown: Slack and the console say the same.

Names and titles come from other systems: here each becomes one printable line of bounded length.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from worker.core.alerts import Alert, AlertReason
from worker.core.rules import is_link
from worker.core.units import Unit, shown

MAX_NAME = 60
MAX_LINE = 300
MAX_LINES = 8
MAX_FLAGS = 20

_READ = 10_000
"""Characters looked at of any text; what follows is not worth the time."""

# Embeddings, overrides and isolates of writing direction: left open, they turn the rest round.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Words:
    """An alert in plain words; what is empty or None goes unsaid.

    `brief` is the whole alert in a sentence or two, as a phone shows it, but for the link
    `playbook`. `open_flags` is None but for a renewal check.
    """

    headline: str
    brief: str
    severity: str | None
    account: str
    why: tuple[str, ...]
    who: tuple[str, ...]
    open_flags: tuple[str, ...] | None
    advice: str | None
    playbook: str | None
    footer: str


def words(alert: Alert) -> Words:
    """What the alert says."""
    checked = alert.reason is AlertReason.RENEWAL
    resolved = alert.reason is AlertReason.RESOLVED
    return Words(
        headline=_headline(alert),
        brief=_brief(alert),
        severity=alert.severity.capitalize() if alert.severity and not resolved else None,
        account=_account(alert),
        why=lines(alert.why),
        who=lines(alert.who),
        open_flags=_open_flags(alert) if checked else None,
        advice=line(alert.advice or "") or None,
        playbook=alert.playbook if alert.playbook and is_link(alert.playbook) else None,
        footer=_footer(alert),
    )


def line(text: str, limit: int = MAX_LINE) -> str:
    """The text on one line of at most `limit` characters, with nothing in it that cannot print."""
    start = _DIRECTIONS.sub("", text[:_READ])
    printable = (" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in start)
    return cut(" ".join("".join(printable).split()), limit)


def lines(texts: Sequence[str], most: int = MAX_LINES) -> tuple[str, ...]:
    """Each text as a line; of more than `most`, the first ones and how many follow."""
    kept = [line(text) for text in texts[:most]]
    if len(texts) > most:
        kept.append(f"and {len(texts) - most} more")
    return tuple(text for text in kept if text)


def cut(text: str, limit: int) -> str:
    """The text, its end replaced by an ellipsis if it is longer than `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _headline(alert: Alert) -> str:
    name = line(alert.account_name or "", MAX_NAME) or line(alert.account, MAX_NAME)
    match alert.reason:
        case AlertReason.OPENED:
            mark = ""
        case AlertReason.REOPENED:
            mark = ", again"
        case AlertReason.WORSE:
            mark = f", now {alert.severity}"
        case AlertReason.RESOLVED | AlertReason.RENEWAL:
            mark = f", {alert.reason}"
        case AlertReason.RULES | AlertReason.SOURCES:
            return line(alert.title) or "no title"
    return f"{name or 'An account without a name'}{mark}: {line(alert.title) or 'no title'}"


def _brief(alert: Alert) -> str:
    headline = _headline(alert)
    sentence = headline if headline.endswith((".", "!", "?", "…")) else f"{headline}."
    if alert.reason is AlertReason.RENEWAL:
        titles = [line(flag.title).rstrip(".") for flag in alert.open_flags[:MAX_FLAGS]]
        if not titles:
            return f"{sentence} Nothing is open."
        return f"{sentence} {len(alert.open_flags)} open: {'; '.join(titles)}."
    if alert.reason is AlertReason.RESOLVED and alert.why:
        return f"{sentence} Now: {line(alert.why[0])}"
    return f"{sentence} Do: {line(alert.advice)}" if alert.advice else headline


def _account(alert: Alert) -> str:
    if alert.reason is AlertReason.RULES:
        return "For those who edit the rules"
    if alert.reason is AlertReason.SOURCES:
        return "For those who run tiewatch"
    parts = [
        line(alert.segment or "", MAX_NAME),
        _revenue(alert),
        _renewal(alert.renewal_date, alert.on) if alert.renewal_date else None,
        _owner(alert),
    ]
    return " · ".join(part for part in parts if part)


def _owner(alert: Alert) -> str:
    name = line(alert.owner_name or alert.owner or "", MAX_NAME)
    return f"owner {name}" if name else "no owner"


def _revenue(alert: Alert) -> str | None:
    if alert.mrr is None:
        return None
    amount = f"{shown(alert.mrr, Unit.MONEY)} {line(alert.currency or '', MAX_NAME)}"
    return f"{amount.rstrip()} a month"


def _renewal(renewal: date, on: date) -> str:
    days = (renewal - on).days
    if days < 0:
        return f"renewal was {_day(renewal)}, {shown(-days, Unit.DAYS)} ago"
    return f"renews {_day(renewal)}, " + (f"in {shown(days, Unit.DAYS)}" if days else "today")


def _open_flags(alert: Alert) -> tuple[str, ...]:
    told = [f"{line(flag.title, 150)} ({flag.severity}, {flag.rule})" for flag in alert.open_flags]
    return lines(told, MAX_FLAGS)


def _footer(alert: Alert) -> str:
    resolved = alert.reason is AlertReason.RESOLVED
    parts = [
        f"Rule {line(alert.rule)}" if alert.rule else None,
        f"since {_day(alert.since)}" if alert.since else None,
        f"resolved {_day(alert.on)}" if resolved else None,
        f"clears when {line(alert.clears)}" if alert.clears else None,
    ]
    return " · ".join(part for part in parts if part)


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
