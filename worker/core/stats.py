"""What is kept of the events, and what a batch adds to it.

Additions are sums, sets and extremes, so that any order, any batching and any merge of histories
comes to the same stats.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from worker.core.events import Account, Contact, Event, Interaction, Rep, Subscription, Usage
from worker.core.health import NO_HEALTH, HealthSettings
from worker.core.subscriptions import Subscriptions
from worker.core.ties import TieSettings, TieState, shares


class ContactStats(NamedTuple):
    """A person at the account. `used` is their last day of usage before the date, an ordinal."""

    contact: str
    name: str | None
    title: str | None
    level: str | None
    role: str | None
    gone: bool | None
    used: int | None


class Tie(NamedTuple):
    """The state of one tie, on or before the date."""

    rep: str
    contact: str
    state: TieState


class UsageStats(NamedTuple):
    """The account's usage around a date.

    `recent` counts the 30 complete days before it, `previous` the 30 before those; `active_days`
    are those with usage among the former, `last_day` the last one up to the date.
    """

    last_day: int | None
    recent: int
    previous: int
    active_days: int


NO_USAGE = UsageStats(None, 0, 0, 0)


@dataclass(slots=True)
class AccountStats:
    """All that the facts of one account on one date are computed from. Days are ordinals.

    `first_usage_day` is the day of its first usage event, `first_user_day` of the first that
    names a user. `past_health` is its health score of 30 days before.
    """

    account: str
    name: str | None = None
    segment: str | None = None
    owner: str | None = None
    seats: int | None = None
    mrr: float | None = None
    currency: str | None = None
    renewal_day: int | None = None
    lifecycle: str | None = None
    first_day: int | None = None
    first_usage_day: int | None = None
    first_user_day: int | None = None
    contacts: list[ContactStats] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    subscriptions: Subscriptions = field(default_factory=dict)
    usage: UsageStats = NO_USAGE
    past_health: int | None = None


@dataclass(frozen=True, slots=True)
class Workspace:
    """What all accounts share: when interactions began, which reps have left, settings.

    `withheld` are the facts that cannot be told, since a source is silent, each with the reason.
    """

    first_interaction_day: int | None
    gone_reps: frozenset[str] = frozenset()
    ties: TieSettings = field(default_factory=TieSettings)
    withheld: Mapping[str, str] = field(default_factory=dict)
    health: HealthSettings = NO_HEALTH


@dataclass(slots=True)
class Days:
    """The first days of an account: of any event, of usage, of usage that names a user."""

    first: int
    usage: int | None = None
    user: int | None = None


@dataclass(slots=True)
class Additions:
    """What some events add to the stats.

    `contacts` and `reps` are those named otherwise than by usage, `not_usage` the accounts of all
    events but usage. `tie_days` maps (account, rep, contact, day) to hundredths [mutual, outbound,
    inbound]; `user_days` are (account, user, day), `delivered` (source, day, type).
    """

    accounts: dict[str, Days] = field(default_factory=dict)
    contacts: set[tuple[str, str]] = field(default_factory=set)
    reps: set[str] = field(default_factory=set)
    not_usage: set[str] = field(default_factory=set)
    tie_days: dict[tuple[str, str, str, int], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0, 0])
    )
    usage_days: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    user_days: set[tuple[str, str, int]] = field(default_factory=set)
    attributes: list[Event] = field(default_factory=list)
    subscriptions: list[Event] = field(default_factory=list)
    first_interaction_day: int | None = None
    delivered: set[tuple[str, int, str]] = field(default_factory=set)


_DIRECTIONS = ("mutual", "outbound", "inbound")


def additions(events: Iterable[Event]) -> Additions:
    """What these events, each seen for the first time, add to the stats."""
    add = Additions()
    for event in events:
        add.delivered.add((event.source, event.day, event.type))
        days = _days(add, event)
        match event.data:
            case Interaction() as interaction:
                _add_interaction(add, event, interaction)
            case Usage() as usage:
                _add_usage(add, event, usage, days)
                continue
            case Subscription():
                add.subscriptions.append(event)
            case Account():
                add.attributes.append(event)
            case Contact() as person:
                add.attributes.append(event)
                add.contacts.add((event.account or "", person.contact))
            case Rep() as person:
                add.attributes.append(event)
                add.reps.add(person.rep)
        if event.account is not None:
            add.not_usage.add(event.account)
    return add


def _days(add: Additions, event: Event) -> Days:
    if event.account is None:
        return Days(event.day)
    days = add.accounts.get(event.account)
    if days is None:
        days = add.accounts[event.account] = Days(event.day)
    days.first = min(days.first, event.day)
    return days


def _add_interaction(add: Additions, event: Event, interaction: Interaction) -> None:
    account = event.account or ""
    add.first_interaction_day = earliest(add.first_interaction_day, event.day)
    add.reps.update(interaction.reps)
    add.contacts.update((account, contact) for contact in interaction.contacts)
    if interaction.cc:
        add.contacts.update((account, contact) for contact in interaction.cc)
    if not interaction.counts:
        return
    direction = _DIRECTIONS.index(interaction.way)
    for rep, contact, hundredths in shares(interaction):
        add.tie_days[account, rep, contact, event.day][direction] += hundredths


def _add_usage(add: Additions, event: Event, usage: Usage, days: Days) -> None:
    account = event.account or ""
    days.usage = earliest(days.usage, event.day)
    add.usage_days[account, event.day] += usage.count or 1
    if usage.user is not None:
        days.user = earliest(days.user, event.day)
        add.user_days.add((account, usage.user, event.day))


def earliest(one: int | None, other: int | None) -> int | None:
    """The earlier of two days, either of which may be missing."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
