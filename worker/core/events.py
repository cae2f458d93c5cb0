"""Events: from a CloudEvents envelope to a typed event, or to every problem it has.

A good event takes one typed conversion. Only an event that fails it is looked at field by field,
so that its sender reads all of its problems at once instead of one an attempt.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct

from worker.core.contents import TYPES, Content, EventId, Id, Moment
from worker.core.contradictions import CHECKED, contradictions
from worker.core.problems import (
    as_json,
    field_problems,
    fits,
    json_problem,
    quoted,
    storable,
    whole,
)

MAX_AHEAD = timedelta(hours=24)
"""How far an event's time may lie ahead of its receipt (clocks differ)."""

MAX_BYTES = 262_144
"""The largest event kept, as JSON; an event is about a fact that happened, not its content."""

AS_EVENT = "events"
"""The way in of what came as an event."""

MEMBER = "tiewatchmember"
"""The extension attribute that names one of the sender's users, whose account the event is of."""

ALIAS = "tiewatchalias"
"""The extension attribute of a contact event that names another id of the same person."""

UNDATED = "tiewatchundated"
"""The extension attribute of an event whose time is that of its receipt, for want of another: sent
again it is another time's, and the same event all the same."""

ANY_ACCOUNT = "?"
"""Stands for the account while an event is checked of which it is to be found."""

_UNREADABLE = "a key in it holds half of a surrogate pair, or it is nested too deeply"
_TOO_FINE = re.compile(r"(\.\d{6})\d+")


class _Envelope(Struct):
    id: EventId
    source: EventId
    type: str
    time: Moment
    data: dict[str, Any]
    subject: Id | None = None
    specversion: Literal["1.0"] | None = None
    tiewatchalias: Id | None = None


