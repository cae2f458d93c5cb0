"""Subscriptions as of a date: their events, replayed.

Every event with a `term_start` adds or replaces that term; of `status`, `mrr` and `seats` the
latest holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from math import fsum
from typing import NamedTuple

from msgspec import UNSET

from worker.core.events import Subscription


class SubscriptionEvent(NamedTuple):
    """One event of a subscription; `stamp` orders the events of an account: (time, id, source)."""

    stamp: tuple[datetime, str, str]
    data: Subscription


@dataclass(slots=True)
class Subscribed:
    """One subscription as of a date. Terms map their first day to the day they end, exclusive.

    Days are ordinals; an end of None is open.
    """

    status: str = "started"
    mrr: float | None = None
    seats: int | None = None
    terms: dict[int, int | None] = field(default_factory=dict)

    def active(self, on: int) -> bool:
        """Whether a term covers the day and the subscription has not churned."""
        return self.status != "churned" and any(
            start <= on and (end is None or on < end) for start, end in self.terms.items()
        )


class Terms(NamedTuple):
    """What an account's subscriptions amount to on a day; None is unknown."""

    mrr: float | None
    seats: int | None
    next_end: int | None
    lifecycle: str | None


NO_TERMS = Terms(None, None, None, None)


def as_of(events: Iterable[SubscriptionEvent]) -> list[Subscribed]:
    """The subscriptions that these events amount to, ordered by id."""
    found: dict[str, Subscribed] = {}
    for _, data in sorted(events):
        one = found.setdefault(data.subscription, Subscribed())
        one.status = data.status
        if data.mrr is not UNSET:
            one.mrr = data.mrr
        if data.seats is not UNSET:
            one.seats = data.seats
        if data.term_start:
            one.terms[data.term_start.toordinal()] = (
                data.term_end.toordinal() if data.term_end else None
            )
    return [found[name] for name in sorted(found)]


def terms_on(events: Iterable[SubscriptionEvent], on: int) -> Terms:
    """MRR and seats of the active subscriptions, the next term end, and the lifecycle they tell.

    `events` are those up to the end of the day `on`.
    """
    all_of_them = as_of(events)
    if not all_of_them:
        return NO_TERMS
    active = [one for one in all_of_them if one.active(on)]
    mrr = [one.mrr for one in active if one.mrr is not None]
    seats = [one.seats for one in active if one.seats is not None]
    ends = [
        end
        for one in all_of_them
        if one.status != "churned"
        for end in one.terms.values()
        if end is not None and end >= on
    ]
    if all(one.status == "churned" for one in all_of_them):
        lifecycle = "churned"
    elif active and all(one.status == "trial" for one in active):
        lifecycle = "trial"
    else:
        lifecycle = "active"
    return Terms(
        fsum(mrr) if mrr else None,
        sum(seats) if seats else None,
        min(ends, default=None),
        lifecycle,
    )
