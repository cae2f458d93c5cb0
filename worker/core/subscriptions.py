"""Subscriptions as of a date: what their events, in order of time, have come to.

Every event with a `term_start` adds or replaces that term; of `status`, `mrr` and `seats` the
latest holds.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from math import fsum
from typing import NamedTuple

from msgspec import UNSET, Struct, field

from worker.core.events import Subscription


class SubscriptionEvent(NamedTuple):
    """One event of a subscription; `stamp` orders the events of an account: (time, id, source)."""

    stamp: tuple[datetime, str, str]
    data: Subscription

    @property
    def day(self) -> int:
        """The event's UTC day, an ordinal."""
        return self.stamp[0].astimezone(UTC).toordinal()


class Subscribed(Struct, array_like=True):
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


Subscriptions = dict[str, Subscribed]
"""The subscriptions of one account, by id."""


class Terms(NamedTuple):
    """What an account's subscriptions amount to on a day; None is unknown."""

    mrr: float | None
    seats: int | None
    next_end: int | None
    lifecycle: str | None


NO_TERMS = Terms(None, None, None, None)


def extend(subscriptions: Subscriptions, events: Iterable[SubscriptionEvent]) -> None:
    """Bring subscriptions up to date with later events of their account.

    Terms that had ended before their subscription's last event are dropped: no day from then on
    asks for them.
    """
    for event in sorted(events):
        data, day = event.data, event.day
        one = subscriptions.setdefault(data.subscription, Subscribed())
        one.status = data.status
        if data.mrr is not UNSET:
            one.mrr = data.mrr
        if data.seats is not UNSET:
            one.seats = data.seats
        if data.term_start:
            one.terms[data.term_start.toordinal()] = (
                data.term_end.toordinal() if data.term_end else None
            )
        one.terms = {a: end for a, end in one.terms.items() if end is None or end >= day}


def as_of(events: Iterable[SubscriptionEvent]) -> Subscriptions:
    """What these events, of one account, amount to from the day of the last one on."""
    subscriptions: Subscriptions = {}
    extend(subscriptions, events)
    return subscriptions


def terms_on(subscriptions: Subscriptions, on: int) -> Terms:
    """MRR and seats of the active subscriptions, the next term end, and the lifecycle they tell.

    `subscriptions` are those that the events up to the end of the day `on` amount to.
    """
    if not subscriptions:
        return NO_TERMS
    all_of_them = subscriptions.values()
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
