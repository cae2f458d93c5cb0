"""What counts as materially worse than when somebody dismissed a flag.

A silence grows by a day each day, so merely being worse is no news. A fact is materially worse once
it is worse by half of what it was, and by enough to be more than chance.
"""

from collections.abc import Iterator
from typing import NamedTuple

from worker.core.conditions import Comparison, Condition, Facts, Thresholds
from worker.core.facts import FACTS
from worker.core.reasons import fact_of, grounds_of
from worker.core.units import NEVER, Unit, shown

SHARE = 0.5
"""Of a fact's value, by which it must have got worse."""

LEAST = {Unit.DAYS: 7.0, Unit.PERCENT: 10.0, Unit.COUNT: 1.0, Unit.MONEY: 0.0}
"""By how much it must have got worse however small it is, in its unit."""

_GREATER_IS_WORSE = (Comparison.OVER, Comparison.AT_LEAST)
_LESS_IS_WORSE = (Comparison.UNDER, Comparison.AT_MOST)


class Limit(NamedTuple):
    """From where on a fact counts as materially worse: `value` itself does.

    `greater` says that it is greater numbers that are worse.
    """

    fact: str
    greater: bool
    value: float


def limits_of(condition: Condition, facts: Facts, thresholds: Thresholds) -> tuple[Limit, ...]:
    """From where on the facts that make the condition true would be materially worse, by fact.

    Only facts that it calls too many or too few have a worse side; what never happened is as bad
    as it can be, and so is a count of 0 that should be more.
    """
    found: dict[tuple[str, bool], Limit] = {}
    for limit in _limits(condition, facts, thresholds):
        found[limit.fact, limit.greater] = limit
    return tuple(found[key] for key in sorted(found))


def _limits(condition: Condition, facts: Facts, thresholds: Thresholds) -> Iterator[Limit]:
    for compare in grounds_of(condition, facts, thresholds):
        value, unit = facts[compare.fact], fact_of(compare).unit
        if not isinstance(value, int | float) or value == NEVER:
            continue
        by = max(abs(value) * SHARE, LEAST.get(unit, 0.0))
        if compare.comparison in _GREATER_IS_WORSE:
            yield Limit(compare.fact, True, value + by)
        elif compare.comparison in _LESS_IS_WORSE and _can_be(value - by, unit):
            yield Limit(compare.fact, False, value - by)


def _can_be(value: float, unit: Unit) -> bool:
    return value >= 0 or unit is not Unit.COUNT


def is_beyond(limit: Limit, facts: Facts) -> bool:
    """Whether the fact has become as bad as that. An unknown one has not."""
    value = facts.get(limit.fact)
    if not isinstance(value, int | float):
        return False
    return value >= limit.value if limit.greater else value <= limit.value


def described(limit: Limit) -> str:
    """The limit in words: `once last contact with an executive is at least 33 days`."""
    fact = FACTS.get(limit.fact)  # an admin's own is called by its name
    label, unit = (fact.label, fact.unit) if fact else (limit.fact, Unit.NUMBER)
    words = "at least" if limit.greater else "at most"
    return f"once {label} is {words} {shown(limit.value, unit)}"
