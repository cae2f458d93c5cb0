"""Conditions in words: why one holds, what would end it, and what is missing if it does not."""

from collections.abc import Iterator, Mapping, Sequence

from worker.core.catalogue import Fact
from worker.core.conditions import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    Facts,
    Named,
    Not,
    Thresholds,
    evaluate,
)
from worker.core.facts import FACTS
from worker.core.units import NEVER, Unit, Value, shown

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
        case Compare(fact, comparison, operands, own):
            return Compare(fact, _OPPOSITES[comparison], operands, own)
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
    grounds: dict[str, tuple[str, list[str]]] = {}
    for compare in grounds_of(condition, facts, thresholds):
        name, fact = compare.fact, fact_of(compare)
        _, said = grounds.setdefault(name, (told(fact, facts[name]), []))
        words = _said(compare, facts, thresholds, explained=True)
        # "lifecycle: active (active)" would say it twice.
        if words not in said and words != shown(facts[name], fact.unit):
            said.append(words)
    return tuple(
        f"{line} ({' and '.join(said)})" if said else line for line, said in grounds.values()
    )


def fact_of(compare: Compare) -> Fact:
    """The fact that is compared: the catalogue's, or an admin's own."""
    return compare.own or FACTS[compare.fact]


def told(fact: Fact, value: Value) -> str:
    """A fact and its value in a line: `last contact with an executive: 22 days ago`."""
    return f"{fact.label}: {_dated(fact, shown(value, fact.unit))}"


def compared(compare: Compare, facts: Facts, thresholds: Thresholds) -> str:
    """A fact, its value and what it is compared with, whether that holds or not.

    Such as `users with a tie: 3 (is 0)`.
    """
    words = _said(compare, facts, thresholds, explained=True)
    bare = compare.comparison in _BARE or (
        compare.comparison is Comparison.IS and len(compare.operands) == 1
    )
    return f"{told(fact_of(compare), facts[compare.fact])} ({'is ' if bare else ''}{words})"


_BARE = (Comparison.KNOWN, Comparison.UNKNOWN)


def grounds_of(condition: Condition, facts: Facts, thresholds: Thresholds) -> Iterator[Compare]:
    """The comparisons that make a condition that holds true."""
    match condition:
        case Compare():
            yield condition
        case Not(part):
            yield from grounds_of(opposite(part), facts, thresholds)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                if evaluate(part, facts, thresholds):
                    yield from grounds_of(part, facts, thresholds)


def clears(condition: Condition, facts: Facts, thresholds: Thresholds) -> str:
    """What would make a condition that holds false, in words.

    Such as `the last contact with an executive is at most 15 days ago, or the segment is not smb`.
    """
    return _sentence(opposite(condition), facts, thresholds)


def missing(condition: Condition, facts: Facts, thresholds: Thresholds) -> str:
    """What would make a condition true that is false or unknown, in words.

    Such as `the last contact with an executive is over 15 days ago`: what holds is left out.
    """
    return _sentence(condition, facts, thresholds)


def _sentence(condition: Condition, facts: Facts, thresholds: Thresholds) -> str:
    """A condition as a sentence, without what already holds where all of several must."""
    match condition:
        case Compare():
            fact = fact_of(condition)
            words = _said(condition, facts, thresholds)
            return f"{_subject(fact)} is {_dated(fact, words)}"
        case Not(part):
            return _sentence(opposite(part), facts, thresholds)
        case AnyOf(parts):
            return ", or ".join(_sentence(part, facts, thresholds) for part in parts)
        case AllOf(parts):
            lacking = [part for part in parts if not evaluate(part, facts, thresholds)]
            sentences = [_sentence(part, facts, thresholds) for part in lacking]
            if len(lacking) > 1:
                sentences = [
                    f"either {sentence}" if isinstance(part, AnyOf) else sentence
                    for part, sentence in zip(lacking, sentences, strict=True)
                ]
            return " and ".join(sentences)


def _subject(fact: Fact) -> str:
    if fact.unit in (Unit.PERCENT, Unit.MONEY):
        return fact.label
    return f"the number of {fact.label}" if fact.unit is Unit.COUNT else f"the {fact.label}"


def _dated(fact: Fact, words: str) -> str:
    """Days since something are said as `22 days ago`, none as `today`."""
    since = fact.name.startswith("days_since_") and words.endswith((" day", " days"))
    if since and words == "0 days":
        return "today"
    return f"{words} ago" if since else words


def _said(
    compare: Compare, facts: Facts, thresholds: Thresholds, *, explained: bool = False
) -> str:
    """A comparison in words; `explained` as in a reason, with the names of thresholds."""
    unit = fact_of(compare).unit
    if compare == Compare(compare.fact, Comparison.IS_NOT, (NEVER,)):
        return "on record"
    limits = [
        _named(operand, unit, facts, thresholds, explained=explained)
        if isinstance(operand, Named)
        else shown(operand, unit)
        for operand in compare.operands
    ]
    counted = explained and unit is Unit.COUNT
    return with_limits(compare.comparison, limits, _OF_COUNTS if counted else _USUAL)


_USUAL: dict[Comparison, str] = {one: one.value for one in Comparison}
_OF_COUNTS = _USUAL | {Comparison.OVER: "more than", Comparison.UNDER: "fewer than"}


def with_limits(
    comparison: Comparison, limits: Sequence[str], words: Mapping[Comparison, str] = _USUAL
) -> str:
    """A comparison with these limits, as a sentence has it."""
    said = words[comparison]
    match comparison:
        case Comparison.KNOWN | Comparison.UNKNOWN:
            return said
        case Comparison.BETWEEN | Comparison.NOT_BETWEEN:
            return f"{said} {' and '.join(limits)}"
        case Comparison.IS:
            return limits[0] if len(limits) == 1 else f"one of {', '.join(limits)}"
        case Comparison.IS_NOT:
            return f"not {limits[0]}" if len(limits) == 1 else f"none of {', '.join(limits)}"
    return f"{said} {limits[0]}"


def _named(
    named: Named, unit: Unit, facts: Facts, thresholds: Thresholds, *, explained: bool
) -> str:
    """A threshold: by its value, by its name too if `explained`, by its name if it has no value."""
    threshold, segment = thresholds[named.name], facts["segment"]
    value = threshold.value_for(segment)
    if value is None:
        return named.name
    if not explained:
        return shown(value, unit)
    whose = f"for {segment}" if segment in threshold.by_segment else "by default"
    return f"{named.name}, {shown(value, unit)} {whose}"
