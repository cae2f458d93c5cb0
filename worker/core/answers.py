"""What people answer to a flag, and the flag after each answer.

An answer that would change nothing, such as the second click of a double one, is none.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from worker.core.alerts import REOPEN_WINDOW
from worker.core.conditions import Facts
from worker.core.flags import Flag, Quiet, State, last_exec_contact, wake
from worker.core.worsening import Limit, described

DISMISSED_FOR = timedelta(days=90)
"""How long a flag stays dismissed at most: a quarter, after which most judgements are stale."""

FARTHEST = timedelta(days=366)
"""The longest snooze to a date that somebody names: a year."""


class SnoozeFor(StrEnum):
    """How long a snooze lasts."""

    DAY = "1_day"
    WEEK = "1_week"
    RENEWAL = "until_renewal"
    DATE = "until_date"
    EXEC_CONTACT = "until_exec_contact"


class NotARisk(StrEnum):
    """Why a flag is dismissed."""

    WRONG_DATA = "wrong_data"
    NOT_AN_EXEC = "not_an_exec"
    KNOWN = "known_and_handled"
    RULE_IS_WRONG = "rule_is_wrong"


class Refused(ValueError):
    """The answer cannot be given; the message says why, and what can be done instead."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """I have seen it, and take care of it."""


@dataclass(frozen=True, slots=True)
class Snooze:
    """Tell me again later; `until` is for a span that ends on a date."""

    span: SnoozeFor
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Dismiss:
    """It is not a risk."""

    reason: NotARisk


@dataclass(frozen=True, slots=True)
class Assign:
    """It is for this rep to take care of."""

    rep: str


Answer = Acknowledge | Snooze | Dismiss | Assign


def answered(flag: Flag, answer: Answer, facts: Facts, worse: tuple[Limit, ...], on: date) -> Flag:
    """The live flag after the answer on the UTC date `on`; the same one if nothing changes.

    `worse` is from where on its facts are materially worse than now, see worsening.py.

    Raises:
        Refused: for a flag that nobody has heard of or that is over, a snooze without an end that
            lies ahead, and one until a renewal that is not known.
    """
    if flag.state in (State.PENDING, State.RESOLVED):
        raise Refused("This flag is no longer open: there is nothing to answer.")
    match answer:
        case Acknowledge():
            return flag._replace(state=State.ACKNOWLEDGED, quiet=None)
        case Snooze():
            return flag._replace(state=State.SNOOZED, quiet=_end(answer, facts, on))
        case Dismiss():
            quiet = Quiet(until=on + DISMISSED_FOR, worse=worse)
            return flag._replace(state=State.DISMISSED, quiet=quiet)
        case Assign(rep):
            if rep == flag.assignee:
                return flag
            # Whoever gets it has not seen it yet: what another has answered is not theirs.
            return flag._replace(state=State.OPEN, quiet=None, assignee=rep)


def _end(snooze: Snooze, facts: Facts, on: date) -> Quiet:
    match snooze.span:
        case SnoozeFor.DAY:
            return Quiet(until=on + timedelta(days=1))
        case SnoozeFor.WEEK:
            return Quiet(until=on + timedelta(days=7))
        case SnoozeFor.RENEWAL:
            days = facts["days_to_renewal"]
            if not isinstance(days, int) or days <= 0:
                raise Refused("No renewal lies ahead of this account: choose a date instead.")
            return Quiet(until=on + timedelta(days))
        case SnoozeFor.DATE:
            return Quiet(until=check_until(snooze.until, on))
        case SnoozeFor.EXEC_CONTACT:
            # Contact that is known already, today's too, is not the next one.
            last = last_exec_contact(facts, on)
            known = on if last is None or last < on else on + timedelta(days=1)
            return Quiet(exec_contact_from=known)


def resumed(opened: Flag, ended: Flag | None, facts: Facts) -> Flag:
    """The flag that has just opened, in view of the rule's last one on the account that ended.

    One that comes back within the reopen window is the same story: it is whose it was, and still
    dismissed if it was, until what was to wake it does.
    """
    if (
        ended is None
        or ended.resolved_on is None
        or opened.opened_on is None
        or opened.opened_on - ended.resolved_on > REOPEN_WINDOW
    ):
        return opened
    flag = opened._replace(assignee=ended.assignee)
    if ended.quiet is None or opened.severity.rank > ended.severity.rank:
        return flag
    quiet = flag._replace(state=State.DISMISSED, quiet=ended.quiet)
    return wake(quiet, facts, opened.severity, opened.opened_on)


def check_until(until: date | None, on: date) -> date:
    """The date, if a snooze on the date `on` can last until then.

    Raises:
        Refused: it cannot; the message says why.
    """
    if until is None:
        raise Refused("A snooze until a date needs the date.")
    if until <= on:
        raise Refused(f"{until} is not ahead: choose a later date.")
    if until > on + FARTHEST:
        raise Refused(f"{until} is more than a year away: choose an earlier date.")
    return until


def said(flag: Flag) -> str:
    """Where a flag stands after an answer, in a sentence for whoever gave it."""
    quiet = flag.quiet or Quiet()
    match flag.state:
        case State.ACKNOWLEDGED:
            return "Acknowledged: it is in your hands, and nobody is reminded of it."
        case State.SNOOZED:
            end = _day(quiet.until) if quiet.until else "the next contact with an executive"
            return f"Snoozed until {end}; if the flag still holds then, you hear of it again."
        case State.DISMISSED:
            ends = [_day(quiet.until)] if quiet.until else []
            ends += map(described, quiet.worse)
            return f"Dismissed; you hear of it again if it still holds on {', or '.join(ends)}."
        case State.OPEN if flag.assignee:
            return f"Given to {flag.assignee}, who is told."
    return "It is open."


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
