"""When the appointments of a series take place: rules, exceptions, and what was moved.

Rules are followed on the clock on the wall, and the time zone is put to what comes out: a meeting
at nine stays at nine when the clocks change.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, tzinfo
from itertools import islice
from typing import Any, NamedTuple

from dateutil.rrule import rruleset, rrulestr
from icalendar import Event, vDDDLists, vDDDTypes, vRecur

MOST = 5_000
"""Occurrences of one series that are looked at: daily for more than thirteen years."""

_TOO_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")


class Occurrence(NamedTuple):
    """One time that it takes place; `event` says who takes part.

    `planned` is the time that the series has for it, in UTC, which tells it from the others even
    if it was moved.
    """

    planned: datetime
    start: datetime
    event: Event
    whole_day: bool


class Unclear(Exception):
    """A series whose times cannot be told; the message says why."""


def occurrences(events: list[Event], zone: tzinfo, until: datetime) -> Iterator[Occurrence]:
    """The occurrences of a series that begin by `until`, in order; `zone` is for times without one.

    Raises Unclear.
    """
    moved = {
        _aware(_value(one, "RECURRENCE-ID"), zone).astimezone(UTC): one
        for one in events
        if "RECURRENCE-ID" in one
    }
    for master in events:
        if "RECURRENCE-ID" in master:
            continue
        for start in _starts(master, zone, until):
            planned = start.astimezone(UTC)
            if planned not in moved:
                yield Occurrence(planned, start, master, _is_day(master))
    for planned, one in moved.items():
        start = _aware(_value(one, "DTSTART"), zone)
        if start <= until:
            yield Occurrence(planned, start, one, _is_day(one))


def _starts(master: Event, zone: tzinfo, until: datetime) -> Iterator[datetime]:
    begin = _value(master, "DTSTART")
    first = _aware(begin, zone)
    if first > until:
        return
    if "RRULE" not in master and "RDATE" not in master:
        yield first
        return
    own = first.tzinfo or zone
    limit = until.astimezone(own).replace(tzinfo=None)
    times = rruleset()
    times.rdate(_wall(begin, own))
    for rule in _all(master, "RRULE"):
        for wall in _ruled(rule, _wall(begin, own), own, limit):
            times.rdate(wall)
    for one in _listed(master, "RDATE"):
        times.rdate(_wall(one, own))
    for one in _listed(master, "EXDATE"):
        times.exdate(_wall(one, own))
    for number, wall in enumerate(islice(times, MOST + 1)):
        if number == MOST:
            raise Unclear(f"it takes place more than {MOST:,} times")
        start = wall.replace(tzinfo=own)
        if start > until:
            return
        yield start


def _ruled(rule: object, begin: datetime, zone: tzinfo, limit: datetime) -> Iterator[datetime]:
    """The times of a rule up to the limit at the latest, on the wall's clock."""
    if not isinstance(rule, vRecur):
        raise Unclear("its RRULE cannot be read")
    said = {name: value if isinstance(value, list) else [value] for name, value in rule.items()}
    if str(said.get("FREQ", [""])[0]).upper() in _TOO_OFTEN:
        raise Unclear("it takes place several times a day")
    if any(int(one) < 1 for one in said.get("INTERVAL", [])):
        raise Unclear("its INTERVAL is not positive")
    ends = [_wall(one, zone, time.max) for one in _dates(said.pop("UNTIL", []))]
    number = min([MOST + 1, *said.pop("COUNT", [])])
    parts = ";".join(f"{name}={','.join(map(str, value))}" for name, value in said.items())
    try:
        ruled = rrulestr(parts, dtstart=begin).replace(until=min([*ends, limit]))
    except (ValueError, TypeError, AttributeError) as error:
        raise Unclear(f"its rule cannot be followed: {error}") from error
    return islice(ruled, number)


def _dates(given: list[object]) -> Iterator[date]:
    for one in given:
        if not isinstance(one, date):
            raise Unclear("its UNTIL is no date")
        yield one


def _all(event: Event, name: str) -> list[Any]:
    found = event.get(name, [])
    return found if isinstance(found, list) else [found]


def _listed(event: Event, name: str) -> list[date]:
    """The dates or times of a list; of periods, when they begin."""
    found: list[date] = []
    for one in _all(event, name):
        if not isinstance(one, vDDDLists):
            raise Unclear(f"its {name} cannot be read")
        for each in one.dts:
            value = each.dt[0] if isinstance(each.dt, tuple) else each.dt
            if not isinstance(value, date):
                raise Unclear(f"its {name} cannot be read")
            found.append(value)
    return found


def _value(event: Event, name: str) -> date:
    """A date or time of an event."""
    if name not in event:
        raise Unclear(f"it has no {name}")
    given = event[name]
    found = given.dt if isinstance(given, vDDDTypes) else None
    if not isinstance(found, date):
        raise Unclear(f"its {name} cannot be read")
    return found


def _is_day(event: Event) -> bool:
    return not isinstance(_value(event, "DTSTART"), datetime)


def _aware(value: date, zone: tzinfo) -> datetime:
    """The time, that of a day without one its beginning in UTC."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    return value if value.tzinfo else value.replace(tzinfo=zone)


def _wall(value: date, zone: tzinfo, of_day: time = time()) -> datetime:
    """What the clock on the wall shows in the zone at this time; of a day, at the time given."""
    if not isinstance(value, datetime):
        return datetime.combine(value, of_day)
    return value.astimezone(zone).replace(tzinfo=None) if value.tzinfo else value
