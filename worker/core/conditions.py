"""Conditions on facts: whether one holds, why it holds, and what would end it.

Outcomes are three-valued, after Kleene: None is unknown, and an unknown part makes the whole
unknown unless the other parts decide it alone. docs/rules.md says how admins write conditions.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

from worker.core.facts import FACTS, Fact
from worker.core.units import NEVER, Unit, Value, shown


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
    """A named number that may differ by segment; `default` serves everyone else."""

    name: str
    unit: Unit
    by_segment: Mapping[str, float]
    default: float | None = None

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
    none of them.
    """

    fact: str
    comparison: Comparison
    operands: tuple[Operand, ...] = ()


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


def evaluate(condition: Condition, facts: Facts, thresholds: Thresholds) -> bool | None:
    """True, False, or None where unknown facts, or a threshold without a value, leave it open.

    `facts` holds every fact of the catalogue; its `segment` chooses the thresholds' values.
    """
    if isinstance(condition, Compare):
        return _compared(condition, facts, thresholds)
    if isinstance(condition, Not):
        outcome = evaluate(condition.part, facts, thresholds)
        return None if outcome is None else not outcome
    decisive = isinstance(condition, AnyOf)
    whole: bool | None = not decisive
    for part in condition.parts:
        outcome = evaluate(part, facts, thresholds)
        if outcome is decisive:
            return decisive
        if outcome is None:
            whole = None
    return whole


_OF_UNKNOWN = {Comparison.KNOWN: False, Comparison.UNKNOWN: True}


def _compared(compare: Compare, facts: Facts, thresholds: Thresholds) -> bool | None:
    value = facts[compare.fact]
    if value is None:
        return _OF_UNKNOWN.get(compare.comparison)
    limits: Sequence[Operand | None] = compare.operands
    for operand in compare.operands:
        if isinstance(operand, Named):
            limits = [_limit(each, facts, thresholds) for each in compare.operands]
            if None in limits:
                return None
            break
    return compare.comparison.holds(value, limits)


def _limit(operand: Operand, facts: Facts, thresholds: Thresholds) -> float | str | None:
    if isinstance(operand, Named):
        return thresholds[operand.name].value_for(facts["segment"])
    return operand


_OPPOSITES = {
    Comparison.AT_LEAST: Comparison.UNDER,
    Comparison.AT_MOST: Comparison.OVER,
    Comparison.BETWEEN: Comparison.NOT_BETWEEN,
    Comparison.IS: Comparison.IS_NOT,
    Comparison.KNOWN: Comparison.UNKNOWN,
}
_OPPOSITES |= {opposite: comparison for comparison, opposite in _OPPOSITES.items()}


def opposite(condition: Condition) -> Condition:
    """The condition that holds when this one is false, and is unknown when this one is.

    Comparisons are turned around rather than negated, so that people can read them.
    """
    match condition:
        case Compare(fact, comparison, operands):
            return Compare(fact, _OPPOSITES[comparison], operands)
        case Not(part):
            return part
        case AllOf(parts):
            return AnyOf(tuple(opposite(part) for part in parts))
        case AnyOf(parts):
            return AllOf(tuple(opposite(part) for part in parts))


def reasons(condition: Condition, facts: Facts, thresholds: Thresholds) -> tuple[str, ...]:
    """Why a condition that holds does: one line for each fact that makes it true.

    Such as `last contact with an executive: 22 days ago (over 15 days)`.
    """
    grounds: dict[str, list[str]] = {}
    for compare in _grounds(condition, facts, thresholds):
        said = grounds.setdefault(compare.fact, [])
        words = _said(compare, facts, thresholds, explained=True)
        # "lifecycle: active (active)" would say it twice.
        if words not in said and words != shown(facts[compare.fact], FACTS[compare.fact].unit):
            said.append(words)
    return tuple(
        f"{told(name, facts[name])} ({' and '.join(said)})" if said else told(name, facts[name])
        for name, said in grounds.items()
    )


