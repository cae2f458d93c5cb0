"""A pass over a file: what it is taken for, what becomes of its rows, and how many there were."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from worker.core.addresses import NO_PEOPLE, People
from worker.core.mapping import Import
from worker.core.moments import Writing
from worker.importing import archives
from worker.importing.archives import Archive
from worker.importing.files import File
from worker.importing.kinds import choose
from worker.importing.reading import records_of
from worker.importing.records import BreaksOff, Records, Unreadable
from worker.importing.skipped import Skipped
from worker.importing.taking import Taken, take

LOOKED_AT = 100
"""Rows that are looked at before anything is taken in: whether an option is missing."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A file and what is to be said of it before it is taken in."""

    file: File | Archive
    said: tuple[str, ...]


@dataclass(slots=True)
class Rows:
    """What has been read so far, and what is wrong with the files as such."""

    rows: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)

    def add(self, taken: Taken) -> None:
        """Count a row."""
        self.rows += 1
        if taken.left_out is not None:
            self.left_out[taken.left_out] += 1

    @property
    def counted(self) -> dict[str, Any]:
        """How many rows there were, and of how many nothing comes, by reason."""
        return {"rows": self.rows, "left_out": dict(sorted(self.left_out.items()))}

    @property
    def sentence(self) -> str:
        """The same in words."""
        parts = [f"{n:,} left out ({reason})" for reason, n in self.left_out.most_common()]
        return ", ".join([f"{self.rows:,} rows read", *parts]) + "."


def plan(
    name: str,
    imports: Mapping[str, Import],
    kind: str | None,
    source: str | None,
    writing: Writing,
    now: datetime,
    people: People = NO_PEOPLE,
) -> Planned:
    """What a file is taken for: the `kind` that is given, else what its columns say.

    Raises Unreadable, also where an option is missing that all of its rows need.
    """
    path = Path(name)
    try:
        with ExitStack() as held:
            records = records_of(path, held)
            chosen = choose(records.columns, imports, kind)
            file = File(
                name,
                chosen.mapping,
                source or chosen.mapping.source,
                writing,
                datetime.fromtimestamp(path.stat().st_mtime, UTC),
                records.columns,
                records.numbered,
                people,
            )
            asked = _asked(file, records, now)
    except Unreadable as error:
        raise Unreadable(f"{name}: {error}.") from error
    if asked is not None:
        raise Unreadable(f"{asked}. Nothing was taken in.")
    said = [f"taken for {chosen.mapping.name}, since {chosen.why}", *records.notes]
    if _lacks_changed(file):
        said.append(
            "no column says when a row was changed last, so all of them count as changed when the "
            f"file was written ({file.changed:%Y-%m-%d %H:%M} UTC): export that column too"
        )
    return Planned(file, tuple(f"{name}: {one}." for one in said))


def _lacks_changed(file: File) -> bool:
    """Whether it has none of the columns in which its kind says when a record was changed last."""
    wanted = {pick.column for pick in file.mapping.changed}
    return bool(wanted) and not wanted & file.columns.keys()


def _asked(file: File, records: Records, now: datetime) -> str | None:
    """What one of the first rows asks for: else every row of the file would go to quarantine."""
    with suppress(BreaksOff):  # which is told where the file is taken in
        for row in islice(records.rows, LOOKED_AT):
            for fault in take(row, file, now).faults:
                if fault.asks:
                    return f"{file.place(row.line, fault.column)}: {fault.problem}"
    return None


def walk(
    file: File | Archive, rows: Rows, now: datetime, advance: Callable[[int], None]
) -> Iterator[tuple[int, Taken]]:
    """(line, what became of it) of each row of a file; `advance` hears of bytes that were read."""
    if isinstance(file, Archive):
        yield from _walk_archive(file, rows, now, advance)
        return
    before = 0
    with ExitStack() as held:
        records = records_of(Path(file.name), held)
        none = True
        try:
            for row in records.rows:
                none = False
                taken = take(row, file, now)
                rows.add(taken)
                yield row.line, taken
                if (done := records.done()) != before:
                    advance(done - before)
                    before = done
        except BreaksOff as error:
            rows.troubles.append(
                f"{file.place(error.line)}: breaks off: {error}. What came before it was taken in; "
                "taking the whole file in later does no harm."
            )
        else:
            if none:
                rows.troubles.append(f"{file.name}: there is a header and no row in it.")


def _walk_archive(
    file: Archive, rows: Rows, now: datetime, advance: Callable[[int], None]
) -> Iterator[tuple[int, Taken]]:
    try:
        for number, one in enumerate(archives.read(file, now, advance), 1):
            taken = Taken(left_out=one.reason) if isinstance(one, Skipped) else Taken((one,))
            if isinstance(one, Skipped) and one.spoilt:
                rows.troubles.append(f"{file.name}:{one.line}: {one.reason}")
            rows.add(taken)
            yield number, taken
    except Unreadable as error:
        rows.troubles.append(f"{error}. What came before it was taken in.")


def told(file: File | Archive, line: int, taken: Taken) -> list[str]:
    """The problems of a row, with the places that they are at."""
    return [f"{file.place(line, one.column)}: {one.problem}" for one in taken.faults]
