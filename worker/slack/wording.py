"""The words of an alert, apart from where they are shown: Slack and the console say the same."""

from dataclasses import dataclass

from worker.core.alerts import FOR_ADMINS, Alert, AlertReason
from worker.core.cards import Told
from worker.core.flags import State
from worker.core.rules import Kind, Severity, is_link
from worker.slack.actions import Action, NotARisk
from worker.slack.blocks import caption
from worker.slack.phrases import (
    MAX_NAME,
    MAX_TITLE,
    day,
    joined,
    line,
    lines,
    named,
    owned,
    renewal,
    revenue,
    sentence,
    titled,
)

MAX_FLAGS = 20

NOT_A_RISK = {
    NotARisk.WRONG_DATA: "the data is wrong",
    NotARisk.NOT_AN_EXEC: "this is not an executive",
    NotARisk.KNOWN: "known and handled",
    NotARisk.RULE_IS_WRONG: "the rule is wrong",
}
"""The reasons for which a flag is no risk, as people read them."""


@dataclass(frozen=True, slots=True)
class Words:
    """An alert in plain words; what is empty or None goes unsaid.

    `severity` of what is no risk is `Growth`.

    `brief` is the alert in a sentence or two, as a phone shows it, but for the link `playbook`.
    `open_flags` is None but for a renewal check.
    """

    headline: str
    brief: str
    resolved: bool
    severity: str | None
    account: str
    why: tuple[str, ...]
    who: tuple[str, ...]
    open_flags: tuple[str, ...] | None
    advice: str | None
    playbook: str | None
    footer: str

    def whole(self, standing: str | None = None) -> str:
        """Everything in sentences, what matters first: what a screen reader says.

        `standing` is what somebody has done about it.
        """
        why = "" if self.resolved else "; ".join(self.why)
        parts = [
            self.brief,
            standing or "",
            _graded(self.severity) if self.severity else "",
            f"Why: {why}" if why else "",
            *self.who,
            self.footer,
        ]
        return " ".join(sentence(part) for part in parts if part)


def words(alert: Alert) -> Words:
    """What the alert says."""
    checked = alert.reason is AlertReason.RENEWAL
    resolved = alert.reason is AlertReason.RESOLVED
    return Words(
        headline=headline(alert),
        brief=_brief(alert),
        resolved=resolved,
        severity=graded(alert.severity, alert.kind).capitalize()
        if alert.severity and not resolved
        else None,
        account=_account(alert),
        why=lines(alert.why),
        who=lines(alert.who),
        open_flags=_open_flags(alert) if checked else None,
        advice=line(alert.advice or "") or None,
        playbook=alert.playbook if alert.playbook and is_link(alert.playbook) else None,
        footer=_footer(alert),
    )


GROWTH = "Growth"


def graded(severity: Severity, kind: Kind) -> str:
    """What stands where a risk has its severity."""
    return GROWTH.lower() if kind is Kind.GROWTH else str(severity)


def _graded(said: str) -> str:
    return "A chance to grow" if said == GROWTH else f"{said} severity"


def ended(kind: Kind) -> str:
    """What a flag is that no longer holds: a risk is resolved, a chance has passed."""
    return "passed" if kind is Kind.GROWTH else "resolved"


_NOW = {
    AlertReason.OPENED: "",
    AlertReason.REOPENED: ", again",
    AlertReason.AWAKE: ", still open",
    AlertReason.BACK: ", back",
    AlertReason.ASSIGNED: ", now yours",
}
"""What a headline says between account and title, if it is not the reason itself."""

_HAPPENED = {
    AlertReason.OPENED: "New",
    AlertReason.REOPENED: "Again",
    AlertReason.AWAKE: "Still open",
    AlertReason.BACK: "Back",
}


def headline(alert: Alert) -> str:
    """The account, why it is spoken of now, and the title."""
    if alert.reason in FOR_ADMINS:
        return titled(alert.title)
    now = f", {_worse(alert)}" if alert.reason is AlertReason.WORSE else _NOW.get(alert.reason)
    if alert.reason is AlertReason.RESOLVED:
        now = f", {ended(alert.kind)}"
    elif now is None:
        now = f", {alert.reason}"
    return f"{named(alert.account_name, alert.account)}{now}: {titled(alert.title)}"


def _worse(alert: Alert) -> str:
    """A chance gets no worse: its rule has another severity, and that is all."""
    return "still open" if alert.kind is Kind.GROWTH else f"now {alert.severity}"


