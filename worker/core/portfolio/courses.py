"""What an account was on each of several days: a customer or not, what it paid, and for what.

Read from dated events, so that a quarter gone by always comes to the same, whatever was changed
since. Only `first_day` is not dated: the day of the account's first event.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import UNSET

from worker.core.contents import Account
from worker.core.events import Event
from worker.core.subscriptions import (
    Contracts,
    SubscriptionEvent,
    extend,
    one_currency,
    terms_on,
)

CUSTOMER = frozenset({"onboarding", "active"})
"""The lifecycles of a customer: neither one who is trying nor one who has left."""


class Held(NamedTuple):
    """An account on a day. `mrr` is what it paid a month, None if it is no customer or nobody says.

    `plan` is that of its subscription that paid most, `currency` what its subscriptions say.
    """

    customer: bool
    mrr: float | None = None
    plan: str | None = None
    currency: str | None = None


NO_CUSTOMER = Held(False)


@dataclass(frozen=True, slots=True)
class History:
    """The dated past of one account. Days are ordinals, events are in order of stamp.

    `billed` says that subscriptions are recorded in this workspace: an account without one is then
    no customer, unless it says so itself. `currency` is the account's: what it pays in another one
    is unknown.
    """

    first_day: int
    subscribed: Sequence[SubscriptionEvent] = ()
    described: Sequence[Event] = ()
    billed: bool = False
    currency: str | None = None


def began_on(history: History) -> int | None:
    """The day from which the account was known to pay: the first one of a term that is no trial.

    Without any subscription it is the first day on which it could be a customer. None if there is
    none: it only ever tried, perhaps.
    """
    if not history.subscribed:
        said_so = (event.day for event in history.described if _says_so(event))
        return min(said_so, default=None) if history.billed else history.first_day
    starts = (
        max(event.day, event.data.term_start.toordinal())
        for event in history.subscribed
        if event.data.term_start and event.data.status not in ("trial", "churned")
    )
    return min(starts, default=None)


def _says_so(event: Event) -> bool:
    """Whether an account's own event makes it a customer where others have subscriptions."""
    said = event.data
    return isinstance(said, Account) and any(
        value is not UNSET and value is not None for value in (said.mrr, said.lifecycle)
    )


def course(history: History, days: Sequence[int]) -> list[Held]:
    """What the account was at the end of each day; `days` ascend.

    An account that has subscriptions is a customer while one is active. Any other one is from its
    first event on; where subscriptions are recorded, only while it has a lifecycle or an MRR of its
    own. Its own lifecycle can always say that it is none.
    """
    on_the_way, found = _OnTheWay(history), [NO_CUSTOMER]
    for day in days:
        held = on_the_way.until(day)
        found.append(found[-1] if held == found[-1] else held)  # one object: there are many
    return found[1:]


@dataclass(slots=True)
class _OnTheWay:
    """The events of a history taken in so far, and what they have come to."""

    history: History
    subscribed: int = 0
    described: int = 0
    contracts: Contracts = field(default_factory=Contracts)
    plans: dict[str, str | None] = field(default_factory=dict)
    mrr: float | None = None
    lifecycle: str | None = None

    def until(self, day: int) -> Held:
        """Take in the events up to the end of the day, and say what the account is."""
        self._subscribed_until(day)
        self._described_until(day)
        subscriptions = self.contracts.subscriptions
        terms = terms_on(subscriptions, day)
        lifecycle = self.lifecycle or terms.lifecycle or "active"
        active = [name for name, one in subscriptions.items() if one.active(day)]
        there = bool(active) if self.history.subscribed else self._is_there(day)
        if lifecycle not in CUSTOMER or not there:
            return NO_CUSTOMER
        most = max(active, key=lambda name: (subscriptions[name].mrr or 0, name), default=None)
        plan = None if most is None else self.plans.get(most)
        mrr = one_currency(terms.mrr, self.history.currency) if terms.mrr else self.mrr
        said = [name for name in terms.mrr or () if name]
        return Held(True, mrr, plan, said[0] if len(said) == 1 else None)

    def _is_there(self, day: int) -> bool:
        says_so = self.mrr is not None or self.lifecycle is not None
        return self.history.first_day <= day and (says_so or not self.history.billed)

    def _subscribed_until(self, day: int) -> None:
        events, start = self.history.subscribed, self.subscribed
        while self.subscribed < len(events) and events[self.subscribed].day <= day:
            said = events[self.subscribed].data
            if said.plan is not UNSET:
                self.plans[said.subscription] = said.plan
            self.subscribed += 1
        extend(self.contracts, events[start : self.subscribed])

    def _described_until(self, day: int) -> None:
        events = self.history.described
        while self.described < len(events) and events[self.described].day <= day:
            said = events[self.described].data
            if isinstance(said, Account):
                self.mrr = self.mrr if said.mrr is UNSET else said.mrr
                self.lifecycle = self.lifecycle if said.lifecycle is UNSET else said.lifecycle
            self.described += 1
