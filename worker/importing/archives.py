"""Mail archives and calendars as files that are taken in, beside those with a record a row."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import IO, Any

from worker.core.addresses import People
from worker.importing import calendar, mail
from worker.importing.records import Unreadable
from worker.importing.skipped import Skipped
from worker.importing.texts import TROUBLE, opened

MAIL, CALENDAR = "mail", "calendar"
KINDS = (MAIL, CALENDAR)

_SUFFIXES = {".mbox": MAIL, ".mbx": MAIL, ".eml": MAIL, ".ics": CALENDAR, ".ical": CALENDAR}
_OF_RECORDS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson")
_BEGINNINGS = {b"From ": MAIL, b"BEGIN:VCALENDAR": CALENDAR}
_WORDS = {MAIL: "message", CALENDAR: "appointment"}


@dataclass(frozen=True, slots=True)
class Archive:
    """A mailbox or calendar that is taken in; `zone` is for times of appointments without one."""

    name: str
    kind: str
    source: str
    people: People
    zone: tzinfo = UTC

    def place(self, number: int, column: str | None = None) -> str:
        """Where something stands in it: its messages and appointments are counted."""
        return f"{self.name}, {_WORDS[self.kind]} {number}"


def kind_of(path: Path) -> str | None:
    """Whether a file is a mail archive or a calendar, by its name or how it begins; else None."""
    name = path.with_suffix("") if path.suffix == ".gz" else path
    suffix = name.suffix.lower()
    if suffix in _SUFFIXES or suffix in _OF_RECORDS:  # whose first column may be "From date"
        return _SUFFIXES.get(suffix)
    with ExitStack() as held:
        try:
            begin = opened(path, held)[0].read(max(map(len, _BEGINNINGS)))
        except (Unreadable, *TROUBLE):  # told where it is read
            return None
    return next((kind for start, kind in _BEGINNINGS.items() if begin.startswith(start)), None)


def plan(name: str, kind: str, source: str | None, people: People, zone: tzinfo | None) -> Archive:
    """The archive that is to be taken in.

    Raises Unreadable, also where nobody could be known to be ours.
    """
    with ExitStack() as held:
        opened(Path(name), held)
    if not people.internal:
        raise Unreadable(
            "who in it is one of yours cannot be known. Name your domains under 'people:' "
            "in capture.yaml, as 'internal domains: [example.com]' (docs/identity.md)"
        )
    return Archive(name, kind, source or kind, people, zone or UTC)


def read(
    archive: Archive, now: datetime, advance: Callable[[int], None]
) -> Iterator[dict[str, Any] | Skipped]:
    """What each message or appointment becomes; `advance` hears of bytes that were read.

    Raises Unreadable where a compressed file breaks off.
    """
    before = 0
    with ExitStack() as held:
        content, raw = opened(Path(archive.name), held)
        try:
            for one in _read(content, archive, now):
                yield one
                if (done := raw.tell()) != before:
                    advance(done - before)
                    before = done
        except TROUBLE as error:
            raise Unreadable(f"{archive.name}: breaks off: {error}") from error


def _read(
    content: IO[bytes], archive: Archive, now: datetime
) -> Iterator[dict[str, Any] | Skipped]:
    if archive.kind == MAIL:
        return mail.read(content, archive.people, archive.source)
    return calendar.read(content, archive.people, archive.source, archive.zone, now)
