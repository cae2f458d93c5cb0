"""Stats in memory, for rule tests and whatever else replays events without a database.

It keeps of the same additions what store/fold.py keeps in tables; a property test holds the stats
of both equal.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from worker.core.attributes import Stamp, merge
from worker.core.events import Contact, Event, Rep, Subscription
from worker.core.stats import (
    AccountStats,
    Additions,
    ContactStats,
    Days,
    Tie,
    UsageStats,
    Workspace,
    earliest,
)
from worker.core.subscriptions import SubscriptionEvent, as_of
from worker.core.ties import Bucket, TieSettings, state_of


@dataclass(slots=True)
class _Attributes:
    """The fields that events have set, with the stamp of the event that set each."""

    values: dict[str, Any] = field(default_factory=dict)
    stamps: dict[str, Stamp] = field(default_factory=dict)

    def set(self, event: Event) -> None:
        merge(self.values, self.stamps, event)


@dataclass(slots=True)
class _Account:
    """What is kept of one account. Days are ordinals."""

    first: Days
    attributes: _Attributes = field(default_factory=_Attributes)
    contacts: dict[str, _Attributes] = field(default_factory=dict)
    tie_days: dict[tuple[str, str], dict[int, list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    )
    usage: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    used: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    subscriptions: list[SubscriptionEvent] = field(default_factory=list)


class Memory:
    """The stats of a workspace, from all events that were ever added."""

    def __init__(self) -> None:
        """Without any event yet."""
        self._accounts: dict[str, _Account] = {}
        self._reps: dict[str, _Attributes] = defaultdict(_Attributes)
        self._first_interaction_day: int | None = None

    def add(self, add: Additions) -> None:
        """Keep what events that are seen for the first time add to the stats."""
        for account, days in add.accounts.items():
            first = self._accounts.setdefault(account, _Account(days)).first
            first.first = min(first.first, days.first)
            first.usage = earliest(first.usage, days.usage)
            first.user = earliest(first.user, days.user)
        for account, contact in add.contacts:
            self._accounts[account].contacts.setdefault(contact, _Attributes())
        for (account, rep, contact, day), sums in add.tie_days.items():
            bucket = self._accounts[account].tie_days[rep, contact][day]
            bucket[:] = (old + new for old, new in zip(bucket, sums, strict=True))
        for (account, day), count in add.usage_days.items():
            self._accounts[account].usage[day] += count
        for account, contact, day in add.user_days:
            one = self._accounts[account]
            one.contacts.setdefault(contact, _Attributes())
            if day not in one.used[contact]:
                insort(one.used[contact], day)
        for event in add.attributes:
            self._attributes_of(event).set(event)
        for event in add.subscriptions:
            if event.account is not None and isinstance(event.data, Subscription):
                kept = SubscriptionEvent((event.time, event.id, event.source), event.data)
                self._accounts[event.account].subscriptions.append(kept)
        self._first_interaction_day = earliest(
            self._first_interaction_day, add.first_interaction_day
        )

    def _attributes_of(self, event: Event) -> _Attributes:
        if isinstance(event.data, Rep):
            return self._reps[event.data.rep]
        one = self._accounts[event.account or ""]
        if isinstance(event.data, Contact):
            return one.contacts[event.data.contact]
        return one.attributes

    def knows(self, account: str) -> bool:
        """Whether an event has named the account."""
        return account in self._accounts

    def workspace(self, settings: TieSettings) -> Workspace:
        """What the facts of all accounts share."""
        gone = frozenset(rep for rep, one in self._reps.items() if one.values.get("left"))
        return Workspace(self._first_interaction_day, gone, settings)

    def stats(self, account: str, on: int, half_life: int) -> AccountStats:
        """The stats of an account on the day `on` (an ordinal), from events up to its end.

        `half_life` is that of its ties, in days.

        Raises:
            KeyError: no event has named the account.
        """
        one = self._accounts[account]
        values = one.attributes.values
        renewal = values.get("renewal_date")
        until = datetime.combine(date.fromordinal(on + 1), time(), UTC)
        return AccountStats(
            account,
            name=values.get("name"),
            segment=values.get("segment"),
            owner=values.get("owner"),
            seats=values.get("seats"),
            mrr=values.get("mrr"),
            currency=values.get("currency"),
            renewal_day=None if renewal is None else date.fromisoformat(renewal).toordinal(),
            lifecycle=values.get("lifecycle"),
            first_day=one.first.first,
            first_usage_day=one.first.usage,
            first_user_day=one.first.user,
            contacts=[_contact(name, one, on) for name in one.contacts],
            ties=_ties(one, on, half_life),
            subscriptions=as_of(each for each in one.subscriptions if each.stamp[0] < until),
            usage=_usage(one, on),
        )


def _contact(contact: str, one: _Account, on: int) -> ContactStats:
    values, used = one.contacts[contact].values, one.used.get(contact, [])
    before = bisect_left(used, on)
    return ContactStats(
        contact,
        values.get("name"),
        values.get("title"),
        values.get("level"),
        values.get("role"),
        values.get("left"),
        used[before - 1] if before else None,
    )


def _ties(one: _Account, on: int, half_life: int) -> list[Tie]:
    ties = []
    for (rep, contact), days in one.tie_days.items():
        buckets = (Bucket(day, *days[day]) for day in sorted(days) if day <= on)
        state = state_of(buckets, half_life)
        if state is not None:
            ties.append(Tie(rep, contact, state))
    return ties


def _usage(one: _Account, on: int) -> UsageStats:
    recent = [one.usage[day] for day in range(on - 30, on) if day in one.usage]
    previous = sum(one.usage[day] for day in range(on - 60, on - 30) if day in one.usage)
    last = max((day for day in one.usage if day <= on), default=None)
    return UsageStats(last, sum(recent), previous, len(recent))
