"""What a batch of events adds to what is kept.

Additions are sums, sets and extremes, so that any order, any batching and any merge of histories
comes to the same stats.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from worker.core.contents import (
    Account,
    Contact,
    Interaction,
    Outcome,
    Rep,
    Subscription,
    Survey,
    Ticket,
    Usage,
)
from worker.core.events import Event
from worker.core.measures import Touch
from worker.core.ties import shares


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
    inbound], `feature_days` (account, day, user, feature) to [count, thousandths of a minute], with
    empty names for what no event says, `delivered` are (source, day, type).
    """

    accounts: dict[str, Days] = field(default_factory=dict)
    contacts: set[tuple[str, str]] = field(default_factory=set)
    reps: set[str] = field(default_factory=set)
    not_usage: set[str] = field(default_factory=set)
    tie_days: dict[tuple[str, str, str, int], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0, 0])
    )
    usage_days: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    feature_days: dict[tuple[str, int, str, str], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    touches: list[tuple[str, Touch, int]] = field(default_factory=list)
    surveys: list[Event] = field(default_factory=list)
    courses: list[Event] = field(default_factory=list)
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
            case Survey():
                add.surveys.append(event)
            case Ticket() | Outcome():
                add.courses.append(event)
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
    add.touches += _touches(event, interaction, account)


def _touches(
    event: Event, interaction: Interaction, account: str
) -> Iterator[tuple[str, Touch, int]]:
    """(account, touch, microseconds since 1970), one for each contact; those copied stand last."""
    minutes = thousandths(interaction.duration_minutes)
    addressed = dict.fromkeys(interaction.contacts)
    for number, contact in enumerate(addressed | dict.fromkeys(interaction.cc or ())):
        lead = number == 0
        yield (
            account,
            Touch(
                event.day,
                contact,
                interaction.channel,
                interaction.way,
                minutes if lead else 0,
                int(lead),
                int(contact not in addressed),
            ),
            event.at,
        )


def is_mail(touch: Touch) -> bool:
    """Whether it is a mail that asks this contact, or that the contact wrote, or an answer."""
    if touch.channel != "email":
        return False
    return touch.direction == "outbound" or (touch.direction == "inbound" and not touch.copied)


def thousandths(minutes: float | None) -> int:
    """Minutes as a whole number, which adds up to the same in any order."""
    return int((minutes or 0) * 1_000 + 0.5)


def _add_usage(add: Additions, event: Event, usage: Usage, days: Days) -> None:
    account = event.account or ""
    days.usage = earliest(days.usage, event.day)
    count = usage.count or 1
    add.usage_days[account, event.day] += count
    sums = add.feature_days[account, event.day, usage.user or "", usage.feature or ""]
    sums[0] += count
    if usage.minutes:
        sums[1] += thousandths(usage.minutes)
    if usage.user is not None:
        days.user = earliest(days.user, event.day)


def earliest(one: int | None, other: int | None) -> int | None:
    """The earlier of two days, either of which may be missing."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
