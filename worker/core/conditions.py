"""Conditions on facts, and whether they hold; reasons.py says why.

Outcomes are three-valued, after Kleene: None is unknown, and an unknown part makes the whole
unknown unless the other parts decide it alone. docs/rules.md says how admins write conditions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

from worker.core.catalogue import Fact
from worker.core.units import Unit, Value


class Comparison(Enum):
    """How a fact is compared: in words, and as a test of a known value against its limits."""

    holds: Callable[[Any, Sequence[Any]], bool]

    AT_LEAST = "at least", lambda value, limits: value >= limits[0]
    AT_MOST = "at most", lambda value, limits: value <= limits[0]
    OVER = "over", lambda value, limits: value > limits[0]
    UNDER = "under", lambda value, limits: value < limits[0]
    BETWEEN = "between", lambda value, limits: limits[0] <= value <= limits[1]
    NOT_BETWEEN = "not between", lambda value, limits: not limits[0] <= value <= limits[1]
    IS = "is", lambda value, limits: value in limits
    IS_NOT = "is not", lambda value, limits: value not in limits
    KNOWN = "known", lambda value, limits: True
    UNKNOWN = "unknown", lambda value, limits: False

    def __new__(cls, words: str, holds: Callable[[Any, Sequence[Any]], bool]) -> Self:
        """A member whose value is its words."""
        member = object.__new__(cls)
        member._value_ = words
        member.holds = holds
        return member


@dataclass(frozen=True, slots=True)
class Threshold:
    """A named number that may differ by segment; `default` serves everyone else.

    One that `is_fact` is an admin's own fact, which texts may name beside thresholds: its number is
    the account's.
    """

    name: str
    unit: Unit
    by_segment: Mapping[str, float]
    default: float | None = None
    is_fact: bool = False

    def value_for(self, segment: Value) -> float | None:
        """The number for an account of this segment, None if the threshold has none for it."""
        if isinstance(segment, str):
            return self.by_segment.get(segment, self.default)
        return self.default


@dataclass(frozen=True, slots=True)
class Named:
    """A threshold, where a comparison could have a number."""

    name: str


Operand = float | str | Named


@dataclass(frozen=True, slots=True)
class Compare:
    """One fact compared with as many operands as the comparison takes.

    `between` takes two, known and unknown none; `is` with several means one of them, and `is not`
    none of them. `own` is the fact's entry if it is an admin's own: the catalogue has the others.
    """

    fact: str
    comparison: Comparison
    operands: tuple[Operand, ...] = ()
    own: Fact | None = None


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds when every part does."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds when at least one part does."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Holds when its part does not."""

    part: "Condition"


Condition = Compare | AllOf | AnyOf | Not
Facts = Mapping[str, Value]
Thresholds = Mapping[str, Threshold]


Outcome = Callable[[Facts], bool | None]
"""True, False, or None where unknown facts, or a threshold without a value, leave it open."""


def compiled(condition: Condition, thresholds: Thresholds) -> Outcome:
    """The condition as a function of the facts, for asking it of many accounts.

    It takes every fact of the catalogue; its `segment` chooses the thresholds' values.
    """
    match condition:
        case Compare():
            return _comparing(condition, thresholds)
        case Not(part):
            return _negated(compiled(part, thresholds))
        case AllOf(parts):
            return _joined([compiled(part, thresholds) for part in parts], decisive=False)
        case AnyOf(parts):
            return _joined([compiled(part, thresholds) for part in parts], decisive=True)


def evaluate(condition: Condition, facts: Facts, thresholds: Thresholds) -> bool | None:
    """The outcome of a condition for one account."""
    return compiled(condition, thresholds)(facts)


def _negated(outcome_of: Outcome) -> Outcome:
    def negated(facts: Facts) -> bool | None:
        outcome = outcome_of(facts)
        return None if outcome is None else not outcome

    return negated


def _joined(outcomes: Sequence[Outcome], *, decisive: bool) -> Outcome:
    """All of them, or with `decisive` true any of them: the first decisive outcome decides."""

    def joined(facts: Facts) -> bool | None:
        whole: bool | None = not decisive
        for outcome_of in outcomes:
            outcome = outcome_of(facts)
            if outcome is decisive:
                return decisive
            if outcome is None:
                whole = None
        return whole

    return joined


_OF_UNKNOWN = {Comparison.KNOWN: False, Comparison.UNKNOWN: True}


def _comparing(compare: Compare, thresholds: Thresholds) -> Outcome:
    name, holds, limits = compare.fact, compare.comparison.holds, compare.operands
    of_unknown = _OF_UNKNOWN.get(compare.comparison)

    def with_numbers(facts: Facts) -> bool | None:
        value = facts[name]
        return of_unknown if value is None else holds(value, limits)

    def with_thresholds(facts: Facts) -> bool | None:
        value = facts[name]
        found = [limit(each, facts, thresholds) for each in limits]
        return of_unknown if value is None or None in found else holds(value, found)

    named = any(isinstance(operand, Named) for operand in limits)
    return with_thresholds if named else with_numbers


def limit(operand: Operand, facts: Facts, thresholds: Thresholds) -> float | str | None:
    """What an operand comes to for an account; None for a threshold without a value for it."""
    if isinstance(operand, Named):
        return thresholds[operand.name].value_for(facts["segment"])
    return operand


def facts_in(condition: Condition) -> frozenset[str]:
    """The names of the facts that a condition looks at."""
    match condition:
        case Compare(fact=name):
            return frozenset({name})
        case Not(part=part):
            return facts_in(part)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return frozenset().union(*map(facts_in, parts))
