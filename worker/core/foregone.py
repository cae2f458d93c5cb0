"""Conditions whose outcome is foregone: never true, or always, whatever the account.

Found by trying them: a fact's values fall into a few kinds that the condition cannot tell apart,
and every combination of kinds is tried, with the thresholds of each segment. Facts are taken to be
independent of each other, which they are not, so what is called foregone surely is.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise, product

from worker.core.catalogue import Fact
from worker.core.conditions import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Facts,
    Named,
    Not,
    Thresholds,
    compiled,
    limit,
)
from worker.core.facts import FACTS
from worker.core.reasons import fact_of
from worker.core.units import NEVER, Unit, Value

MOST_CASES = 4_096
"""Combinations to try for one condition; with more it counts as not foregone."""


class Foregone(Enum):
    """What a condition comes out as whatever the account is like."""

    NEVER = "never true"
    ALWAYS = "always true"


class _TooLong(Exception):
    """Finding out would take too long."""


@dataclass
class Effort:
    """How many comparisons may still be made: long files must not keep anyone waiting."""

    left: int = 1_000_000

    def spend(self, comparisons: int) -> None:
        """Take so many away; raises if there are not as many, and takes none."""
        if comparisons > self.left:
            raise _TooLong
        self.left -= comparisons


def foregone(condition: Condition, thresholds: Thresholds, effort: Effort) -> Foregone | None:
    """Whether a condition is never true, or always: None if neither, or if it would take too long.

    It is always true only if it is so, or unknown, where facts are unknown.
    """
    compares = list(comparisons_in(condition))
    seen: set[bool | None] = set()
    try:
        effort.spend(len(compares))
        outcome_of = compiled(condition, thresholds)
        for case in _cases(compares, thresholds, effort):
            effort.spend(len(compares))
            seen.add(outcome_of(case))
            if {True, False} <= seen:
                return None
    except _TooLong:
        return None
    if True not in seen:
        return Foregone.NEVER
    return Foregone.ALWAYS if False not in seen else None


def _cases(compares: Sequence[Compare], thresholds: Thresholds, effort: Effort) -> Iterator[Facts]:
    """Facts in every combination of kinds."""
    for segment in _segments(compares, thresholds, effort):
        kinds = _kinds(compares, segment, thresholds, effort)
        if math.prod(map(len, kinds.values())) > MOST_CASES:
            raise _TooLong
        for values in product(*kinds.values()):
            yield {**dict(zip(kinds, values, strict=True)), "segment": segment}


def comparisons_in(condition: Condition) -> Iterator[Compare]:
    """The comparisons of a condition, however deep they are."""
    match condition:
        case Compare():
            yield condition
        case Not(part):
            yield from comparisons_in(part)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from comparisons_in(part)


def thresholds_in(condition: Condition) -> set[str]:
    """The names of the thresholds that a condition compares with."""
    operands = (each for one in comparisons_in(condition) for each in one.operands)
    return {each.name for each in operands if isinstance(each, Named)}


def _segments(compares: Sequence[Compare], thresholds: Thresholds, effort: Effort) -> list[Value]:
    """A segment of each kind: those that are named, any other, and none at all."""
    names = sorted({name for one in compares for name in thresholds_in(one)})
    asked = [one for one in compares if one.fact == "segment"]
    listed = [segment for name in names for segment in thresholds[name].by_segment]
    segments = _texts(FACTS["segment"], asked, listed)
    effort.spend(len(segments) * (len(names) + len(asked)))
    outcomes = [compiled(one, thresholds) for one in asked]
    kinds: dict[object, Value] = {}
    for segment in segments:
        limits = [thresholds[name].value_for(segment) for name in names]
        said = [outcome_of({"segment": segment}) for outcome_of in outcomes]
        kinds.setdefault((*limits, *said), segment)
    return list(kinds.values())


def _kinds(
    compares: Sequence[Compare], segment: Value, thresholds: Thresholds, effort: Effort
) -> dict[str, list[Value]]:
    """For each fact but the segment a value of each kind."""
    found: dict[str, list[Value]] = {}
    for name in sorted({one.fact for one in compares} - {"segment"}):
        asked = [one for one in compares if one.fact == name]
        values = _values(fact_of(asked[0]), asked, segment, thresholds)
        effort.spend(len(values) * len(asked))
        outcomes = [compiled(one, thresholds) for one in asked]
        kinds: dict[object, Value] = {}
        for value in values:
            facts = {"segment": segment, name: value}
            kinds.setdefault(tuple(outcome_of(facts) for outcome_of in outcomes), value)
        found[name] = list(kinds.values())
    return found


def _values(
    fact: Fact, compares: Sequence[Compare], segment: Value, thresholds: Thresholds
) -> list[Value]:
    """Values of a fact among which each kind is, to these comparisons."""
    if fact.unit is Unit.TEXT:
        return _texts(fact, compares)
    if fact.unit is Unit.YES_NO:
        return [True, False, None]
    facts = {"segment": segment}
    limits = (limit(each, facts, thresholds) for one in compares for each in one.operands)
    return _numbers(fact, {each for each in limits if isinstance(each, int | float)})


def _texts(fact: Fact, compares: Iterable[Compare], others: Iterable[str] = ()) -> list[Value]:
    """The texts that a fact is compared with, another one, and none."""
    if fact.values:
        texts: list[Value] = list(fact.values)
    else:
        named = [str(each) for one in compares for each in one.operands] + list(others)
        texts = [*dict.fromkeys(named), "none of " + "".join(named)]
    return texts if fact.unknown_when == "never" else [*texts, None]


def _numbers(fact: Fact, limits: set[float]) -> list[Value]:
    """The limits of a fact, a number between each two, one beyond each end, never, and unknown."""
    least, most = _range(fact)
    cuts = sorted({each for each in (*limits, least, most) if math.isfinite(each)}) or [0.0]
    between = [_middle(low, high, fact) for low, high in pairwise(cuts)]
    numbers = [cuts[0] - 1, *cuts, *between, cuts[-1] + 1]
    values: list[Value] = [number for number in numbers if least <= number <= most]
    if fact.may_be_never:
        values.append(NEVER)
    return [*values, None]


def _middle(low: float, high: float, fact: Fact) -> float:
    """A number between two, or one of them where the fact has none between them."""
    if fact.unit is not Unit.COUNT and not (fact.unit is Unit.DAYS and fact.whole):
        return (low + high) / 2
    return min(low + 1, high)


def _range(fact: Fact) -> tuple[float, float]:
    """The least and the greatest number that a fact can be, `never` aside."""
    counted = fact.unit in (Unit.COUNT, Unit.HOURS) or (
        fact.unit is Unit.DAYS and not fact.name.startswith("days_to_")
    )
    least = fact.least if fact.least is not None else 0.0 if counted else -math.inf
    return least, math.inf if fact.most is None else fact.most
