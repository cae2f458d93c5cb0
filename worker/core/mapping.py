"""How others' messages become events: which fields are picked from where, and what they become.

A mapping is written in `capture.yaml` (docs/capture.md); here it is applied. What a field needs
decides the form its value is brought into: `"12"` is a number where one is needed, a time a date.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import jsonpath
import msgspec
from msgspec.inspect import DateType, FloatType, IntType, ListType, StrType, UnionType

from worker.core.events import MEMBER, TYPES

PATH = re.compile(r"\$(\.[A-Za-z_][\w-]*|\['[^'\\\[\]]+'\]|\[\d{1,4}\]|\[\*\])*")
"""The paths that are read: names, places in a list, and all of a list."""

FILTERS = ("domain", "lower")

# fmt: off
FREE_MAIL = frozenset({
    "aol.com", "fastmail.com", "gmail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net",
    "googlemail.com", "hey.com", "hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.fr",
    "icloud.com", "live.com", "mac.com", "mail.com", "mail.ru", "me.com", "msn.com",
    "outlook.com", "outlook.de", "proton.me", "protonmail.com", "qq.com", "t-online.de",
    "web.de", "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.ru", "ymail.com",
    "zoho.com", "163.com", "126.com"
})
# fmt: on
"""Where anybody may have an address: such a domain says nothing of an account."""

_MILLISECONDS = 10**11
"""From here on a number that stands for a time counts milliseconds: seconds reach it in 5138."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One way to a value: a path into the message with what is done to it, or the value itself."""

    path: str | None = None
    constant: Any = None
    filters: tuple[str, ...] = ()

    def of(self, message: Any) -> Any:
        """The value, None if it is not there. A path with `[*]` gives a list."""
        if self.path is None:
            return self.constant
        if not isinstance(message, dict | list):
            return None  # of which the library would read a text as JSON
        found = _compiled(self.path).findall(message)
        values = [one for one in (self._filtered(one) for one in found) if one not in (None, "")]
        if "[*]" in self.path:
            return values or None
        return values[0] if values else None

    def _filtered(self, value: Any) -> Any:
        for name in self.filters:
            value = _lower(value) if name == "lower" else _domain(value)
        return value


Value = tuple[Pick, ...]
"""Ways to a value, of which the first that leads to one counts."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One event that a message becomes, if `when` holds: texts that a path may lead to."""

    type: str
    fields: Mapping[str, Value]
    subject: Value = ()
    member: Value = ()
    when: tuple[tuple[Pick, tuple[str, ...]], ...] = ()

    def fits(self, message: Any) -> bool:
        """Whether the message is one of those it is for."""
        return all(_matches(pick.of(message), words) for pick, words in self.when)


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
class Capture:
    """All mappings: of Segment's calls, and of webhooks by name.

    `track` has shapes by the name of the event, in which `*` stands for anything; None for those
    that are ignored. `calls` are the shapes of the other calls.
    """

    track: Mapping[str, Shape | None] = field(default_factory=dict)
    calls: Mapping[str, Shape | None] = field(default_factory=dict)
    hooks: Mapping[str, Hook] = field(default_factory=dict)

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


def event_of(shape: Shape, message: Any, head: Mapping[str, Any]) -> dict[str, Any]:
    """The event that a message becomes. `head` has its id, source and time."""
    content = {
        name: fitted(found, shape.type, name)
        for name, value in shape.fields.items()
        if (found := first(value, message)) is not None
    }
    event: dict[str, Any] = {**head, "type": shape.type, "data": content}
    for name, value in (("subject", shape.subject), (MEMBER, shape.member)):
        found = first(value, message)
        if found is not None:
            event[name] = _as_text(found)
    return event


def fitted(value: Any, type_: str, name: str) -> Any:
    """The value in the form that this field of this type of event needs, if it has one."""
    kinds = _kinds(type_, name)
    if any(isinstance(kind, ListType) for kind in kinds):
        values = value if isinstance(value, list) else [value]
        return [_as_text(one) for one in values]
    if isinstance(value, list) and value:
        value = value[0]
    if any(isinstance(kind, IntType | FloatType) for kind in kinds):
        return _as_number(value)
    if any(isinstance(kind, DateType) for kind in kinds):
        return _as_date(value)
    return _as_text(value) if any(isinstance(kind, StrType) for kind in kinds) else value


def as_time(value: Any) -> Any:
    """A time as RFC 3339, from such a text, one without an offset (UTC), or seconds since 1970."""
    number = _as_number(value)
    if isinstance(number, int | float) and not isinstance(number, bool):
        seconds = number / 1000 if abs(number) >= _MILLISECONDS else number
        try:
            return datetime.fromtimestamp(seconds, UTC).isoformat()
        except (ValueError, OverflowError, OSError):
            return value
    try:
        moment = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return value
    return moment.replace(tzinfo=UTC).isoformat() if moment.tzinfo is None else value


@lru_cache(maxsize=1_000)
def _compiled(path: str) -> Any:
    return jsonpath.compile(path)


@lru_cache(maxsize=1_000)
def _kinds(type_: str, name: str) -> tuple[msgspec.inspect.Type, ...]:
    for one in msgspec.structs.fields(TYPES[type_]):
        if one.name == name:
            info = msgspec.inspect.type_info(one.type)
            return info.types if isinstance(info, UnionType) else (info,)
    return ()


def _matches(found: Any, words: tuple[str, ...]) -> bool:
    values = found if isinstance(found, list) else [found]
    texts = ["" if one is None else str(_as_text(one)) for one in values]
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


def _as_date(value: Any) -> Any:
    moment = as_time(value)
    return moment[:10] if isinstance(moment, str) and moment[10:11] in ("T", " ") else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _domain(value: Any) -> Any:
    """The domain of an address or a site, None if anybody may have one there."""
    if not isinstance(value, str):
        return None
    rest = value.strip().lower().rpartition("@")[2].rpartition("://")[2]
    domain = rest.partition("/")[0].partition(":")[0].removeprefix("www.")
    return domain if "." in domain and domain not in FREE_MAIL else None
