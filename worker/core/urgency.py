"""In which order flags are listed: the worst first, and growth last, since with it nothing is at
risk."""

from datetime import date
from typing import Any

from worker.core.rules import Kind, Severity

Order = tuple[Any, ...]
"""A key to sort by."""


def rank(severity: Severity | None) -> int:
    """How much a flag matters: 0 for low to 3 for critical, -1 for what is of no severity."""
    return -1 if severity is None else severity.rank


def worst_first(
    kind: Kind, severity: Severity | None, mrr: float | None, renewal_date: date | None
) -> Order:
    """By severity, then by value at stake: a month's revenue, then the nearest renewal."""
    return kind is Kind.GROWTH, -rank(severity), -(mrr or 0), renewal_date or date.max


def most_at_stake_first(
    kind: Kind, severity: Severity | None, mrr: float | None, renewal_date: date | None
) -> Order:
    """By value at stake, then by severity: for what comes all at once."""
    growth, severest, dearest, nearest = worst_first(kind, severity, mrr, renewal_date)
    return growth, dearest, nearest, severest
