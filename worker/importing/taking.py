"""Records to events, as the `imports:` of `capture.yaml` say.

Ids come from the records, so that a file which is taken in twice counts once. What can be said
anew (an account's name, a ticket's state) has a digest of what is said in its id besides: the same
record in a later export is another event then, not one that contradicts the first.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from worker.capture.digests import digest_of
from worker.capture.taking import why_not
from worker.core.addresses import NO_PEOPLE, People
from worker.core.events import Quarantined
from worker.core.mapping import Import, Shape, Value, event_of, first, holds, plain
from worker.core.moments import Unclear, Writing
from worker.core.problems import as_json
from worker.core.sorting import Ignored, by_email, sort_people
from worker.importing.records import Record, Spoilt
from worker.zones import zone

WAY = "imports/"
"""With the mapping's name: the way in of a record."""

_STATES = ("account", "contact", "rep")
"""What holds at the time of the export, if the record does not say since when."""

_ONCE = ("interaction", "usage", "survey")
"""What happens once, and is not said anew."""

SKIPPED = "the mapping skips it"
OF_NO_USE = "nothing in the mapping is for it"
TO_COME = "it is still to come"

_FIELD = re.compile(r"'(\w+)'")
_LONGEST_ID = 200
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class File:
    """A file that is taken in: its mapping, the source of its events, how its times are written.

    `columns` are the names as written by plain name, `changed` is when it was last written to.
    """

    name: str
    mapping: Import
    source: str
    writing: Writing
    changed: datetime
    columns: Mapping[str, str] = field(default_factory=dict)
    numbered: bool = False
    people: People = NO_PEOPLE

    @property
    def kind(self) -> str:
        """What it is: the name of its mapping."""
        return self.mapping.name

    def place(self, line: int, column: str | None = None) -> str:
        """Where something stands, as editors link it."""
        at = f"{self.name}, record {line}" if self.numbered else f"{self.name}:{line}"
        return f"{at}:{column}" if column else at


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem of a record, with the column that it is in, if it is in one.

    One that `asks` is none of the record's: an option of the command would settle it for all.
    """

    problem: str
    column: str | None = None
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What a record became: events, or `faults` and what goes to quarantine, or nothing.

    `left_out` says why it is nothing.
    """

    events: tuple[dict[str, Any], ...] = ()
    faults: tuple[Fault, ...] = ()
    refused: Quarantined | None = None
    left_out: str | None = None


def take(row: Record | Spoilt, file: File, now: datetime) -> Taken:
    """What a row becomes. A record of which any event has a problem is quarantined whole."""
    if isinstance(row, Spoilt):
        fault = Fault(row.problem)
        return Taken(faults=(fault,), refused=_refused(row.text, row.line, file, None, (fault,)))
    values, mapping = row.values, file.mapping
    if mapping.skip and holds(mapping.skip, values):
        return Taken(left_out=SKIPPED)
    id_ = _id(values, mapping)
    events: list[dict[str, Any]] = []
    faults: list[Fault] = []
    left_out = OF_NO_USE
    for place, shape in enumerate(mapping.events):
        if not shape.fits(values):
            continue
        try:
            event = _event(shape, values, f"{mapping.name}/{id_}/{place}", file)
        except Unclear as error:
            faults.append(Fault(str(error), _holding(error.value, values, file), asks=True))
            continue
        if by_email(event):
            sorted_ = sort_people(event, file.people)
            if isinstance(sorted_, Ignored):
                left_out = sorted_.reason
                continue
            event = sorted_
        if shape.type == "interaction" and _is_ahead(event.get("time"), now):
            left_out = TO_COME
        elif bad := why_not(event, now):
            faults += [_fault(one, shape, values, file) for one in bad.problems]
        else:
            events.append(event)
    if faults:
        told = tuple(dict.fromkeys(faults))  # two events of a row may lack the same
        return Taken(faults=told, refused=_refused(_body(row, file), row.line, file, id_, told))
    return Taken(tuple(events), left_out=None if events else left_out)


