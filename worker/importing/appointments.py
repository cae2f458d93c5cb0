"""The appointments of an iCalendar file (RFC 5545): those of one series together, without content.

Only the properties that say who, when and how often are kept, so that nothing else can be in the
way of reading them, and no title or description is looked at. Each series is read by itself: one
that cannot be is no reason to do without the others.
"""

import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import IO
from zoneinfo import ZoneInfo

from icalendar import Calendar, Component, Event
from icalendar.timezone import tzp

KEPT = frozenset(
    {
        *("UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"),
        *("STATUS", "ATTENDEE", "ORGANIZER"),
    }
)
_LONGEST_LINE = 65_536

# What the library raises for a malformed file is not written down: these are what it has raised.
_TROUBLE = (ValueError, TypeError, LookupError, AttributeError, OverflowError)


@dataclass(slots=True)
class Series:
    """The appointments with one UID, and the line at which the first of them begins.

    `zone` is that of the calendar, if it names one, `cancelled` says that it calls them off.
    `problem` says why they could not be read.
    """

    line: int
    uid: str
    events: list[Event] = field(default_factory=list)
    zone: tzinfo | None = None
    cancelled: bool = False
    problem: str | None = None


@dataclass(slots=True)
class _Block:
    line: int
    uid: str = ""
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Calendar:
    """What has been read of a calendar so far."""

    blocks: dict[str, list[_Block]] = field(default_factory=lambda: defaultdict(list))
    zones: list[str] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)


def series_in(content: IO[bytes]) -> Iterator[Series]:
    """The series of each calendar of a file. One without a UID is a series by itself."""
    calendar, inside, block = _Calendar(), list[str](), _Block(0)
    for line, text in _logical_lines(content):
        name, value = _name(text), text.partition(":")[2].strip()
        if name == "BEGIN":
            inside.append(value.upper())
            if inside[-1] == "VEVENT":
                block = _Block(line)
        if "VTIMEZONE" in inside:
            calendar.zones.append(text)
        elif inside[-1:] == ["VEVENT"] and name in KEPT:  # and not of an alarm in it
            block.lines.append(text)
            block.uid = value if name == "UID" else block.uid
        elif name in ("X-WR-TIMEZONE", "METHOD"):
            calendar.said[name] = value
        if name == "END" and inside:
            ended = inside.pop()
            if ended == "VEVENT":
                calendar.blocks[block.uid or f"\n{line}"].append(block)
            elif ended == "VCALENDAR":
                yield from _read(calendar)
                calendar = _Calendar()
    yield from _read(calendar)


def _logical_lines(content: IO[bytes]) -> Iterator[tuple[int, str]]:
    """Lines with those that continue them, and where each begins."""
    begun, text = 0, ""
    for number, raw in enumerate(content, 1):
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if number == 1:
            line = line.removeprefix("\ufeff")
        if line[:1] in (" ", "\t") and begun:
            if len(text) < _LONGEST_LINE:
                text += line[1:]
            continue
        if text:
            yield begun, text
        begun, text = number, line[:_LONGEST_LINE]
    if text:
        yield begun, text


def _name(text: str) -> str:
    return text.partition(":")[0].partition(";")[0].strip().upper()


def _read(calendar: _Calendar) -> Iterator[Series]:
    tzp.use_default()  # and forget the zones of the calendar before, which may have the same names
    zones = "\r\n".join(calendar.zones)
    if zones:
        _learn(zones)
    zone = _zone(calendar.said.get("X-WR-TIMEZONE", ""))
    cancelled = calendar.said.get("METHOD", "").upper() == "CANCEL"
    for blocks in calendar.blocks.values():
        series = Series(blocks[0].line, blocks[0].uid, zone=zone, cancelled=cancelled)
        try:
            for block in blocks:
                series.events += _events_of(block)
        except _TROUBLE as error:
            series.problem = str(error).strip() or type(error).__name__
        yield series


def _events_of(block: _Block) -> list[Event]:
    text = "\r\n".join(["BEGIN:VEVENT", *block.lines, "END:VEVENT"])
    return [one for one in _calendar(text).walk("VEVENT") if isinstance(one, Event)]


def _learn(zones: str) -> None:
    """Have the library know these zones. One that it cannot read is as if it were not there."""
    try:
        _calendar(zones)
    except _TROUBLE:
        return


def _calendar(text: str) -> Component:
    with warnings.catch_warnings():  # of names of zones that it has to guess
        warnings.simplefilter("ignore")
        return Calendar.from_ical(f"BEGIN:VCALENDAR\r\n{text}\r\nEND:VCALENDAR\r\n".encode())


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, LookupError):
        return None
