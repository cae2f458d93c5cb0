"""What a portfolio report says, before it is written as a page or a document."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from worker.core.portfolio.cohorts import Cohort
from worker.core.portfolio.figures import Correlation, Figures, Movements, Renewals


class By(StrEnum):
    """What a report can be split by."""

    SEGMENT = "segment"
    OWNER = "owner"
    PLAN = "plan"
    REGION = "region"


class Point(NamedTuple):
    """Customers and their revenue at the end of a day; revenue is None over several currencies."""

    day: date
    customers: int
    mrr: float | None


class Group(NamedTuple):
    """The figures of the accounts that have one value in common; None for those that have none."""

    value: str | None
    name: str
    figures: Figures
    movements: Movements | None


@dataclass(frozen=True, slots=True)
class Report:
    """The portfolio from the first day to the last, both included.

    `currency` is that of all money, None if nobody says, or if there are several: figures in money
    are then None. `healths` are (engagement, health) of the customers of whom both are known.
    `notes` say what is not in the figures, and why.
    """

    first: date
    last: date
    currency: str | None
    totals: Figures
    movements: Movements | None
    renewals: Sequence[Renewals]
    health_engagement: Correlation
    cohorts: Sequence[Cohort]
    trend: Sequence[Point]
    healths: Sequence[tuple[float, float]] = ()
    by: By | None = None
    groups: Sequence[Group] = ()
    notes: Sequence[str] = ()