def again(body: str, source: str, mapping: Import, people: People, now: datetime) -> Taken | None:
    """What a record in quarantine becomes now; None for a row that is no record."""
    try:
        kept = json.loads(body)
        given = kept["record"]
        file = File(
            kept["file"],
            mapping,
            source,
            Writing(zone(kept["timezone"]) if kept["timezone"] else None, kept["day_first"]),
            datetime.fromisoformat(kept["changed"]),
            {plain(name): name for name in given},
            kept["numbered"],
            people,
        )
        row = Record(kept["line"], {plain(name): value for name, value in given.items()})
    except (ValueError, TypeError, LookupError, AttributeError):
        return None
    return take(row, file, now)


def _event(shape: Shape, values: Mapping[str, Any], id_: str, file: File) -> dict[str, Any]:
    given = first(shape.time, values)
    if given is None:
        given = first(file.mapping.time, values)
    head: dict[str, Any] = {"source": file.source, "specversion": "1.0"}
    if given is not None:
        head["time"] = file.writing.as_time(given)
    elif shape.type in _STATES:
        head["time"] = file.changed.isoformat()
    event = event_of(shape, values, {"id": id_, **head}, file.writing)
    if shape.type not in _ONCE:
        event["id"] = f"{id_}/{digest_of(event)[:_DIGITS]}"
    return event


def _id(values: Mapping[str, Any], mapping: Import) -> str:
    """The record's own id; of one without, what is in it, so that the same again is the same."""
    given = first(mapping.id, values)
    if isinstance(given, str | int) and 0 < len(str(given)) <= _LONGEST_ID:
        return str(given)
    return digest_of(values if given is None else given)[: 2 * _DIGITS]


def _is_ahead(time: Any, now: datetime) -> bool:
    try:
        return datetime.fromisoformat(time) > now
    except (ValueError, TypeError):  # no time, or one without a zone: a problem of the event
        return False


def _fault(problem: str, shape: Shape, values: Mapping[str, Any], file: File) -> Fault:
    """A problem of an event with the column that the field came from which it begins with."""
    named = _FIELD.match(problem)
    name = named[1] if named else ""
    ways = shape.fields.get(name, ())
    if name == "time":
        ways = (*shape.time, *file.mapping.time)
    elif name in ("subject", "tiewatchmember"):
        ways = (*shape.subject, *shape.member)
    return Fault(problem, _from(ways, values, file))


def _from(ways: Value, values: Mapping[str, Any], file: File) -> str | None:
    """The column, as written, of the way that led to a value; else the first that the file has."""
    led = [pick for pick in ways if pick.of(values) is not None]
    for pick in (*led, *ways):
        if pick.column is not None and pick.column in file.columns:
            return file.columns[pick.column]
    return None


def _holding(value: Any, values: Mapping[str, Any], file: File) -> str | None:
    """The column with this value that the mapping reads."""
    found = (name for name in file.mapping.read if values.get(name) == value)
    return next((file.columns[name] for name in sorted(found) if name in file.columns), None)


def _body(row: Record, file: File) -> str:
    """What is kept of a record, to map it anew: the columns that are read, and no others."""
    wanted = file.mapping.read & row.values.keys()
    zone_name = None if file.writing.zone is None else str(file.writing.zone)
    return as_json(
        {
            "file": file.name,
            "line": row.line,
            "numbered": file.numbered,
            "timezone": zone_name,
            "day_first": file.writing.day_first,
            "changed": file.changed.isoformat(),
            "record": {file.columns.get(name, name): row.values[name] for name in sorted(wanted)},
        }
    )


def _refused(
    body: str, line: int, file: File, id_: str | None, faults: Sequence[Fault]
) -> Quarantined:
    problems = tuple(f'{one.problem} (in "{file.place(line, one.column)}")' for one in faults)
    shown = None if id_ is None else f"{file.mapping.name}/{id_}"
    return Quarantined(file.source, shown, problems, body, f"{WAY}{file.mapping.name}")
