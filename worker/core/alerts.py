"""Alerts: the decision to tell someone about a flag, and what they need to read.

An alert is a snapshot: it carries every word of its message, so that what is sent is what was
true when the decision fell, however late it leaves the outbox.
"""

from datetime import date, timedelta
from enum import StrEnum

from msgspec import Struct

from worker.core.flags import QUIET, Flag, State
from worker.core.rules import Kind, Recipient, Severity

REOPEN_WINDOW = timedelta(days=7)
"""A flag that comes back so soon is the same story, told on."""


class AlertReason(StrEnum):
    """Why someone is told."""

    OPENED = "opened"
    REOPENED = "reopened within 7 days"
    WORSE = "severity rose"
    AWAKE = "no longer snoozed"
    BACK = "back after being dismissed"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"
    RENEWAL = "renewal check"
    REMINDER = "still open"
    ESCALATED = "not acknowledged"
    RULES = "rule files"
    PEOPLE = "people in Slack"
    SOURCES = "sources"


FOR_ADMINS = frozenset({AlertReason.RULES, AlertReason.PEOPLE, AlertReason.SOURCES})
"""What concerns those who run tiewatch, and no account."""


class OpenFlag(Struct, frozen=True):
    """One line of a renewal check: a flag that is open on the account."""

    rule: str
    severity: Severity
    title: str
    kind: Kind = Kind.RISK


class Alert(Struct, frozen=True, kw_only=True):
    """What someone is told of an account, or the admins of what is of no account: "".

    `owner` is a rep's id. `flag`, the flag's id, `rule` and `severity` are None for a renewal
    check, whose `open_flags` say what is open. `kind`, `tags` and `notify` are the rule's; the
    latter two decide who is told. `mrr` is a month's revenue in `currency`; `since` is the UTC
    date from which the rule held, `on` the UTC date of the decision; `clears` says what will clear
    the flag; `playbook` is a link to what to do about it.
    """

    reason: AlertReason
    account: str
    on: date
    title: str
    account_name: str | None = None
    segment: str | None = None
    mrr: float | None = None
    currency: str | None = None
    renewal_date: date | None = None
    lifecycle: str | None = None
    owner: str | None = None
    owner_name: str | None = None
    flag: int | None = None
    rule: str | None = None
    severity: Severity | None = None
    kind: Kind = Kind.RISK
    why: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    advice: str | None = None
    playbook: str | None = None
    since: date | None = None
    clears: str | None = None
    open_flags: tuple[OpenFlag, ...] = ()
    tags: tuple[str, ...] = ()
    notify: tuple[Recipient, ...] = ()


def reason_for(before: Flag | None, after: Flag, last_resolved: date | None) -> AlertReason | None:
    """Why someone should hear of a flag's move, or None if nobody need.

    `last_resolved` is the date on which the rule's last flag on the account was resolved.
    """
    heard = before is not None and before.heard_of
    if after.state is State.RESOLVED:
        return AlertReason.RESOLVED if heard else None
    if not after.heard_of:
        return None
    if before is not None and heard and after.severity.rank > before.severity.rank:
        return AlertReason.WORSE
    if before is not None and before.state in QUIET and after.state is State.OPEN:
        return AlertReason.AWAKE if before.state is State.SNOOZED else AlertReason.BACK
    if heard or after.state is not State.OPEN or after.opened_on is None:
        return None
    if last_resolved is not None and after.opened_on - last_resolved <= REOPEN_WINDOW:
        return AlertReason.REOPENED
    return AlertReason.OPENED
