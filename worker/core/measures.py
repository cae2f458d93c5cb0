"""Measures: what events of one type in a window of complete days add up to, by simple filters.

The facts of the catalogue that look at a window are made of measures, and so are admins' own facts.
A measure is counted from rows of four kinds, in SQL (store/measures.py) or in memory (`measured`);
a property test holds both equal. Every amount is a whole number: minutes are thousandths, scores
hundredths.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple


class Source(StrEnum):
    """The type of the events that are measured."""

    USAGE = "usage"
    INTERACTION = "interaction"
    TICKET = "ticket"
    SURVEY = "survey"


class Use(NamedTuple):
    """What one user did with one feature on one day; both are empty where no event says them."""

    day: int
    contact: str
    feature: str
    uses: int
    minutes: int


class Touch(NamedTuple):
    """One contact in one interaction that counts.

    `interactions` is 1 for one of its contacts, who has its minutes too, and `copied` 1 for those
    in cc.
    """

    day: int
    contact: str
    channel: str
    direction: str
    minutes: int
    interactions: int
    copied: int


class Raised(NamedTuple):
    """A ticket on the day of its first event."""

    day: int
    priority: str | None
    topic: str | None
    defect: str | None


class Answer(NamedTuple):
    """A survey's answer. `points` put its score on a scale from 0 to 10,000 (hundredths)."""

    day: int
    contact: str
    kind: str
    answer: str
    points: int


Row = Use | Touch | Raised | Answer


class Amount(NamedTuple):
    """How rows add up: the sum of a column, their number, or the distinct values of columns.

    Of what is distinct, the empty text is none.
    """

    sum_of: str | None = None
    distinct: tuple[str, ...] = ()


AMOUNTS: Mapping[Source, Mapping[str, Amount]] = {
    Source.USAGE: {
        "uses": Amount("uses"),
        "minutes": Amount("minutes"),
        "users": Amount(distinct=("contact",)),
        "features": Amount(distinct=("feature",)),
        "days": Amount(distinct=("day",)),
        "user days": Amount(distinct=("contact", "day")),
    },
    Source.INTERACTION: {
        "interactions": Amount("interactions"),
        "minutes": Amount("minutes"),
        "contacts": Amount(distinct=("contact",)),
        "days": Amount(distinct=("day",)),
    },
    Source.TICKET: {"tickets": Amount(), "days": Amount(distinct=("day",))},
    Source.SURVEY: {
        "surveys": Amount(),
        "points": Amount("points"),
        "contacts": Amount(distinct=("contact",)),
        "days": Amount(distinct=("day",)),
    },
}
"""What can be counted of each source, by name."""

FIELDS: Mapping[Source, Mapping[str, str]] = {
    Source.USAGE: {"feature": "feature", "user": "contact"},
    Source.INTERACTION: {"channel": "channel", "direction": "direction"},
    Source.TICKET: {"priority": "priority", "topic": "topic", "defect": "defect"},
    Source.SURVEY: {"kind": "kind", "answer": "answer", "contact": "contact"},
}
"""What each source can be filtered by, and the column that holds it."""

Where = tuple[tuple[str, tuple[str, ...]], ...]
"""(field, the values that it may have), in order of field; all of them must hold."""


class Measure(NamedTuple):
    """An amount of a source in the `days` complete days that end `skip` days before the date's
    eve, of rows where every field has one of its values."""

    source: Source
    amount: str
    days: int
    where: Where = ()
    skip: int = 0


def measured(measure: Measure, rows: Iterable[Row], on: int) -> int:
    """The measure on the day `on` (an ordinal), from rows of its source."""
    end = on - measure.skip
    columns = FIELDS[measure.source]
    where = [(columns[field], values) for field, values in measure.where]
    chosen = [
        row
        for row in rows
        if end - measure.days <= row.day < end
        and all(getattr(row, column) in values for column, values in where)
    ]
    amount = AMOUNTS[measure.source][measure.amount]
    if amount.sum_of is not None:
        return sum(getattr(row, amount.sum_of) for row in chosen)
    if not amount.distinct:
        return len(chosen)
    found = {tuple(getattr(row, column) for column in amount.distinct) for row in chosen}
    return sum("" not in key for key in found)
