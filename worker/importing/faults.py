"""What is wrong with a record, where that stands, and what is kept of it in quarantine."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker.core.addresses import People
from worker.core.contents import Moment
from worker.core.events import Quarantined
from worker.core.mapping import Import, Shape, plain
from worker.core.moments import Unclear, Writing
from worker.core.picking import Value
from worker.core.problems import as_json, expected, quoted
from worker.importing.files import File
from worker.importing.records import Record
from worker.zones import zone

WAY = "imports/"
"""With the mapping's name: the way in of a record."""

_CUT_OFF = re.compile(r"\d(?:[.,]\d+)?E\+(?:1[1-9]|[2-9]\d)")
"""How spreadsheets show numbers of twelve digits and more, which ids have, and save them."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem of a record, with the column that it is in, if it is in one.

    One that `asks` is none of the record's: an option of the command would settle it for all.
    """

    problem: str
    column: str | None = None
    asks: bool = False


def of_event(problem: str, shape: Shape, values: Mapping[str, Any], file: File) -> Fault:
    """A problem of an event, with the column that the field came from which it begins with."""
    name = problem[1:].partition("'")[0] if problem.startswith("'") else ""
    if name == "time":
        ways = (*shape.time, *file.mapping.time, *file.mapping.changed)
    elif name in ("subject", "tiewatchmember"):
        ways = (*shape.subject, *shape.member)
    else:
        ways = shape.fields.get(name, ())
    return Fault(problem, _column(ways, values, file))


def of_change(given: Any, values: Mapping[str, Any], file: File) -> Fault:
    """What should say when the record was changed, and is no time."""
    problem = f"'changed' must be {expected(Moment)}, not {quoted(given)}"
    return Fault(problem, _column(file.mapping.changed, values, file))


def unclear(error: Unclear, values: Mapping[str, Any], file: File) -> Fault:
    """A time that can be read in two ways, with the column that it is in."""
    having = sorted(name for name in file.mapping.read if values.get(name) == error.value)
    column = next((file.columns[name] for name in having if name in file.columns), None)
    return Fault(str(error), column, asks=True)


def cut_off(values: Mapping[str, Any], file: File) -> Iterator[Fault]:
    """Numbers in columns that are read which a spreadsheet has shortened: ids of several records
    are the same then."""
    for name, value in values.items():
        short = isinstance(value, str) and "E+" in value and _CUT_OFF.fullmatch(value)
        if short and name in file.mapping.read:
            problem = (
                f"{quoted(value)} is what a spreadsheet leaves of a long number: take in the file "
                "as it was exported, or give the column the format of text there first"
            )
            yield Fault(problem, file.columns.get(name))


def refused(row: Record, file: File, id_: str, faults: Sequence[Fault]) -> Quarantined:
    """A record with problems as it is kept, so that it can be mapped anew.

    Of its columns those that are read are kept, and no others.
    """
    wanted = file.mapping.read & row.values.keys()
    body = {
        "file": file.name,
        "line": row.line,
        "numbered": file.numbered,
        "timezone": None if file.writing.zone is None else str(file.writing.zone),
        "day_first": file.writing.day_first,
        "changed": file.changed.isoformat(),
        "record": {file.columns.get(name, name): row.values[name] for name in sorted(wanted)},
    }
    return spoilt(as_json(body), row.line, file, faults, id_)


def spoilt(
    text: str, line: int, file: File, faults: Sequence[Fault], id_: str | None = None
) -> Quarantined:
    """A row with problems, as the text that is kept of it."""
    problems = tuple(f'{one.problem} (in "{file.place(line, one.column)}")' for one in faults)
    return Quarantined(file.source, id_, problems, text, f"{WAY}{file.kind}")


def kept(body: str, source: str, mapping: Import, people: People) -> tuple[Record, File] | None:
    """A refused record and its file, as they were; None for a row that was no record."""
    try:
        said = json.loads(body)
        given = said["record"]
        file = File(
            said["file"],
            mapping,
            source,
            Writing(zone(said["timezone"]) if said["timezone"] else None, said["day_first"]),
            datetime.fromisoformat(said["changed"]),
            {plain(name): name for name in given},
            said["numbered"],
            people,
        )
        return Record(said["line"], {plain(name): value for name, value in given.items()}), file
    except (ValueError, TypeError, LookupError, AttributeError):
        return None


def _column(ways: Value, values: Mapping[str, Any], file: File) -> str | None:
    """The column, as written, of the way that led to a value; else the first that the file has."""
    led = [pick for pick in ways if pick.of(values) is not None]
    for pick in (*led, *ways):
        if pick.column is not None and pick.column in file.columns:
            return file.columns[pick.column]
    return None
