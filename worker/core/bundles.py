"""Bundles: which Slack message an alert leaves in, and when.

Most alerts leave at once, in the conversation on their account. What can wait, and what would be
too much, waits for the recipient's digest: one message a local day, in the morning. What is
critical and too much waits for no morning: it comes in digests of its own, one an hour at most.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from msgspec.structs import replace

from worker.core.accounts import Account
from worker.core.alerts import FOR_ADMINS, Alert, AlertReason
from worker.core.cards import Digest, DigestLine
from worker.core.flags import State
from worker.core.quiet import next_morning, released
from worker.core.rules import Severity
from worker.core.telling import Telling
from worker.core.urgency import Order, most_at_stake_first


class Why(StrEnum):
    """Why an alert leaves when and as it does."""

    AT_ONCE = "at once"
    QUIET = "held until the recipient's quiet time is over"
    LOW = "of low severity"
    MANY = "many came up at once"
    BUDGET = "more than a day's messages"
    NOTHING_OPEN = "a renewal check with nothing open"
    TOLD_IN_DIGEST = "it was told in a digest"


class Kind(StrEnum):
    """What a message is, which decides how it is laid out.

    An update says nothing: it has the card of a conversation show how things stand now, and a
    redrawn digest does the same of a digest that was sent.
    """

    ALERT = "alert"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    UPDATE = "update"
    DIGEST = "digest"
    WEEKLY = "weekly"
    NOTE = "note"
    REDRAWN = "redrawn"


SILENT = frozenset({Kind.UPDATE, Kind.REDRAWN})
"""What tells nobody anything new: an edit."""


class Placed(NamedTuple):
    """Where an alert goes for one recipient: `due_at` is in UTC."""

    kind: Kind
    bundle: str
    due_at: datetime
    why: Why


class Day(NamedTuple):
    """What a recipient has had, or will have, by now.

    `messages` counts those of this local day, but for the conversation on the alert's account;
    `digest_gone` is whether its digest has been sent, `urgent_gone` whether the digest of this hour
    has that holds what is critical; `in_digest` whether the flag of the alert was told to them in a
    digest, and nowhere else; `many` whether it is one of many of its sweep.
    """

    messages: int = 0
    digest_gone: bool = False
    urgent_gone: bool = False
    in_digest: bool = False
    many: bool = False


AT_A_TIME = frozenset(
    {
        AlertReason.OPENED,
        AlertReason.REOPENED,
        AlertReason.AWAKE,
        AlertReason.BACK,
        AlertReason.REMINDER,
        AlertReason.ESCALATED,
    }
)
"""What a sweep may find of many flags at a time: that they are there, or that they still are."""

_OF_ITS_OWN = FOR_ADMINS | {AlertReason.WORSE, AlertReason.ASSIGNED}
"""What never waits for a digest."""

_KINDS = {AlertReason.REMINDER: Kind.REMINDER, AlertReason.ESCALATED: Kind.ESCALATION}


def place(alert: Alert, day: Day, telling: Telling, now: datetime, zone: tzinfo) -> Placed:
    """Which message an alert leaves in for a recipient in the zone.

    A flag's end, and a worsening, follow the flag: they are told where it was, whatever the budget.
    """
    through = telling.lets_through(alert.severity)
    quiet_until = released(now, telling.quiet, zone)
    free = now if through else quiet_until
    if why := _for_digest(alert, day, telling, through=through, quiet=now < quiet_until):
        if why is Why.BUDGET and alert.severity is Severity.CRITICAL:
            due_at = released(_next_hour(free), telling.quiet, zone) if day.urgent_gone else free
            return Placed(Kind.DIGEST, urgent_digest(due_at), due_at, why)
        local_day, due_at = next_morning(now, telling.digest_at, telling.quiet, zone)
        today = free.astimezone(zone).date()
        if day.digest_gone and local_day == today:  # it left before its time, for there were many
            tomorrow = due_at + timedelta(seconds=1)
            local_day, due_at = next_morning(tomorrow, telling.digest_at, telling.quiet, zone)
        if why is Why.MANY and today <= local_day and not day.digest_gone:
            local_day, due_at = today, free  # it need not wait for the morning: the news is now
        return Placed(Kind.DIGEST, f"digest/{local_day}", due_at, why)
    kind = _KINDS.get(alert.reason, Kind.ALERT)
    bundle = f"account/{alert.account}"
    return Placed(kind, bundle, free, Why.AT_ONCE if free <= now else Why.QUIET)


def urgent_digest(at: datetime) -> str:
    """The bundle of what is critical and beyond the budget, in the hour of a moment in UTC."""
    return f"digest/{at:%Y-%m-%dT%H}"


def _next_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _for_digest(
    alert: Alert, day: Day, telling: Telling, *, through: bool, quiet: bool
) -> Why | None:
    match alert.reason:
        case reason if reason in _OF_ITS_OWN:
            return None
        case AlertReason.RESOLVED:
            return Why.TOLD_IN_DIGEST if day.in_digest else None
        case AlertReason.RENEWAL if not alert.open_flags:
            return Why.NOTHING_OPEN
    if telling.waits_for_digest(alert.severity):
        return Why.LOW
    if day.many and alert.reason in AT_A_TIME:
        urgent = through or alert.severity is Severity.CRITICAL
        # A digest of today tells the many at once. What is urgent waits for no other one, and what
        # is let through a quiet time draws no digest into it.
        if not (urgent and day.digest_gone) and not (through and quiet):
            return Why.MANY
    return Why.BUDGET if day.messages >= telling.budget and not through else None


_MARKED = (AlertReason.RESOLVED, AlertReason.REMINDER, AlertReason.ESCALATED)
"""What is said of a flag in its line; else it is that the flag is there."""


def digest_of(alert: Alert, why: Why, on: date) -> Digest:
    """The alert as a digest of one line, to be put together with others."""
    mark = f"{alert.reason}: " if alert.reason in _MARKED else ""
    end = ", nothing is open" if why is Why.NOTHING_OPEN else ""
    line = DigestLine(
        account=Account(
            id=alert.account,
            name=alert.account_name,
            mrr=alert.mrr,
            currency=alert.currency,
            renewal_date=alert.renewal_date,
        ),
        title=f"{mark}{alert.title}{end}",
        rule=alert.rule,
        severity=alert.severity,
        kind=alert.kind,
        flag=alert.flag,
        state=State.RESOLVED if alert.reason is AlertReason.RESOLVED else State.OPEN,
    )
    return Digest(on=on, why=why, lines=(line,))


def together(digests: Iterable[Digest]) -> Digest:
    """Digests as one, its lines by value at stake."""
    all_of = list(digests)
    whys = sorted({why for one in all_of for why in one.why.split("; ")})
    lines = by_stake(line for one in all_of for line in one.lines)
    return replace(all_of[0], on=max(d.on for d in all_of), why="; ".join(whys), lines=lines)


def as_they_stand(digest: Digest, states: Mapping[int, State]) -> Digest:
    """The digest with its flags as they are now; `states` are by flag."""
    return replace(digest, lines=tuple(_as_it_stands(line, states) for line in digest.lines))


def _as_it_stands(line: DigestLine, states: Mapping[int, State]) -> DigestLine:
    now = states.get(line.flag or 0, line.state)
    if now is line.state or line.state is State.RESOLVED:
        return line
    if now is not State.RESOLVED:
        return replace(line, state=now)
    title = line.title
    for reason in _MARKED:
        title = title.removeprefix(f"{reason}: ")
    return replace(line, state=now, title=f"{AlertReason.RESOLVED}: {title}")


def by_stake(lines: Iterable[DigestLine]) -> tuple[DigestLine, ...]:
    """The lines of the accounts with most at stake first, growth last."""
    return tuple(sorted(lines, key=_stake))


def _stake(line: DigestLine) -> tuple[Order, str, str]:
    account = line.account
    order = most_at_stake_first(line.kind, line.severity, account.mrr, account.renewal_date)
    return order, account.id, line.title
