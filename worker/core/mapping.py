"""How others' messages become events: which fields are picked from where, and what they become.

A mapping is written in `capture.yaml` (docs/capture.md); here it is applied. What a field needs
decides the form its value is brought into: `"12"` is a number where one is needed, a time a date.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import jsonpath
import msgspec
from msgspec.inspect import BoolType, DateType, FloatType, IntType, ListType, StrType, UnionType

from worker.core.addresses import NO_PEOPLE, People, decides
from worker.core.events import MEMBER, TYPES
from worker.core.moments import Writing, as_date
from worker.core.sorting import BY_EMAIL, PEOPLE

PATH = re.compile(r"\$(\.[^\W\d](?:[\w -]*[\w-])?|\['[^'\\\[\]]+'\]|\[\d{1,4}\]|\[\*\])*")
"""The paths that are read: names, places in a list, and all of a list."""

STEP = re.compile(r"\.([^\W\d](?:[\w -]*[\w-])?)|\['([^'\\\[\]]+)'\]")
"""A name in such a path, as it may be written."""

ONCE = ("interaction", "usage", "survey")
"""What happens once, and is not said anew."""

TOLD_APART = {"usage": "feature", "survey": "kind", "ticket": "status", "subscription": "status"}
"""The field by which events of one type out of one message are told apart, whatever their order."""

_SEPARATORS = re.compile(r"[;,|\n]")
_BESIDE_AMOUNT = re.compile(r"^[^\d(-]*|[^\d)]*$")


@dataclass(frozen=True, slots=True)
class Pick:
    """One way to a value: a path into the message with what is done to it, or the value itself.

    With `beside`, the texts of several paths with a space between them.
    """

    path: str | None = None
    constant: Any = None
    filters: tuple[str, ...] = ()
    beside: "Pick | None" = None

    @property
    def column(self) -> str | None:
        """The name that its path begins with, None for what is no path or begins otherwise."""
        step = STEP.match(self.path, 1) if self.path else None
        return (step[1] or step[2]) if step else None

    def of(self, message: Any) -> Any:
        """The value, None if it is not there. A path with `[*]` gives a list."""
        if self.path is None:
            return self.constant
        if self.beside is not None:
            both = (replace(self, beside=None).of(message), self.beside.of(message))
            return " ".join(str(_as_text(one)) for one in both if one is not None) or None
        names = _names(self.path)
        if names is not None:  # names alone need no library, and are looked up ten times as fast
            return self._filtered(_at(names, message))
        if not isinstance(message, dict | list):
            return None  # of which the library would read a text as JSON
        found = map(self._filtered, _compiled(self.path).findall(message))
        values = [one for one in found if one is not None]
        if "[*]" in self.path:
            return values or None
        return values[0] if values else None

    def _filtered(self, value: Any) -> Any:
        if value is None or value == "":
            return None
        for name in self.filters:
            value = _FILTERED[name](value)
        return None if value == "" else value


Value = tuple[Pick, ...]
"""Ways to a value, of which the first that leads to one counts."""


Condition = tuple[tuple[Pick, tuple[str, ...]], ...]
"""Ways with the texts that each may lead to, in which `*` stands for anything."""


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


def first(value: Value, message: Any) -> Any:
    """What the first of the ways leads to, None if none does."""
    for pick in value:
        found = pick.of(message)
        if found is not None:
            return found
    return None


def holds(condition: Condition, message: Any) -> bool:
    """Whether every way leads to one of its texts."""
    return all(_matches(pick.of(message), words) for pick, words in condition)


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
            event[name] = _as_text(found)
    return event | {PEOPLE: BY_EMAIL} if shape.by_email else event


def fitted(value: Any, type_: str, name: str, writing: Writing | None = None) -> Any:
    """The value in the form that this field of this type of event needs, if it has one.

    With `writing`, raises Unclear for a date that can be read in two ways.
    """
    kinds = _kinds(type_, name)
    if any(isinstance(kind, ListType) for kind in kinds):
        values = value if isinstance(value, list) else [value]
        return [_as_text(one) for one in values]
    if isinstance(value, list) and value:
        value = value[0]
    if any(isinstance(kind, IntType | FloatType) for kind in kinds):
        return _as_number(value)
    if any(isinstance(kind, DateType) for kind in kinds):
        return writing.as_date(value) if writing else as_date(value)
    if any(isinstance(kind, BoolType) for kind in kinds):
        return _as_bool(value)
    return _as_text(value) if any(isinstance(kind, StrType) for kind in kinds) else value


def _at(names: tuple[str, ...], message: Any) -> Any:
    for name in names:
        if not isinstance(message, dict):
            return None
        message = message.get(name)
    return message


def _ways(shape: Shape) -> tuple[Value, ...]:
    return (*shape.fields.values(), shape.subject, shape.member, shape.time, shape.id)


@lru_cache(maxsize=1_000)
def _compiled(path: str) -> Any:
    return jsonpath.compile(STEP.sub(lambda step: f"['{step[1] or step[2]}']", path))


@lru_cache(maxsize=1_000)
def _names(path: str) -> tuple[str, ...] | None:
    """The names that a path consists of, None if there is more in it."""
    steps = STEP.findall(path)
    return tuple(plain or odd for plain, odd in steps) if STEP.sub("", path) == "$" else None


@lru_cache(maxsize=1_000)
def _kinds(type_: str, name: str) -> tuple[msgspec.inspect.Type, ...]:
    for one in msgspec.structs.fields(TYPES[type_]):
        if one.name == name:
            info = msgspec.inspect.type_info(one.type)
            return info.types if isinstance(info, UnionType) else (info,)
    return ()


def _matches(found: Any, words: tuple[str, ...]) -> bool:
    if found is None:
        return "" in words or "*" in words
    values = found if isinstance(found, list) else [found]
    texts = [str(_as_text(one)) for one in values]
    return any(fnmatchcase(text, word) for text in texts for word in words)


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


def _as_number(value: Any) -> Any:
    if not isinstance(value, str) or len(value) > 40:
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() else number


def _as_bool(value: Any) -> Any:
    word = value.strip().lower() if isinstance(value, str) else value
    if word in ("true", "yes", "1", 1):
        return True
    return False if word in ("false", "no", "0", 0) else value


def _amount(value: Any) -> Any:
    """The number in `$1,234.50` or `1.234,50 EUR`; what is none as it is."""
    if not isinstance(value, str):
        return value
    text = _BESIDE_AMOUNT.sub("", value).replace(" ", "").replace("\xa0", "")
    whole, mark, cents = text.rpartition("," if text.rfind(",") > text.rfind(".") else ".")
    if mark == "," and len(cents) == 3:  # 1,234
        whole, mark, cents = text, "", ""
    digits = (whole if mark else text).replace(",", "").replace(".", "")
    number = _as_number(f"{digits}.{cents}" if mark else digits)
    return value if isinstance(number, str) else number


def _a_twelfth(value: Any) -> Any:
    number = _as_number(_amount(value))
    return round(number / 12, 2) if isinstance(number, int | float) else value


def _split(value: Any) -> Any:
    """The parts of a text that is a list, without the blank ones."""
    if not isinstance(value, str):
        return value
    return [part.strip() for part in _SEPARATORS.split(value) if part.strip()] or None


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _domain(value: Any) -> Any:
    """The domain of an address or a site, None if anybody may have one there."""
    if not isinstance(value, str):
        return None
    rest = value.strip().lower().rpartition("@")[2].rpartition("://")[2]
    domain = rest.partition("/")[0].partition(":")[0].removeprefix("www.")
    return domain if "." in domain and decides(domain) else None


_FILTERED: Mapping[str, Callable[[Any], Any]] = {
    "amount": _amount,
    "domain": _domain,
    "lower": _lower,
    "split": _split,
    "yearly": _a_twelfth,
}

FILTERS = tuple(_FILTERED)
"""What may be done to a value."""
