"""How others' messages become events: which fields are picked from where, and what they become.

A mapping is written in `capture.yaml` (docs/capture.md), and applied here. `picking` finds values,
`forms` brings them into the form that their field needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from worker.core.addresses import NO_PEOPLE, People
from worker.core.events import MEMBER
from worker.core.forms import as_text, fitted
from worker.core.moments import Writing
from worker.core.picking import Condition, Pick, Value, first, holds
from worker.core.sorting import BY_EMAIL, PEOPLE

ONCE = ("interaction", "usage", "survey")
"""What happens once, and is not said anew."""

TOLD_APART = {"usage": "feature", "survey": "kind", "ticket": "status", "subscription": "status"}
"""The field by which events of one type out of one message are told apart, whatever their order."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One event that a message becomes, if `when` holds. Its `time` goes before the message's.

    `id` tells it from others of its type out of the same message. With `by_email` it names people
    by their addresses, and may leave its account to them.
    """

    type: str
    fields: Mapping[str, Value]
    subject: Value = ()
    member: Value = ()
    when: Condition = ()
    time: Value = ()
    by_email: bool = False
    id: Value = ()

    def fits(self, message: Any) -> bool:
        """Whether the message is one of those it is for."""
        return holds(self.when, message)


def are_twins(one: Shape, other: Shape) -> bool:
    """Whether nothing tells their events apart, whenever both come out of one message."""
    told_apart = TOLD_APART.get(one.type, "")
    return (
        one.type in ONCE
        and (one.type, one.id) == (other.type, other.id)
        and one.fields.get(told_apart) == other.fields.get(told_apart)
        and (one.when == other.when or not one.when or not other.when)
    )


@dataclass(frozen=True, slots=True)
class Verification:
    """How a webhook proves where it comes from; `scheme` is one of `SCHEMES`."""

    scheme: str = "standard"
    header: str = ""
    prefix: str = ""
    timestamp: str = ""


SCHEMES = {
    "standard": "Standard Webhooks: webhook-id, webhook-timestamp and webhook-signature",
    "hmac-sha256": "a header with the hex or base64 HMAC of the body",
    "hmac-sha1": "the same with SHA-1",
    "hubspot": "HubSpot's X-HubSpot-Signature-v3",
    "zendesk": "Zendesk's X-Zendesk-Webhook-Signature",
    "calendly": "Calendly's Calendly-Webhook-Signature",
    "key": "one of our keys, with the scope hooks",
}


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook: how it is verified, and what its payload becomes.

    `each` leads to the messages of a payload that holds several.
    """

    name: str
    verify: Verification
    events: tuple[Shape, ...]
    id: Value = ()
    time: Value = ()
    each: Pick | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """A kind of files with a record a row: how one is recognised, and what its records become.

    A file is of this kind if it has all columns of one of `columns`. Records that `skip` holds for
    are of no use. `changed` leads to when a record was changed last, which decides between two
    versions of it. All names are as `plain` makes them.
    """

    name: str
    source: str
    events: tuple[Shape, ...]
    columns: tuple[tuple[str, ...], ...] = ()
    id: Value = ()
    time: Value = ()
    skip: Condition = ()
    changed: Value = ()

    @property
    def values(self) -> list[Value]:
        """All that is looked for in a record."""
        of_events = (value for shape in self.events for value in _ways(shape))
        return [self.id, self.time, self.changed, *of_events]

    @property
    def read(self) -> frozenset[str]:
        """The columns that any of its paths begins with."""
        picks = [pick for value in self.values for pick in value]
        picks += [pick for condition in self._conditions() for pick, _ in condition]
        picks += [pick.beside for pick in picks if pick.beside is not None]
        return frozenset(pick.column for pick in picks if pick.column is not None)

    def _conditions(self) -> tuple[Condition, ...]:
        return (self.skip, *(shape.when for shape in self.events))


@dataclass(frozen=True, slots=True)
class Capture:
    """All mappings: of Segment's calls, and of webhooks and files by name; and whose addresses
    are whose.

    `track` has shapes by the name of the event, in which `*` stands for anything; None for those
    that are ignored. `calls` are the shapes of the other calls.
    """

    track: Mapping[str, Shape | None] = field(default_factory=dict)
    calls: Mapping[str, Shape | None] = field(default_factory=dict)
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    imports: Mapping[str, Import] = field(default_factory=dict)
    people: People = NO_PEOPLE

    def tracked(self, name: str, otherwise: Shape) -> Shape | None:
        """What a tracked event of this name becomes; a whole name goes before a pattern."""
        if name in self.track:
            return self.track[name]
        for pattern, shape in self.track.items():
            if "*" in pattern and fnmatchcase(name, pattern):
                return shape
        return otherwise


def plain(name: str) -> str:
    """A column's name as it is compared: without regard to case, spaces and signs, so that
    `Record ID`, `RecordId` and `record_id` are one, as is the prefix of HubSpot's properties."""
    return "".join(filter(str.isalnum, name.casefold().removeprefix("property_")))


def event_of(
    shape: Shape, message: Any, head: Mapping[str, Any], writing: Writing | None = None
) -> dict[str, Any]:
    """The event that a message becomes. `head` has its id, source and time.

    A date that can be read in two ways stays as it is, which is a problem of the event. With
    `writing` it is somebody's to decide: then it raises Unclear.
    """
    content = {
        name: fitted(found, shape.type, name, writing)
        for name, value in shape.fields.items()
        if (found := first(value, message)) is not None
    }
    event: dict[str, Any] = {**head, "type": shape.type, "data": content}
    for name, value in (("subject", shape.subject), (MEMBER, shape.member)):
        found = first(value, message)
        if isinstance(found, list) and found:
            found = found[0]
        if found is not None:
            event[name] = as_text(found)
    return event | {PEOPLE: BY_EMAIL} if shape.by_email else event


def _ways(shape: Shape) -> tuple[Value, ...]:
    return (*shape.fields.values(), shape.subject, shape.member, shape.time, shape.id)