def happened(told: Told) -> str:
    """What happened to a flag, to those who know the account: a line in its thread."""
    alert = told.alert
    title = titled(alert.title, MAX_TITLE)
    match alert.reason:
        case AlertReason.WORSE:
            return f"{_worse(alert).capitalize()}: {title}"
        case AlertReason.RESOLVED:
            now = f". Now: {line(alert.why[0])}" if alert.why else ""
            return f"{ended(alert.kind).capitalize()}: {title}{now}"
        case AlertReason.RENEWAL:
            number = len(alert.open_flags)
            return f"Renewal check: {title}. {number or 'Nothing is'} open."
        case _:
            what = _HAPPENED.get(alert.reason, alert.reason.capitalize())
            since = f", since {day(alert.since)}" if _has_waited(alert) and alert.since else ""
            return f"{what}: {title}{since}"


def _has_waited(alert: Alert) -> bool:
    return alert.reason in (AlertReason.REMINDER, AlertReason.ESCALATED, AlertReason.AWAKE)


def standing(told: Told) -> str | None:
    """What somebody has done about a flag: `Acknowledged by Sam Lee`; None if nobody has."""
    who = line(told.by or "", MAX_NAME)
    by = f" by {who}" if who else ""
    note = f": {_note(told.note)}" if told.note else ""
    assignee = line(told.assignee or "", MAX_NAME)
    assigned = f"Assigned to {assignee}" if assignee else ""
    match told.state:
        case State.ACKNOWLEDGED:
            return joined(f"Acknowledged{by}{note}", assigned)
        case State.SNOOZED:
            end = day(told.until) if told.until else "the next contact with an executive"
            return joined(f"Snoozed{by} until {end}{note}", assigned)
        case State.DISMISSED:
            answer = caption(Action.DISMISS, told.alert.kind)
            said = f"{answer}, says {who}" if who else answer
            quiet = f"quiet until {day(told.until)}, unless it gets worse" if told.until else ""
            return joined(f"{said}{note}", quiet)
        case State.RESOLVED:
            return None
        case _:
            return f"{assigned}{by}{note}" if assigned else None


def _note(note: str) -> str:
    return NOT_A_RISK[NotARisk(note)] if note in list(NotARisk) else line(note)


def _brief(alert: Alert) -> str:
    said = headline(alert)
    if alert.reason is AlertReason.RENEWAL:
        titles = [line(flag.title).rstrip(".") for flag in alert.open_flags[:MAX_FLAGS]]
        if not titles:
            return f"{sentence(said)} Nothing is open."
        return f"{sentence(said)} {len(alert.open_flags)} open: {'; '.join(titles)}."
    if alert.reason is AlertReason.RESOLVED and alert.why:
        return f"{sentence(said)} Now: {line(alert.why[0])}"
    return f"{sentence(said)} Do: {line(alert.advice)}" if alert.advice else said


def _account(alert: Alert) -> str:
    if alert.reason is AlertReason.RULES:
        return "For those who edit the rules"
    if alert.reason in (AlertReason.PEOPLE, AlertReason.SOURCES):
        return "For those who keep tiewatch running"
    return joined(
        line(alert.segment or "", MAX_NAME),
        revenue(alert.mrr, alert.currency),
        renewal(alert.renewal_date, alert.on),
        owned(alert.owner_name, alert.owner),
    )


def _open_flags(alert: Alert) -> tuple[str, ...]:
    told = [
        f"{line(flag.title, MAX_TITLE)} ({graded(flag.severity, flag.kind)}, {flag.rule})"
        for flag in alert.open_flags
    ]
    return lines(told, MAX_FLAGS)


def _footer(alert: Alert) -> str:
    resolved = alert.reason is AlertReason.RESOLVED
    return joined(
        f"Since {day(alert.since)}" if alert.since else None,
        _end(alert) if resolved else None,
        f"{clears(alert.kind)} when {line(alert.clears)}" if alert.clears else None,
        f"rule {line(alert.rule)}" if alert.rule else None,
    )


def clears(kind: Kind) -> str:
    """What a flag does that will no longer hold."""
    return "passes" if kind is Kind.GROWTH else "clears"


def _end(alert: Alert) -> str:
    """When a flag ended; one that nobody was told of says no reason, and not when."""
    said = ended(alert.kind)
    return f"{said} {day(alert.on)}" if alert.why else said