class Event(Struct, frozen=True):
    """A valid event. `time` is UTC and `day` its date's ordinal; `account` is None for a rep.

    `body` is the whole envelope as JSON, unknown keys included, for the log; `alias` is another id
    of the contact that it is about.
    """

    source: str
    id: str
    type: str
    time: datetime
    day: int
    account: str | None
    data: Content
    body: str
    alias: str | None = None

    @property
    def at(self) -> int:
        """Its time in microseconds since 1970, exactly."""
        return (self.time - _EPOCH) // timedelta(microseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An event that cannot be applied, with every reason; `body` is kept whole for later.

    `way` says how it came in: as an event, or as another's message that was to become one.
    """

    source: str | None
    id: str | None
    problems: tuple[str, ...]
    body: str
    way: str = AS_EVENT

    def __str__(self) -> str:
        """As an error says it: `quarantined crm/4711: 'direction' is missing: ...`."""
        name = f"{self.source or '?'}/{self.id or '?'}"
        return f"quarantined {name}: {'; '.join(self.problems)}"


def parse(raw: object, received: datetime, account: str | None = None) -> Event | Quarantined:
    """One event of a batch, typed and checked, or everything that is wrong with it.

    `raw` is decoded JSON; text stands for something that was not JSON to begin with. `received`
    is the time of receipt, against which an event's own time is checked. `account` is whose it is
    if the event leaves that to others, in place of its subject.
    """
    try:
        envelope = msgspec.convert(raw, _Envelope)
        data = _content_of(envelope)
        time = _instant(envelope.time, raw)
        body = _body(raw)
    except (msgspec.ValidationError, KeyError, ValueError, OverflowError, RecursionError):
        return _quarantined(raw, received, account)
    account = None if envelope.type == "rep" else account or envelope.subject
    # A cheap look first: what it flags may still be fine, and is then only looked at again.
    suspect = (
        time - received > MAX_AHEAD
        or len(body) > MAX_BYTES // 4
        or "\\u0000" in body
        or "\\ud" in body
        or (account is None and envelope.type != "rep")
        or (isinstance(data, CHECKED) and any(contradictions(data)))
    )
    if suspect and _problems(raw, received, account):
        return _quarantined(raw, received, account)
    return Event(
        envelope.source,
        envelope.id,
        envelope.type,
        time,
        time.toordinal(),
        account,
        data,
        body,
        envelope.tiewatchalias,
    )


def _instant(time: datetime, raw: Any) -> datetime:
    """The time in UTC. What is finer than a microsecond is cut off.

    It would else be rounded, at the end of a day into the next one.
    """
    if not time.microsecond and "." in raw["time"]:
        time = msgspec.convert(_TOO_FINE.sub(r"\1", raw["time"]), Moment)
    return time.astimezone(UTC)


def _content_of(envelope: _Envelope) -> Content:
    kind = TYPES[envelope.type]
    try:
        return msgspec.convert(envelope.data, kind)
    except msgspec.ValidationError:
        return msgspec.convert({k: whole(value) for k, value in envelope.data.items()}, kind)


def _body(raw: object) -> str:
    try:
        return msgspec.json.encode(raw).decode()
    except UnicodeEncodeError:  # half a surrogate pair, which only the escaped form can hold
        return json.dumps(raw)


def same_content(one: str, other: str) -> bool:
    """Whether two bodies under one (source, id) are one event sent twice.

    Only what tiewatch reads decides: senders add trace ids and the like to a second attempt.
    """
    return _content(one) == _content(other)


def _content(body: str) -> tuple[object, ...]:
    event = json.loads(body)
    time = None if UNDATED in event else msgspec.convert(event["time"], Moment)
    # Whose account a member's event went to was not the sender's choice, and may change.
    of = event.get(MEMBER, event.get("subject"))
    return event["type"], time, of, event.get(ALIAS), event["data"]


def _quarantined(raw: object, received: datetime, account: str | None) -> Quarantined:
    known = raw if isinstance(raw, dict) else {}
    source, id_ = known.get("source"), known.get("id")
    return Quarantined(
        source=_name(source),
        id=_name(id_),
        problems=tuple(_problems(raw, received, account)) or (_UNREADABLE,),
        body=raw if isinstance(raw, str) else as_json(raw),
    )


def _name(value: object) -> str | None:
    """An id fit to be shown and stored, however broken the event."""
    if not isinstance(value, str | int | float):
        return None
    return storable(str(value)[:300])


def _problems(raw: object, received: datetime, account: str | None) -> list[str]:
    if isinstance(raw, str):
        return [json_problem(raw)]
    if not isinstance(raw, dict):
        return [f"an event is a JSON object, not {quoted(raw)}"]
    found = list(field_problems(raw, _Envelope))
    if isinstance(raw.get("type"), str) and raw["type"] not in TYPES:
        found.append(f"unknown type {quoted(raw['type'])}: it must be one of {', '.join(TYPES)}")
    if raw.get("type") != "rep" and raw.get("subject") is None and account is None:
        found.append("'subject' is missing: it says which account the event belongs to")
    found += _time_problems(raw.get("time"), received)
    kind = TYPES.get(raw["type"]) if isinstance(raw.get("type"), str) else None
    if kind is not None and isinstance(raw.get("data"), dict):
        found += field_problems(raw["data"], kind)
        found += contradictions(_lenient(raw["data"], kind))
    size = len(as_json(raw))
    if size > MAX_BYTES:
        found.append(f"the event is {size:,} bytes long; the limit is {MAX_BYTES:,}")
    return found


def _time_problems(value: object, received: datetime) -> Iterator[str]:
    try:
        time = msgspec.convert(value, Moment)
        ahead = time.astimezone(UTC) - received
    except (msgspec.ValidationError, UnicodeError):
        return
    except OverflowError:
        yield f"'time' {quoted(value)} is outside the calendar"
        return
    if ahead > MAX_AHEAD:
        yield f"'time' {quoted(value)} is more than 24 hours ahead of its receipt"


def _lenient(given: dict[str, Any], kind: type[Content]) -> Content:
    """The content with what does not fit left out, so that the rest can still be checked."""
    fitting = {
        field.name: given[field.name]
        for field in msgspec.structs.fields(kind)
        if field.name in given and fits(given[field.name], field.type)
    }
    blank: dict[str, Any] = {f.name: UNSET for f in msgspec.structs.fields(kind) if f.required}
    return kind(**(blank | fitting))
