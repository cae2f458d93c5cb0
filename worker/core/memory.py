"""Stats in memory, for rule tests and whatever else replays events without a database.

It keeps of the same additions what store/fold.py keeps in tables; a property test holds the stats
of both equal.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from worker.core import keepsakes
from worker.core.additions import Additions, Days, earliest
from worker.core.attributes import Stamp, merge
from worker.core.contacts import USER_DAYS, decision_level
from worker.core.contents import Contact, Rep, Subscription
from worker.core.events import Event
from worker.core.facts import measures_of
from worker.core.metrics import NO_METRICS, Metrics
from worker.core.reading import BASE, EVERYTHING, Reading
from worker.core.stats import NO_USAGE, AccountStats, ContactStats, UsageStats, Workspace
from worker.core.subscriptions import Contracts, SubscriptionEvent, as_of, extend
from worker.core.ties import Bucket, Tie, TieSettings, TieState, state_of
from worker.core.ties import extend as extend_tie
from worker.core.titles import EXEC_LEVELS


@dataclass(slots=True)
class _Attributes:
    """The fields that events have set, with the stamp of the event that set each."""

    values: dict[str, Any] = field(default_factory=dict)
    stamps: dict[str, Stamp] = field(default_factory=dict)

    def set(self, event: Event) -> None:
        merge(self.values, self.stamps, event)


@dataclass(slots=True)
class _Tie:
    """Day buckets, which are the truth, and what those up to the last one read come to."""

    days: dict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    unread: set[int] = field(default_factory=set)
    state: TieState | None = None
    half_life: int = 0

    def add(self, day: int, sums: Sequence[int]) -> None:
        bucket = self.days[day]
        bucket[:] = (old + new for old, new in zip(bucket, sums, strict=True))
        self.unread.add(day)

    def on(self, day: int, half_life: int) -> TieState | None:
        """Its state on a day; None if there had been no contact by then."""
        if self.unread or half_life != self.half_life:
            self._read(half_life)
        if self.state is not None and self.state.day <= day:
            return self.state
        return self._made_anew(day, half_life)

    def _read(self, half_life: int) -> None:
        state, changed = self.state, half_life != self.half_life
        if state is None or changed or min(self.unread) < state.day:
            self.state = self._made_anew(max(self.days), half_life)
        else:
            for day in sorted(self.unread):
                self.state = extend_tie(self.state, Bucket(day, *self.days[day]), half_life)
        self.half_life = half_life
        self.unread.clear()

    def _made_anew(self, until: int, half_life: int) -> TieState | None:
        buckets = (Bucket(day, *self.days[day]) for day in sorted(self.days) if day <= until)
        return state_of(buckets, half_life)


@dataclass(slots=True)
class _Usage:
    """Days with usage, in order, and the sum of counts before each: a window is a difference."""

    days: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=lambda: [0])

    def add(self, day: int, count: int) -> None:
        place = bisect_left(self.days, day)
        if place == len(self.days) or self.days[place] != day:
            self.days.insert(place, day)
            self.before.insert(place, self.before[place])
        for later in range(place + 1, len(self.before)):
            self.before[later] += count

    def on(self, day: int) -> UsageStats:
        if not self.days:
            return NO_USAGE
        ended = bisect_left(self.days, day)
        middle = bisect_left(self.days, day - 30, hi=ended)
        begun = bisect_left(self.days, day - 60, hi=middle)
        known = bisect_right(self.days, day, lo=ended)
        return UsageStats(
            self.days[known - 1] if known else None,
            self.before[ended] - self.before[middle],
            self.before[middle] - self.before[begun],
            ended - middle,
        )


@dataclass(slots=True)
class _Subscriptions:
    """Subscription events, which are the truth, and what they come to by the latest one."""

    events: list[SubscriptionEvent] = field(default_factory=list)
    latest: datetime | None = None
    current: Contracts = field(default_factory=Contracts)

    def add(self, event: SubscriptionEvent) -> None:
        self.events.append(event)
        moment = event.stamp[0]
        if self.latest is None or moment > self.latest:
            extend(self.current, [event])
            self.latest = moment
        else:
            self.current = as_of(self.events)

    def on(self, day: int) -> Contracts:
        if self.latest is None or self.latest.toordinal() <= day:
            return self.current
        end = datetime.combine(date.fromordinal(day + 1), time(), UTC)
        return as_of(event for event in self.events if event.stamp[0] < end)


@dataclass(slots=True)
class _Account:
    """What is kept of one account. Days are ordinals."""

    first: Days
    attributes: _Attributes = field(default_factory=_Attributes)
    contacts: dict[str, _Attributes] = field(default_factory=dict)
    ties: dict[tuple[str, str], _Tie] = field(default_factory=lambda: defaultdict(_Tie))
    usage: _Usage = field(default_factory=_Usage)
    used: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    subscriptions: _Subscriptions = field(default_factory=_Subscriptions)
    kept: keepsakes.Kept = field(default_factory=keepsakes.Kept)

    def met(self) -> set[tuple[str, int]]:
        """All (contact, day) with contact, of executives."""
        return {
            (contact, day)
            for (_, contact), tie in self.ties.items()
            if _is_exec(self.contacts[contact].values)
            for day in tie.days
        }


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
            self._accounts[account].ties[rep, contact].add(day, sums)
        for (account, day), count in add.usage_days.items():
            self._accounts[account].usage.add(day, count)
        for account, day, contact, _ in add.feature_days:
            if not contact:
                continue
            one = self._accounts[account]
            one.contacts.setdefault(contact, _Attributes())
            used = one.used[contact]
            place = bisect_left(used, day)
            if place == len(used) or used[place] != day:
                used.insert(place, day)
        for event in add.attributes:
            self._attributes_of(event).set(event)
        for event in add.subscriptions:
            if event.account is not None and isinstance(event.data, Subscription):
                kept = SubscriptionEvent((event.time, event.id, event.source), event.data)
                self._accounts[event.account].subscriptions.add(kept)
        keepsakes.keep(add, lambda account: self._accounts[account].kept)
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

    @property
    def accounts(self) -> Collection[str]:
        """The accounts that events have named."""
        return self._accounts.keys()

    def knows(self, account: str) -> bool:
        """Whether an event has named the account."""
        return account in self._accounts

    def workspace(self, settings: TieSettings) -> Workspace:
        """What the facts of all accounts share."""
        gone = frozenset(rep for rep, one in self._reps.items() if one.values.get("left"))
        return Workspace(self._first_interaction_day, gone, settings)

    def stats(
        self,
        account: str,
        on: int,
        half_life: int,
        reading: Reading = EVERYTHING,
        metrics: Metrics = NO_METRICS,
    ) -> AccountStats:
        """The stats of an account on the day `on` (an ordinal), from events up to its end.

        `half_life` is that of its ties, in days; `reading` says what is asked for, `metrics` what
        is to be measured for it. What of it can change is that of the moment: read again after
        the next events.

        Raises:
            KeyError: no event has named the account.
        """
        one = self._accounts[account]
        values = one.attributes.values
        renewal = values.get("renewal_date")
        found = AccountStats(
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
            ties=[
                Tie(rep, contact, state)
                for (rep, contact), tie in one.ties.items()
                if (state := tie.on(on, half_life)) is not None
            ],
            contracts=one.subscriptions.on(on),
            usage=one.usage.on(on),
            reading=reading,
        )
        measures = measures_of(reading, metrics, on)
        if measures or reading.parts != BASE.parts:
            one.kept.fill(found, measures, one.met, on)
        return found


def _is_exec(values: Mapping[str, Any]) -> bool:
    return decision_level(values.get("level"), values.get("title")) in EXEC_LEVELS


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
        used[before - 1] if before and used[before - 1] >= on - USER_DAYS else None,
        values.get("function"),
    )
