"""Subscriptions as of a date: what their events, in order of time, have come to.

Every event with a `term_start` adds or replaces that term; of `status`, `mrr`, `seats` and
`currency` the latest holds. What the account has paid is kept as steps, day by day: they are the
history, the subscriptions themselves forget terms that are over.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from math import fsum
from typing import NamedTuple

from msgspec import UNSET, Struct, field

from worker.core.contents import Subscription


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
    currency: str | None = None

    def active(self, on: int) -> bool:
        """Whether a term covers the day and the subscription has not churned."""
        return self.status != "churned" and any(
            start <= on and (end is None or on < end) for start, end in self.terms.items()
        )


Subscriptions = dict[str, Subscribed]
"""The subscriptions of one account, by id."""


Amounts = dict[str, float]
"""MRR by currency, empty for one that no event says."""


class Income(Struct, array_like=True):
    """The MRR of an account's subscriptions from the end of a day on, until the next step."""

    day: int
    mrr: Amounts


class Contracts(Struct, array_like=True):
    """The subscriptions of an account, and its income up to the day `until`, an ordinal."""

    subscriptions: Subscriptions = field(default_factory=dict)
    income: list[Income] = field(default_factory=list)
    until: int = 0


class Terms(NamedTuple):
    """What an account's subscriptions amount to on a day; None is unknown.

    `mrr` is None where no active subscription says one; `elapsed` is the percentage of the term
    that ends first, `paying` whether an active subscription is no trial.
    """

    mrr: Amounts | None
    seats: int | None
    next_end: int | None
    lifecycle: str | None
    elapsed: float | None
    paying: bool


NO_TERMS = Terms(None, None, None, None, None, False)


def extend(contracts: Contracts, events: Iterable[SubscriptionEvent]) -> None:
    """Bring an account's contracts up to date with later events.

    Terms that had ended before their subscription's last event are dropped: no day from then on
    asks for them.
    """
    for day, of_day in groupby(sorted(events), key=lambda event: event.day):
        contracts.income = income_on(contracts, day - 1)
        _change(contracts.subscriptions, of_day)
        if contracts.income and contracts.income[-1].day == day:
            contracts.income.pop()
        _step(contracts.income, day, contracts.subscriptions)
        contracts.until = day


def income_on(contracts: Contracts, on: int) -> list[Income]:
    """The steps up to the end of the day `on`, of which the latest events may know nothing yet."""
    income, subscriptions = list(contracts.income), contracts.subscriptions
    ahead = {
        day
        for one in subscriptions.values()
        for start, end in one.terms.items()
        for day in (start, end)
        if day is not None and contracts.until < day <= on
    }
    for day in sorted(ahead):
        _step(income, day, subscriptions)
    return income


def _step(income: list[Income], day: int, subscriptions: Subscriptions) -> None:
    """Add a day's step, if it is one."""
    mrr = _amounts(one for one in subscriptions.values() if one.active(day)) or {}
    if not income or income[-1].mrr != mrr:
        income.append(Income(day, mrr))


def _amounts(active: Iterable[Subscribed]) -> Amounts | None:
    """MRR by currency; None if none of them says one."""
    by_currency: dict[str, list[float]] = {}
    for one in active:
        if one.mrr is not None:
            by_currency.setdefault(one.currency or "", []).append(one.mrr)
    return {name: fsum(by_currency[name]) for name in sorted(by_currency)} or None


def one_currency(amounts: Mapping[str, float], currency: str | None) -> float | None:
    """The amounts as one; None if they are in several currencies, or in another than the account's.

    An amount without a currency is in the account's.
    """
    others = amounts.keys() - {"", currency}
    if others and (currency is not None or len(amounts) > 1):
        return None
    return fsum(amounts.values())


def _change(subscriptions: Subscriptions, events: Iterable[SubscriptionEvent]) -> None:
    for event in events:
        data, day = event.data, event.day
        one = subscriptions.setdefault(data.subscription, Subscribed())
        one.status = data.status
        if data.mrr is not UNSET:
            one.mrr = data.mrr
        if data.seats is not UNSET:
            one.seats = data.seats
        if data.currency is not UNSET:
            one.currency = data.currency
        if data.term_start:
            one.terms[data.term_start.toordinal()] = (
                data.term_end.toordinal() if data.term_end else None
            )
        one.terms = {a: end for a, end in one.terms.items() if end is None or end >= day}


def as_of(events: Iterable[SubscriptionEvent]) -> Contracts:
    """What these events, of one account, amount to from the day of the last one on."""
    contracts = Contracts()
    extend(contracts, events)
    return contracts


def terms_on(subscriptions: Subscriptions, on: int) -> Terms:
    """MRR and seats of the active subscriptions, the next term end, and the lifecycle they tell.

    `subscriptions` are those that the events up to the end of the day `on` amount to.
    """
    if not subscriptions:
        return NO_TERMS
    all_of_them = subscriptions.values()
    active = [one for one in all_of_them if one.active(on)]
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
        _amounts(active),
        sum(seats) if seats else None,
        min(ends, default=None),
        lifecycle,
        _elapsed(active, on),
        any(one.status != "trial" for one in active),
    )


def _elapsed(active: Sequence[Subscribed], on: int) -> float | None:
    """How much of the current term has passed, in percent: of the one that ends first."""
    current = [
        (end, -start)
        for one in active
        for start, end in one.terms.items()
        if end is not None and start <= on < end
    ]
    if not current:
        return None
    end, start = min(current)
    return 100 * (on + start) / (end + start)
