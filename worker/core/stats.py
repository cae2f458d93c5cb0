"""What is kept of the events of an account, read as of a date."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from worker.core.bands import NO_HEALTH, HealthSettings
from worker.core.courses import Course
from worker.core.measures import Measure
from worker.core.reading import EVERYTHING, Reading
from worker.core.subscriptions import Contracts
from worker.core.support import Tickets
from worker.core.ties import Tie, TieSettings
from worker.core.voice import Voice


class ContactStats(NamedTuple):
    """A person at the account. `used` is their last day of usage in the 90 complete days before
    the date, an ordinal."""

    contact: str
    name: str | None
    title: str | None
    level: str | None
    role: str | None
    gone: bool | None
    used: int | None
    function: str | None = None


class Mail(NamedTuple):
    """A mail to or from one contact on a day; `at` is in microseconds since 1970."""

    contact: str
    at: int
    inbound: bool
    day: int


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
    names a user. `reading` says what has been read; what belongs to its parts is empty without
    them: `met` are (contact, day) of the year's contact, `mails` those of the last 90 days.
    `past_health` is the health score of 30 days before.
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
    contracts: Contracts = field(default_factory=Contracts)
    usage: UsageStats = NO_USAGE
    reading: Reading = EVERYTHING
    measures: dict[Measure, int] = field(default_factory=lambda: defaultdict(int))
    met: set[tuple[str, int]] = field(default_factory=set)
    mails: list[Mail] = field(default_factory=list)
    tickets: Tickets = field(default_factory=Tickets)
    goals: list[Course] = field(default_factory=list)
    voice: Voice = field(default_factory=Voice)
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
