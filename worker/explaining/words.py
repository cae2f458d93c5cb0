"""An explanation's flag and what lies ahead of it, in words: a terminal and Slack say the same, but
for how they write a date.
"""

from collections.abc import Callable
from datetime import date

from worker.core.flags import Flag, State
from worker.explaining.ahead import HORIZON
from worker.explaining.explain import Explanation

OUTCOMES = {True: "holds", False: "does not hold", None: "unknown"}
"""What a condition comes to, in words."""


def standing(flag: Flag | None, day: Callable[[date], str] = str) -> str:
    """Where a flag stands, in words; `day` writes a date."""
    if flag is None:
        return "none"
    if flag.state is State.PENDING:
        return f"pending since {day(flag.first_true_on)}"
    opened = f"open since {day(flag.opened_on)}" if flag.opened_on else "open"
    if flag.shadow:
        opened += " in shadow, where nobody is told"
    if flag.state is not State.OPEN:
        until = f" until {day(flag.quiet.until)}" if flag.quiet and flag.quiet.until else ""
        opened = f"{flag.state}{until}, {opened}"
    return opened + (f", clearing since {day(flag.first_false_on)}" if flag.first_false_on else "")


def ahead(one: Explanation, horizon: int = HORIZON, day: Callable[[date], str] = str) -> str:
    """The dates on which something changes if nothing happens, and what it changes to, in words.

    `horizon` is how many days were looked ahead; `day` writes a date.
    """
    said = []
    if one.outcome_change is not None:
        on, outcome, excepted = one.outcome_change
        said.append(f"from {day(on)} {_says(outcome, excepted, still=one.excepted)}")
    if one.flag_change is not None:
        said.append(f"on {day(one.flag_change.on)} its flag {_becomes(one.flag_change.flag)}")
    if not said:
        return f"if nothing happens, nothing changes within {horizon} days"
    return f"if nothing happens, {', and '.join(said)}"


def _says(outcome: bool | None, excepted: bool, *, still: bool) -> str:
    """What a rule comes to; `still` says that the account has been excepted before, too."""
    if excepted and still:
        return f"what the rule looks for {OUTCOMES[outcome]}, with the account still excepted"
    if excepted:
        return "the account is excepted"
    if outcome is None:
        return "it is unknown whether the rule holds"
    return f"the rule {OUTCOMES[outcome]}"


def _becomes(flag: Flag | None) -> str:
    if flag is None:
        return "is gone, without having opened"
    if flag.state is State.RESOLVED:
        return "resolves"
    if flag.first_false_on is not None:
        return "begins to clear"
    return "opens" if flag.state is State.OPEN else f"is {flag.state}"
