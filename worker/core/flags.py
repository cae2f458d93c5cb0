"""Flags: the durable state of one rule on one account, moved by what the rule says on a date.

Holds count UTC dates. Unknown moves nothing: not the state, not the clocks. What people answer to
a flag is in core/answers.py; here is what becomes of their answer as the days go on.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from worker.core.conditions import Facts
from worker.core.rules import CompiledRule, Mode, Rule, Severity
from worker.core.worsening import Limit, is_beyond


class State(StrEnum):
    """Where a flag stands. Pending is a hold that runs; nobody has heard of it."""

    PENDING = "pending"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


HEARD_OF = frozenset({State.OPEN, State.ACKNOWLEDGED, State.SNOOZED})
"""The live states of which somebody has been told, and wants to hear the end.

Who dismisses a flag says that it is none: a dismissed one ends without a word.
"""

QUIET = frozenset({State.SNOOZED, State.DISMISSED})
"""The states in which nobody is told anything, until something wakes the flag."""


class Quiet(NamedTuple):
    """What ends a snooze or a dismissal, whichever comes first.

    `until` is the UTC date from which the flag is told again, `exec_contact_from` the first date
    on which contact with an executive ends it; a fact beyond one of the limits in `worse` does too.
    """

    until: date | None = None
    exec_contact_from: date | None = None
    worse: tuple[Limit, ...] = ()


class Flag(NamedTuple):
    """The live flag of one rule on one account. `first_false_on` is set while it is clearing;
    nobody is told of one in `shadow`.

    `quiet` is set while the flag is snoozed or dismissed, and stays when a dismissed one ends;
    `assignee` is the rep it was given to.
    """

    state: State
    severity: Severity
    first_true_on: date
    first_false_on: date | None = None
    opened_on: date | None = None
    resolved_on: date | None = None
    shadow: bool = False
    assignee: str | None = None
    quiet: Quiet | None = None

    @property
    def heard_of(self) -> bool:
        """Whether somebody has been told, and not yet that it is over."""
        return self.state in HEARD_OF and not self.shadow


class Holds(NamedTuple):
    """Days a rule must be true before its flag opens, and false before it resolves."""

    open_after: int = 0
    resolve_after: int = 0


class Verdict(NamedTuple):
    """What a rule says of an account: the flag after it, and why.

    `outcome` is that of its condition, None also where `excepted`: the exception holds.
    """

    after: Flag | None
    outcome: bool | None
    excepted: bool = False


# What most of a sweep's verdicts are, made once.
_EXCEPTED = Verdict(None, None, excepted=True)
_UNKNOWN = Verdict(None, None)
_NOT_SO = Verdict(None, False)


def judge(compiled: CompiledRule, flag: Flag | None, facts: Facts, on: date) -> Verdict:
    """What a rule does to its live flag on an account, if there is one, on the date `on`.

    The flag is in shadow if the rule is, from then on.
    """
    rule, holds, excepted = compiled
    if excepted is not None and excepted(facts):
        if flag is None:
            return _EXCEPTED
        return Verdict(_as_told(rule, resolve(flag, on)), None, excepted=True)
    outcome = holds(facts)
    if flag is None and not outcome:
        return _UNKNOWN if outcome is None else _NOT_SO
    if outcome and flag is not None and flag.state in QUIET:
        flag = wake(flag, facts, rule.severity, on)
    limits = Holds(rule.hold_for, rule.keep_open_for)
    after = step(flag, outcome, rule.severity, limits, on)
    return Verdict(_as_told(rule, after), outcome)


def wake(flag: Flag, facts: Facts, severity: Severity, on: date) -> Flag:
    """The snoozed or dismissed flag on a date on which its rule holds: open again, if it is time.

    It is time once its date has come, an executive has been in contact, a fact has got materially
    worse, or the rule calls it more severe than before.
    """
    quiet = flag.quiet or Quiet()
    due = quiet.until is not None and on >= quiet.until
    if (
        due
        or severity.rank > flag.severity.rank
        or _exec_contact_since(quiet.exec_contact_from, facts, on)
        or any(is_beyond(limit, facts) for limit in quiet.worse)
    ):
        return flag._replace(state=State.OPEN, quiet=None)
    return flag


def last_exec_contact(facts: Facts, on: date) -> date | None:
    """The last date of contact with an executive, as far as the facts of `on` tell."""
    days = facts["days_since_exec_contact"]
    # Days that never end are more than a date can hold, and an unknown number is none.
    if not isinstance(days, int) or days > on.toordinal() - 1:
        return None
    return on - timedelta(days)


def _exec_contact_since(start: date | None, facts: Facts, on: date) -> bool:
    if start is None:
        return False
    last = last_exec_contact(facts, on)
    return last is not None and last >= start


def _as_told(rule: Rule, flag: Flag | None) -> Flag | None:
    shadow = rule.mode is Mode.SHADOW
    return flag if flag is None or flag.shadow is shadow else flag._replace(shadow=shadow)


def step(
    flag: Flag | None, outcome: bool | None, severity: Severity, holds: Holds, on: date
) -> Flag | None:
    """The flag after the rule came out as `outcome` on the date `on`; None if there is none.

    `flag` is the live one, if any. A pending flag whose rule turns false is gone: its clock
    starts anew. A date before a running clock's start moves the start back.
    """
    if outcome is None:
        return flag
    if outcome:
        return _after_true(flag, severity, timedelta(holds.open_after), on)
    return _after_false(flag, timedelta(holds.resolve_after), on)


def resolve(flag: Flag, on: date) -> Flag | None:
    """The flag when its rule no longer applies at all: resolved, or gone if it never opened."""
    if flag.state is State.PENDING:
        return None
    # Of a dismissed one it stays known what would have woken it: it may come back.
    quiet = flag.quiet if flag.state is State.DISMISSED else None
    return flag._replace(state=State.RESOLVED, resolved_on=on, quiet=quiet)


def _after_true(flag: Flag | None, severity: Severity, hold: timedelta, on: date) -> Flag:
    if flag is None:
        flag = Flag(State.PENDING, severity, first_true_on=on)
    elif flag.severity is not severity or flag.first_false_on is not None:
        flag = flag._replace(severity=severity, first_false_on=None)
    if flag.state is not State.PENDING:
        return flag
    since = min(flag.first_true_on, on)
    if on >= since + hold:
        return flag._replace(state=State.OPEN, first_true_on=since, opened_on=on)
    return flag if since == flag.first_true_on else flag._replace(first_true_on=since)


def _after_false(flag: Flag | None, hold: timedelta, on: date) -> Flag | None:
    if flag is None or flag.state is State.PENDING:
        return None
    since = min(flag.first_false_on or on, on)
    if on >= since + hold:
        return resolve(flag._replace(first_false_on=since), on)
    return flag if since == flag.first_false_on else flag._replace(first_false_on=since)


def evaluation_date(last_sweep_on: date | None, now: datetime) -> date:
    """Today, or the date of the last sweep if that is later: flags never go back in time."""
    return max(now.date(), last_sweep_on or now.date())
