"""Facts of success: how far the customer is with the goals that the product was bought for."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import fsum
from statistics import fmean
from typing import Any

from worker.core.catalogue import Fact, Part
from worker.core.courses import Course, by, said_last
from worker.core.units import Unit, Value

_EVENTS = ("outcome",)
_NO_GOAL = "the account has no goal yet"

FACTS = (
    Fact(
        "plan_progress",
        Unit.PERCENT,
        "progress of the success plan",
        "how far the goals are, on average",
        _NO_GOAL + ", or no goal says how far it is",
        part=Part.SUCCESS,
        formula="Mean progress of the goals that say it; a goal achieved is at 100%.",
        events=_EVENTS,
        least=0,
        most=100,
    ),
    Fact(
        "goals",
        Unit.COUNT,
        "goals",
        "goals of the success plan",
        _NO_GOAL,
        part=Part.SUCCESS,
        events=_EVENTS,
    ),
    Fact(
        "goals_achieved",
        Unit.COUNT,
        "goals achieved",
        "goals that have been achieved",
        _NO_GOAL,
        part=Part.SUCCESS,
        formula="Those whose latest achieved is true, or without one, whose progress is 100.",
        events=_EVENTS,
    ),
    Fact(
        "goals_overdue",
        Unit.COUNT,
        "goals overdue",
        "goals that are past their due date and not achieved",
        _NO_GOAL,
        part=Part.SUCCESS,
        formula="due before the date, not achieved; a goal without a due date is not overdue.",
        events=_EVENTS,
    ),
    Fact(
        "roi",
        Unit.PERCENT,
        "return on investment",
        "what the goals have brought beyond their cost, as a share of the cost",
        _NO_GOAL + ", or none has both cost and benefit, or the cost is 0",
        part=Part.SUCCESS,
        formula="100 * (benefit - cost) / cost, of the sums over the goals that have both.",
        events=_EVENTS,
    ),
    Fact(
        "outcome_against_target",
        Unit.PERCENT,
        "outcome against target",
        "what the goals have come to, as a share of their targets, on average",
        _NO_GOAL + ", or none has a value and a target in numbers",
        part=Part.SUCCESS,
        formula="Mean of 100 * value / target over the goals with both as numbers, target not 0.",
        events=_EVENTS,
    ),
    Fact(
        "time_to_value",
        Unit.DAYS,
        "time to value",
        "days from the account's first event to its first achieved goal",
        _NO_GOAL + ", or none has been achieved",
        part=Part.SUCCESS,
        formula="First day on which a goal was achieved less the day of the first event.",
        events=("outcome", "all types"),
        least=0,
    ),
)


def facts(goals: Sequence[Course], first_day: int | None, on: int) -> dict[str, Value]:
    """The facts of success on the day `on`; none while there has been no goal.

    `first_day` is the day of the account's first event, of any type.
    """
    known = [course for goal in goals if (course := by(goal, on))]
    if not known:
        return {}
    said = [said_last(course) for course in known]
    progress = [p for goal in said if (p := _progress(goal)) is not None]
    sums = [
        (cost, benefit)
        for goal in said
        if (cost := goal.get("cost")) is not None and (benefit := goal.get("benefit")) is not None
    ]
    cost, benefit = fsum(cost for cost, _ in sums), fsum(benefit for _, benefit in sums)
    ratios = [r for goal in said if (r := _against_target(goal)) is not None]
    first = first_achieved(known)
    return {
        "plan_progress": fmean(progress) if progress else None,
        "goals": len(known),
        "goals_achieved": sum(map(_achieved, said)),
        "goals_overdue": sum(_overdue(goal, on) for goal in said),
        "roi": 100 * (benefit - cost) / cost if cost else None,
        "outcome_against_target": fmean(ratios) if ratios else None,
        "time_to_value": None if first is None or first_day is None else first - first_day,
    }


def first_achieved(courses: Iterable[Course]) -> int | None:
    """The first day at whose end one of these goals was achieved, an ordinal; None if none was."""
    return min((day for course in courses if (day := _first_achieved(course))), default=None)


Said = Mapping[str, Any]
"""What was said last of each field of a goal."""


def _achieved(goal: Said) -> bool:
    said = goal.get("achieved")
    return bool(said) if said is not None else goal.get("progress") == 100


def _progress(goal: Said) -> float | None:
    progress: float | None = goal.get("progress")
    return 100 if _achieved(goal) else progress


def _overdue(goal: Said, on: int) -> bool:
    due = goal.get("due")
    return due is not None and due < date.fromordinal(on).isoformat() and not _achieved(goal)


def _against_target(goal: Said) -> float | None:
    value, target = _number(goal.get("value")), _number(goal.get("target"))
    return None if value is None or not target else 100 * value / target


def _number(said: Any) -> float | None:
    """What was said, if it is a number; a target may be a text."""
    return said if isinstance(said, int | float) and not isinstance(said, bool) else None


def _first_achieved(course: Course) -> int | None:
    """The first day at whose end the goal was achieved."""
    said: dict[str, Any] = {}
    for step, after in zip(course, [*course[1:], None], strict=True):
        said |= step.said
        if _achieved(said) and (after is None or after.day > step.day):
            return step.day
    return None
