"""Muting: what nobody need hear, although it is so. Evaluation goes on all the same.

A flag that was muted when it opened, and is still open once nothing mutes it, is told then.
"""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from worker.core.alerts import FOR_ADMINS, Alert, AlertReason
from worker.core.flags import State
from worker.core.rules import Severity

CHURNED = "churned"
"""The lifecycle of an account that is no customer any more."""


class Mute(StrEnum):
    """Why nobody is told."""

    ON_HOLD = "the account is on hold"
    CHURNED = "the account has churned"
    CRITICAL = "a critical risk is open on the account"
    SNOOZED = "the flag is snoozed"
    DISMISSED = "the flag was dismissed"
    ANSWERED = "the flag was answered"
    OVER = "the flag was resolved before anybody was told"
    OVERTAKEN = "a later alert of the flag was told before it"


class Setting(NamedTuple):
    """What an alert falls into. `hold_until` is the last UTC date of the account's hold; `critical`
    whether another risk of the account is critical and up; `state` and `assignee`, a rep, are
    those of the alert's own flag; `overtaken` whether a later alert of that has been told."""

    hold_until: date | None = None
    critical: bool = False
    state: State | None = None
    assignee: str | None = None
    overtaken: bool = False


_QUIET = {State.SNOOZED: Mute.SNOOZED, State.DISMISSED: Mute.DISMISSED}
_AGAIN = frozenset({AlertReason.REMINDER, AlertReason.ESCALATED})
_NEVER = FOR_ADMINS | {AlertReason.ASSIGNED}
"""What people asked for, or must know: never muted."""


def mute(alert: Alert, setting: Setting, today: date) -> Mute | None:
    """Why nobody is told of an alert on the UTC date; None if they are.

    Of the end of a flag that somebody was told of, it says whether that happens without a word.
    """
    if alert.reason in _NEVER:
        return None
    quiet = account_mute(setting.hold_until, alert.lifecycle, today)
    if quiet or alert.reason is AlertReason.RESOLVED:
        return quiet
    if setting.state is State.RESOLVED:
        return Mute.OVER
    if setting.overtaken:
        return Mute.OVERTAKEN
    if setting.state in _QUIET:
        return _QUIET[setting.state]
    if setting.state is State.ACKNOWLEDGED and alert.reason in _AGAIN:
        return Mute.ANSWERED
    return Mute.CRITICAL if setting.critical and alert.severity is Severity.LOW else None


def account_mute(hold_until: date | None, lifecycle: object, today: date) -> Mute | None:
    """Why nothing is told of an account; None if it is."""
    if hold_until is not None and today <= hold_until:
        return Mute.ON_HOLD
    return Mute.CHURNED if lifecycle == CHURNED else None
