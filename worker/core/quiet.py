"""Quiet times: when people are not to be disturbed, by their own clocks.

A quiet time begins and ends at an instant, found once for each local day. So a clock that is turned
back neither breaks a quiet night nor makes one twice, and one that is turned forward ends it on
time, even where the hour of its end does not exist.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class QuietTimes:
    """Local hours of each day, and whole local days, in which nobody is told anything.

    `hours` is from and to, over midnight if the first is the later one, None for none. `days` are
    weekdays, 0 for Monday, at most six of them.
    """

    hours: tuple[time, time] | None = None
    days: tuple[int, ...] = ()


def instant(day: date, at: time, zone: tzinfo, *, last: bool = False) -> datetime:
    """When it is `at` o'clock on a day in the zone, in UTC.

    A time that the clocks skip is the moment of the skip; of one that they show twice it is the
    first, or the `last`.
    """
    local = datetime.combine(day, at)
    found = local.replace(tzinfo=zone, fold=int(last)).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local:
        return found
    before, after = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    while after - before > _SECOND:
        middle = before + (after - before) / 2
        if middle.astimezone(zone).replace(tzinfo=None) < local:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def released(at: datetime, quiet: QuietTimes, zone: tzinfo) -> datetime:
    """The first moment that is not quiet, `at` or later, in UTC."""
    free = at.astimezone(UTC)
    while ends := [end for start, end in _around(free, quiet, zone) if start <= free < end]:
        free = max(ends)
    return free


def next_morning(
    at: datetime, hour: time, quiet: QuietTimes, zone: tzinfo
) -> tuple[date, datetime]:
    """The next local day on which it will be `hour` outside of quiet times, and when, in UTC.

    It is today if it is just that hour, or not yet. There is one such moment a local day at most.
    """
    day = at.astimezone(zone).date()
    while True:
        morning = instant(day, hour, zone)
        free = released(morning, quiet, zone)
        if morning >= at and free.astimezone(zone).date() == day:
            return day, free
        day += _DAY


def _around(at: datetime, quiet: QuietTimes, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
    """The quiet times that may hold at a moment: beginning, and end, which is not quiet."""
    today = at.astimezone(zone).date()
    for day in (today - _DAY, today, today + _DAY):
        if day.weekday() in quiet.days:
            yield instant(day, time(), zone), instant(day + _DAY, time(), zone)
        if quiet.hours:
            start, end = quiet.hours
            last_day = day if start < end else day + _DAY
            yield instant(day, start, zone), instant(last_day, end, zone, last=True)
