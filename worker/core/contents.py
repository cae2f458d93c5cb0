"""What events say: the data of each type, with the limits of each field (docs/events.md)."""

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

# Three ids and a day make the longest index entry; PostgreSQL's limit for one is 2,704 bytes.
Id = Annotated[str, Meta(min_length=1, max_length=200)]
EventId = Annotated[str, Meta(min_length=1, max_length=300)]
Words = Annotated[str, Meta(max_length=2_000)]
Feature = Annotated[str, Meta(max_length=200)]
Currency = Annotated[str, Meta(min_length=1, max_length=20)]
Amount = Annotated[float, Meta(ge=0, le=1e15)]
Whole = Annotated[int, Meta(ge=0, le=10**12)]
Number = Annotated[float, Meta(ge=-1e15, le=1e15)]
Moment = Annotated[datetime, Meta(tz=True)]

Role = Literal["user", "champion", "admin", "economic_buyer", "other"]
LevelName = Literal["c_level", "vp", "director", "manager", "staff"]
Lifecycle = Literal["trial", "onboarding", "active", "churned"]
Direction = Literal["inbound", "outbound", "mutual"]


class Interaction(Struct, frozen=True):
    """People of both sides in contact: a mail, a meeting, a call, a chat."""

    channel: Literal["email", "meeting", "call", "chat", "other"]
    reps: Annotated[list[Id], Meta(min_length=1)]
    contacts: list[Id]
    direction: Direction | None = None
    cc: list[Id] | None = None
    duration_minutes: Annotated[float, Meta(ge=0, le=100_000)] | None = None
    status: Literal["held", "cancelled", "declined", "no_show"] | None = None
    automatic: Literal["auto-reply", "bounce", "bulk", "calendar", "other"] | None = None
    thread: Words | None = None

    @property
    def counts(self) -> bool:
        """Whether it is contact between people: it took place, and no machine wrote it."""
        return self.automatic is None and (self.status is None or self.status == "held")

    @property
    def way(self) -> Direction:
        """Its direction; what does not have to say one (meetings, calls) is mutual."""
        return self.direction or "mutual"


class Usage(Struct, frozen=True):
    """Use of the product, by a contact if `user` says whom."""

    user: Id | None = None
    feature: Feature | None = None
    count: Annotated[int, Meta(ge=1, le=10**12)] | None = None
    minutes: Annotated[float, Meta(ge=0, le=1e9)] | None = None


class Account(Struct, frozen=True):
    """Attributes of the account; an absent field says nothing, a null one clears."""

    name: Words | UnsetType | None = UNSET
    segment: Words | UnsetType | None = UNSET
    owner: Id | UnsetType | None = UNSET
    seats: Whole | UnsetType | None = UNSET
    mrr: Amount | UnsetType | None = UNSET
    currency: Currency | UnsetType | None = UNSET
    renewal_date: date | UnsetType | None = UNSET
    lifecycle: Lifecycle | UnsetType | None = UNSET
    domains: list[Words] | UnsetType | None = UNSET
    timezone: Words | UnsetType | None = UNSET
    parent: Id | UnsetType | None = UNSET
    region: Words | UnsetType | None = UNSET


class Contact(Struct, frozen=True):
    """Attributes of a person at the account."""

    contact: Id
    name: Words | UnsetType | None = UNSET
    title: Words | UnsetType | None = UNSET
    level: LevelName | UnsetType | None = UNSET
    role: Role | UnsetType | None = UNSET
    function: Words | UnsetType | None = UNSET
    emails: list[Words] | UnsetType | None = UNSET
    left: bool | UnsetType | None = UNSET


class Rep(Struct, frozen=True):
    """Attributes of a person on the vendor's team."""

    rep: Id
    name: Words | UnsetType | None = UNSET
    email: Words | UnsetType | None = UNSET
    slack_user: Words | UnsetType | None = UNSET
    timezone: Words | UnsetType | None = UNSET
    manager: Id | UnsetType | None = UNSET
    left: bool | UnsetType | None = UNSET


class Subscription(Struct, frozen=True):
    """A change of a subscription; one with a `term_start` adds or replaces that term."""

    subscription: Id
    status: Literal["trial", "started", "renewed", "changed", "churned"]
    plan: Words | UnsetType | None = UNSET
    mrr: Amount | UnsetType | None = UNSET
    currency: Currency | UnsetType | None = UNSET
    seats: Whole | UnsetType | None = UNSET
    term_start: date | UnsetType | None = UNSET
    term_end: date | UnsetType | None = UNSET


class Survey(Struct, frozen=True):
    """What a contact said: nps 0-10, csat 1-5, or a perception in one word."""

    kind: Literal["nps", "csat", "perception"]
    score: float | str
    contact: Id | None = None


class Ticket(Struct, frozen=True):
    """A step in the life of a support ticket."""

    ticket: Id
    status: Literal["opened", "escalated", "deescalated", "resolved"]
    priority: Words | UnsetType | None = UNSET
    defect: bool | UnsetType | None = UNSET
    topic: Words | UnsetType | None = UNSET


class Outcome(Struct, frozen=True):
    """Progress towards a goal of the customer."""

    goal: Id
    target: Number | Words | UnsetType | None = UNSET
    value: Number | Words | UnsetType | None = UNSET
    progress: Annotated[float, Meta(ge=0, le=100)] | UnsetType | None = UNSET
    cost: Amount | UnsetType | None = UNSET
    benefit: Number | UnsetType | None = UNSET
    achieved: bool | UnsetType | None = UNSET
    due: date | UnsetType | None = UNSET


Content = Interaction | Usage | Account | Contact | Rep | Subscription | Survey | Ticket | Outcome
TYPES: dict[str, type[Content]] = {kind.__name__.lower(): kind for kind in Content.__args__}
"""What the data of each type is."""

FIELDS = {name: frozenset(kind.__struct_fields__) for name, kind in TYPES.items()}
"""The keys that the data of each type of event may have; others are kept and otherwise ignored."""
