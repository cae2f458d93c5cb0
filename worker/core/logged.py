"""Reads events back from the log: they were checked when they came in, so that one typed decoding
is enough. A log is read by the million."""

import json
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, Struct

from worker.core.contents import TYPES, Account, Content
from worker.core.events import ANY_ACCOUNT, Event, parse
from worker.core.sorting import BY_EMAIL, NAMING

UNREAD = Account()
"""Stands for content that has not been read: it names nobody and says nothing."""


class Envelope(Struct):
    """What an event of the log says but for its content."""

    source: str
    id: str
    type: str
    subject: str | None = None
    tiewatchalias: str | None = None
    tiewatchmember: Any = UNSET
    tiewatchpeople: Any = None

    @property
    def leaves_it_to_members(self) -> bool:
        """Whether it is of the account that the member belongs to whom it names."""
        return self.tiewatchmember is not UNSET and not self.subject

    @property
    def names_by_email(self) -> bool:
        """Whether it is to be read by its people's addresses."""
        return (
            self.tiewatchpeople == BY_EMAIL and self.tiewatchmember is UNSET and self.type in NAMING
        )

    def event(self, body: str, moment: datetime, account: str | None, data: Content) -> Event:
        """The event with this content at that time (UTC), as one of this account."""
        of = None if self.type == "rep" else account
        day, alias = moment.toordinal(), self.tiewatchalias
        return Event(self.source, self.id, self.type, moment, day, of, data, body, alias)


_Data = TypeVar("_Data")


class _Whole(Envelope, Generic[_Data], kw_only=True):
    data: _Data


_envelope = msgspec.json.Decoder(Envelope).decode
_whole = {name: msgspec.json.Decoder(_Whole[kind]).decode for name, kind in TYPES.items()}  # type: ignore[valid-type]


def read(body: str, type_: str, moment: datetime) -> tuple[Envelope, Content]:
    """An event of that type and time, as the log has it."""
    try:
        whole = _whole[type_](body)
    except msgspec.DecodeError:  # 3.0 for a whole number, half a surrogate pair in an unread key
        raw = json.loads(body)
        event = parse(raw, moment, ANY_ACCOUNT)
        assert isinstance(event, Event), f"in the log, and yet {event}"
        return msgspec.convert(raw, Envelope), event.data
    return whole, whole.data


def envelope_of(body: str) -> Envelope:
    """The envelope of an event, as the log has it."""
    try:
        return _envelope(body)
    except msgspec.DecodeError:
        return msgspec.convert(json.loads(body), Envelope)
