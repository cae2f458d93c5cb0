"""Calendars to interactions: who met whom, when and for how long. Titles are not read.

Series are expanded up to a given time. What has been called off or declined says so; rooms and
resources are nobody.
"""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import IO, Any

from icalendar import Event

from worker.core.addresses import People, normal
from worker.core.sorting import Ignored, Sides, sides_of_meeting
from worker.importing.appointments import Series, series_in
from worker.importing.interactions import fit_for_id, interaction
from worker.importing.recurrence import Occurrence, Unclear, occurrences
from worker.importing.skipped import Skipped

TO_COME = "it is still to come"

_NOBODY = ("ROOM", "RESOURCE", "GROUP")
_LONGEST_MINUTES = 24 * 60
"""What lasts longer blocks days, and says nothing of how long people met."""


def read(
    content: IO[bytes], people: People, source: str, zone: tzinfo, until: datetime
) -> Iterator[dict[str, Any] | Skipped]:
    """The events of an .ics file; `zone` is for times without one, `until` that of the import.

    Ids are those of the appointments with the time that each was planned for.
    """
    for series in series_in(content):
        try:
            found = list(_of_series(series, people, source, series.zone or zone, until))
        except (Unclear, ValueError, OverflowError) as error:
            found = [Skipped(series.line, str(error), spoilt=True)]
        yield from found


def _of_series(
    series: Series, people: People, source: str, zone: tzinfo, until: datetime
) -> Iterator[dict[str, Any] | Skipped]:
    if series.problem is not None:
        yield Skipped(series.line, f"it cannot be read: {series.problem}", spoilt=True)
        return
    useless = [
        sides for one in series.events if isinstance(sides := _sides(one, people)[0], Ignored)
    ]
    if len(useless) == len(series.events):  # without looking at how often
        yield Skipped(series.line, useless[0].reason)
        return
    none = True
    for one in occurrences(series.events, zone, until):
        none = False
        yield _event(series, one, people, source)
    if none:
        yield Skipped(series.line, TO_COME)


def _event(
    series: Series, one: Occurrence, people: People, source: str
) -> dict[str, Any] | Skipped:
    sides, status = _sides(one.event, people)
    if isinstance(sides, Ignored):
        return Skipped(series.line, sides.reason)
    if series.cancelled or str(one.event.get("STATUS", "")).upper() == "CANCELLED":
        status = "cancelled"
    name = series.uid or " ".join(sorted([*sides.reps, *sides.contacts]))
    return interaction(
        fit_for_id(f"{name}/{one.planned.isoformat()}"),
        source,
        one.start,
        sides,
        people,
        channel="meeting",
        status=status,
        duration_minutes=None if one.whole_day else _minutes(one.event),
    )


def _sides(event: Event, people: People) -> tuple[Sides | Ignored, str | None]:
    """Who takes part, and its status: declined if it is no meeting without those who have."""
    invited = _invited(event)
    attending = [address for address, declined in invited.items() if not declined]
    sides = sides_of_meeting(attending, people)
    if isinstance(sides, Sides):
        return sides, None
    return sides_of_meeting(list(invited), people), "declined"


def _invited(event: Event) -> dict[str, bool]:
    """The addresses of those invited, and of who invites them, and whether they have declined."""
    found = {}
    for one in [*_all(event, "ORGANIZER"), *_all(event, "ATTENDEE")]:
        said = getattr(one, "params", {})
        address = normal(str(said.get("EMAIL", ""))) or normal(str(one))
        if address is None or str(said.get("CUTYPE", "")).upper() in _NOBODY:
            continue
        if str(said.get("ROLE", "")).upper() != "NON-PARTICIPANT":
            found[address] = str(said.get("PARTSTAT", "")).upper() == "DECLINED"
    return found


def _all(event: Event, name: str) -> list[Any]:
    found = event.get(name, [])
    return found if isinstance(found, list) else [found]


def _minutes(event: Event) -> float | None:
    """How long it lasts, None if it does not say so, or longer than a day."""
    try:
        seconds = event.duration.total_seconds()
    except (ValueError, TypeError, AttributeError):  # it has neither an end nor a duration
        return None
    minutes = seconds / 60
    return minutes if 0 < minutes <= _LONGEST_MINUTES else None
