"""Records to events, as the `imports:` of `capture.yaml` say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker.capture.ids import event_id, record_id, twins
from worker.capture.taking import why_not
from worker.core.addresses import People
from worker.core.contents import Moment
from worker.core.events import Quarantined
from worker.core.mapping import Import, Shape, event_of
from worker.core.moments import Unclear
from worker.core.picking import first, holds
from worker.core.problems import fits
from worker.core.sorting import Ignored, by_email, sort_people
from worker.importing import faults
from worker.importing.faults import Fault
from worker.importing.files import File
from worker.importing.records import Record, Spoilt

_STATES = ("account", "contact", "rep")
"""What is so since the record was changed last, if it does not say since when."""

SKIPPED = "the mapping skips it"
OF_NO_USE = "nothing in the mapping is for it"
TO_COME = "it is still to come"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a record became: events, or `faults` and what goes to quarantine, or nothing.

    `left_out` says why it is nothing. One that is `undated` should say when it was changed last,
    and does not.
    """

    events: tuple[dict[str, Any], ...] = ()
    faults: tuple[Fault, ...] = ()
    refused: Quarantined | None = None
    left_out: str | None = None
    undated: bool = False


def take(row: Record | Spoilt, file: File, now: datetime) -> Taken:
    """What a row becomes. A record of which any event has a problem is quarantined whole."""
    if isinstance(row, Spoilt):
        fault = Fault(row.problem)
        return Taken((), (fault,), faults.spoilt(row.text, row.line, file, [fault]))
    if file.mapping.skip and holds(file.mapping.skip, row.values):
        return Taken(left_out=SKIPPED)
    record = f"{file.kind}/{record_id(file.mapping.id, row.values)}"
    changed, undated = _changed(row.values, file)
    events: list[dict[str, Any]] = []
    found = [changed] if isinstance(changed, Fault) else []
    since = file.changed if isinstance(changed, Fault) else changed
    left_out = OF_NO_USE
    for shape, event in _events(row.values, record, since, file):
        if isinstance(event, Fault):
            found.append(event)
        elif isinstance(event, Ignored):
            left_out = event.reason
        elif shape.type == "interaction" and _is_ahead(event.get("time"), now):
            left_out = TO_COME
        elif bad := why_not(event, now):
            found += [faults.of_event(one, shape, row.values, file) for one in bad.problems]
        else:
            events.append(event)
    found += (*faults.cut_off(row.values, file), *map(Fault, twins(events)))
    if found:
        told = tuple(dict.fromkeys(found))  # two events of a row may lack the same
        return Taken(faults=told, refused=faults.refused(row, file, record, told))
    if not events:
        return Taken(left_out=left_out)
    return Taken(tuple(events), undated=undated and bool(file.mapping.changed))


def again(body: str, source: str, mapping: Import, people: People, now: datetime) -> Taken | None:
    """What a record in quarantine becomes now; None for a row that is no record."""
    kept = faults.kept(body, source, mapping, people)
    return kept and take(*kept, now)


def _events(
    values: Mapping[str, Any], record: str, changed: datetime, file: File
) -> Iterator[tuple[Shape, dict[str, Any] | Ignored | Fault]]:
    """The events of a record with the shapes that they come from, or why there is none."""
    for shape in file.mapping.events:
        if not shape.fits(values):
            continue
        try:
            event = _event(shape, values, changed, file)
        except Unclear as error:
            yield shape, faults.unclear(error, values, file)
            continue
        event["id"] = event_id(event, record, shape, values, changed)
        yield shape, sort_people(event, file.people) if by_email(event) else event


def _event(
    shape: Shape, values: Mapping[str, Any], changed: datetime, file: File
) -> dict[str, Any]:
    """An event without an id yet. Raises Unclear."""
    given = first(shape.time, values)
    if given is None:
        given = first(file.mapping.time, values)
    head: dict[str, Any] = {"source": file.source, "specversion": "1.0"}
    if given is not None:
        head["time"] = file.writing.as_time(given)
    elif shape.type in _STATES:
        head["time"] = changed.isoformat()
    return event_of(shape, values, head, file.writing)


def _changed(values: Mapping[str, Any], file: File) -> tuple[datetime | Fault, bool]:
    """When a record was changed last, and whether it does not say so: what is in a file that was
    written then held at that time, whenever it began to."""
    given = first(file.mapping.changed, values)
    if given is None:
        return file.changed, True
    try:
        time = file.writing.as_time(given)
    except Unclear as error:
        return faults.unclear(error, values, file), False
    if not fits(time, Moment):
        return faults.of_change(given, values, file), False
    return datetime.fromisoformat(time), False


def _is_ahead(time: Any, now: datetime) -> bool:
    try:
        return datetime.fromisoformat(time) > now
    except (ValueError, TypeError):  # no time, or one without a zone: a problem of the event
        return False
