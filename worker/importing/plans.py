"""What a file is taken for, before anything of it is taken in."""

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from worker.core.addresses import People
from worker.core.mapping import Import
from worker.core.moments import Writing
from worker.importing import archives
from worker.importing.archives import Archive
from worker.importing.files import File
from worker.importing.kinds import absent, choose
from worker.importing.reading import records_of
from worker.importing.records import BreaksOff, Records, Unreadable
from worker.importing.taking import take

LOOKED_AT = 100
"""Rows that are looked at before anything is taken in: whether an option is missing."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How files are taken: the mappings there are, whose addresses are whose, how times are
    written; the kind, the source and the time of the export where somebody has said them.

    With `records_only`, no file is a mail archive or a calendar, whatever it looks like.
    """

    imports: Mapping[str, Import]
    people: People
    writing: Writing
    kind: str | None = None
    source: str | None = None
    exported: datetime | None = None
    records_only: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """A file and what is to be said of it before it is taken in."""

    file: File | Archive
    said: tuple[str, ...] = ()


def plan(name: str, manner: Manner, now: datetime) -> Planned:
    """What a file is taken for: the kind that is given, else what its name or its columns say.

    Raises Unreadable, also where an option is missing that all of its rows need.
    """
    kind = manner.kind
    if kind is None and not manner.records_only:
        kind = archives.kind_of(Path(name))
    try:
        if kind in archives.KINDS and not manner.records_only:
            zone = manner.writing.zone
            return Planned(archives.plan(name, kind, manner.source, manner.people, zone))
        with ExitStack() as held:
            records = records_of(Path(name), held)
            chosen = choose(records.columns, manner.imports, manner.kind)
            file = _file(name, records, chosen.mapping, manner)
            asked = _asked(file, records, now)
    except Unreadable as error:
        raise Unreadable(f"{name}: {error}.") from error
    if asked is not None:
        raise Unreadable(f"{asked}. Nothing was taken in.")
    said = [f"taken for {file.kind}, since {chosen.why}", *records.notes]
    if manner.records_only and (names := absent(file.columns, file.mapping)):
        said.append(f"the mapping reads columns that are not in it: {', '.join(names)}")
    if _lacks_changed(file):
        said.append(
            "no column says when a row was changed last, so all of them count as changed when the "
            f"file was written ({file.changed:%Y-%m-%d %H:%M} UTC): export that column too, or say "
            "with --exported when that was"
        )
    return Planned(file, tuple(f"{name}: {one}." for one in said))


def _file(name: str, records: Records, mapping: Import, manner: Manner) -> File:
    return File(
        name,
        mapping,
        manner.source or mapping.source,
        manner.writing,
        manner.exported or datetime.fromtimestamp(Path(name).stat().st_mtime, UTC),
        records.columns,
        records.numbered,
        manner.people,
    )


def _asked(file: File, records: Records, now: datetime) -> str | None:
    """What one of the first rows asks for: else every row of the file would go to quarantine."""
    with suppress(BreaksOff):  # which is told where the file is taken in
        for row in islice(records.rows, LOOKED_AT):
            for fault in take(row, file, now).faults:
                if fault.asks:
                    return f"{file.place(row.line, fault.column)}: {fault.problem}"
    return None


def _lacks_changed(file: File) -> bool:
    """Whether it has none of the columns in which its kind says when a record was changed last."""
    wanted = {pick.column for pick in file.mapping.changed}
    return bool(wanted) and not wanted & file.columns.keys()