def told(name: str, value: Value) -> str:
    """A fact and its value in a line: `last contact with an executive: 22 days ago`."""
    fact = FACTS[name]
    return f"{fact.label}: {_dated(fact, shown(value, fact.unit))}"


def _grounds(condition: Condition, facts: Facts, thresholds: Thresholds) -> Iterator[Compare]:
    """The comparisons that make a condition true."""
    match condition:
        case Compare():
            yield condition
        case Not(part):
            yield from _grounds(opposite(part), facts, thresholds)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                if evaluate(part, facts, thresholds):
                    yield from _grounds(part, facts, thresholds)


def clears(condition: Condition, facts: Facts, thresholds: Thresholds) -> str:
    """What would make a condition that holds false, in words.

    Such as `the last contact with an executive is at most 15 days ago, or the segment is not smb`.
    """
    return _sentence(opposite(condition), facts, thresholds)


def _sentence(condition: Condition, facts: Facts, thresholds: Thresholds) -> str:
    """A condition as a sentence, without what already holds where all of several must."""
    match condition:
        case Compare(name):
            fact = FACTS[name]
            words = _said(condition, facts, thresholds)
            return f"{_subject(fact)} is {_dated(fact, words)}"
        case Not(part):
            return _sentence(opposite(part), facts, thresholds)
        case AnyOf(parts):
            return ", or ".join(_sentence(part, facts, thresholds) for part in parts)
        case AllOf(parts):
            missing = [part for part in parts if not evaluate(part, facts, thresholds)]
            sentences = [_sentence(part, facts, thresholds) for part in missing]
            if len(missing) > 1:
                sentences = [
                    f"either {sentence}" if isinstance(part, AnyOf) else sentence
                    for part, sentence in zip(missing, sentences, strict=True)
                ]
            return " and ".join(sentences)


def _subject(fact: Fact) -> str:
    if fact.unit in (Unit.PERCENT, Unit.MONEY):
        return fact.label
    return f"the number of {fact.label}" if fact.unit is Unit.COUNT else f"the {fact.label}"


def _dated(fact: Fact, words: str) -> str:
    """Days since something are said as `22 days ago`."""
    since = fact.name.startswith("days_since_") and words.endswith((" day", " days"))
    return f"{words} ago" if since else words


def _said(
    compare: Compare, facts: Facts, thresholds: Thresholds, *, explained: bool = False
) -> str:
    """A comparison in words; `explained` as in a reason, with the names of thresholds."""
    unit = FACTS[compare.fact].unit
    if compare == Compare(compare.fact, Comparison.IS_NOT, (NEVER,)):
        return "on record"
    limits = [
        _explained(operand, unit, facts, thresholds)
        if explained and isinstance(operand, Named)
        else shown(_limit(operand, facts, thresholds), unit)
        for operand in compare.operands
    ]
    words: str = compare.comparison.value
    match compare.comparison:
        case Comparison.KNOWN | Comparison.UNKNOWN:
            return words
        case Comparison.BETWEEN | Comparison.NOT_BETWEEN:
            return f"{words} {' and '.join(limits)}"
        case Comparison.IS:
            return limits[0] if len(limits) == 1 else f"one of {', '.join(limits)}"
        case Comparison.IS_NOT:
            return f"not {limits[0]}" if len(limits) == 1 else f"none of {', '.join(limits)}"
    if explained and unit is Unit.COUNT:
        words = {"over": "more than", "under": "fewer than"}.get(words, words)
    return f"{words} {limits[0]}"


def _explained(named: Named, unit: Unit, facts: Facts, thresholds: Thresholds) -> str:
    threshold, segment = thresholds[named.name], facts["segment"]
    whose = f"for {segment}" if segment in threshold.by_segment else "by default"
    return f"{named.name}, {shown(threshold.value_for(segment), unit)} {whose}"
