"""A condition explained line by line: what each fact is, what it is compared with, what comes out.

The words are those of reasons.py, so that an explanation reads like the alert it is about.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from worker.core.conditions import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    Facts,
    Named,
    Not,
    Operand,
    Thresholds,
    evaluate,
    limit,
)
from worker.core.reasons import compared, fact_of
from worker.core.units import Value


@dataclass(frozen=True, slots=True)
class Limit:
    """What a fact is compared with, in the fact's unit; `threshold` is its name if it has one.

    `value` is None for a threshold without a value for the account's segment.
    """

    value: float | str | None
    threshold: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A comparison: `words` say it whole, `unknown_because` says why its outcome is None."""

    fact: str
    value: Value
    comparison: Comparison
    limits: tuple[Limit, ...]
    outcome: bool | None
    words: str
    unknown_because: str | None = None


class Kind(StrEnum):
    """How the parts of a group decide: every one must hold, one is enough, or it must not."""

    ALL = "all"
    ANY = "any"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Group:
    """Several conditions, or one that is turned around, and what comes of them."""

    kind: Kind
    outcome: bool | None
    parts: tuple["Explained", ...]


Explained = Line | Group

_OTHER_FACT = re.compile(r"(?P<first>.*), or (?P<other>(?P<fact>\w+) is (?P<value>unknown|0))")

NOTHING_WITHHELD: Mapping[str, str] = {}


def explained(
    condition: Condition,
    facts: Facts,
    thresholds: Thresholds,
    withheld: Mapping[str, str] = NOTHING_WITHHELD,
) -> Explained:
    """The condition, part by part as it is written, with each part's outcome for these facts.

    `withheld` are facts that cannot be told today, each with the reason.
    """
    match condition:
        case Compare():
            return _line(condition, facts, thresholds, withheld)
        case Not(part):
            kind, parts = Kind.NOT, (part,)
        case AllOf(parts):
            kind = Kind.ALL
        case AnyOf(parts):
            kind = Kind.ANY
    return Group(
        kind,
        evaluate(condition, facts, thresholds),
        tuple(explained(part, facts, thresholds, withheld) for part in parts),
    )


def _line(
    compare: Compare, facts: Facts, thresholds: Thresholds, withheld: Mapping[str, str]
) -> Line:
    outcome = evaluate(compare, facts, thresholds)
    return Line(
        compare.fact,
        facts[compare.fact],
        compare.comparison,
        tuple(_limit(operand, facts, thresholds) for operand in compare.operands),
        outcome,
        compared(compare, facts, thresholds),
        _unknown_because(compare, facts, thresholds, withheld) if outcome is None else None,
    )


def _limit(operand: Operand, facts: Facts, thresholds: Thresholds) -> Limit:
    name = operand.name if isinstance(operand, Named) else None
    return Limit(limit(operand, facts, thresholds), name)


def _unknown_because(
    compare: Compare, facts: Facts, thresholds: Thresholds, withheld: Mapping[str, str]
) -> str:
    """An unknown fact, or a threshold that has no value for the account."""
    if compare.fact in withheld:
        return withheld[compare.fact]
    if facts[compare.fact] is None:
        return _of_two(fact_of(compare).unknown_when, facts)
    names = [
        operand.name
        for operand in compare.operands
        if isinstance(operand, Named) and limit(operand, facts, thresholds) is None
    ]
    segment = facts["segment"]
    whom = "an account without a segment" if segment is None else f"the segment {segment}"
    return f"{' and '.join(names)} has no value for {whom}"


def _of_two(unknown_when: str, facts: Facts) -> str:
    """The one of two causes that is at work, where the other is the value of another fact."""
    either = _OTHER_FACT.fullmatch(unknown_when)
    if either is None:
        return unknown_when
    value = None if either["value"] == "unknown" else 0
    return either["other"] if facts[either["fact"]] == value else either["first"]
