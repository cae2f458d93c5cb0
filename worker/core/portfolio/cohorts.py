"""Cohorts: the customers who began in one quarter, and how many of them, and of their revenue, are
left at the end of each quarter since."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from math import fsum
from typing import NamedTuple

from worker.core.portfolio.courses import Held
from worker.core.portfolio.figures import percent

QUARTERS = 12
"""Quarters that are followed: three years. Customers who began before them are in no cohort."""


class Began(NamedTuple):
    """One account: the day it began to pay, and what it was on each day that is looked at."""

    day: int
    held: Mapping[int, Held]


class Cohort(NamedTuple):
    """Those who began in a quarter: `kept` of them in % at its end and at that of each one since.

    `revenue_kept` is what they pay then, in % of what they paid at the end of their first quarter.
    The last of each is as of closing, if that is no quarter's end.
    """

    quarter: str
    customers: int
    kept: Sequence[float | None]
    revenue_kept: Sequence[float | None]


def quarter_of(day: date) -> str:
    """The quarter of a day, such as `2026-Q1`."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


def quarter_ends(closing: date) -> list[date]:
    """The ends of the quarters that are followed, in order; the last one is cut off at closing."""
    ends = [closing]
    start = date(closing.year, (closing.month - 1) // 3 * 3 + 1, 1)
    while len(ends) < QUARTERS and start.year > 1:
        before = start - timedelta(days=1)
        ends.insert(0, before)
        start = date(before.year, before.month - 2, 1)
    return ends


def cohorts(members: Iterable[Began], closing: date, one_currency: bool) -> list[Cohort]:
    """The cohorts that have anyone in them, in order. Revenue of several currencies is left out."""
    ends = quarter_ends(closing)
    by_quarter: dict[str, list[Began]] = defaultdict(list)
    for member in members:
        if member.day <= closing.toordinal():
            by_quarter[quarter_of(date.fromordinal(member.day))].append(member)
    found = []
    for place, end in enumerate(ends):
        began = by_quarter.get(quarter_of(end))
        if not began:
            continue
        days = [later.toordinal() for later in ends[place:]]
        paid = [fsum(one.held[day].mrr or 0 for one in began) for day in days]
        found.append(
            Cohort(
                quarter_of(end),
                len(began),
                [percent(sum(o.held[day].customer for o in began), len(began)) for day in days],
                [percent(sum_, paid[0]) if one_currency else None for sum_ in paid],
            )
        )
    return found
