"""A pass over a file: what becomes of its rows, and how many there were."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from worker.importing import archives
from worker.importing.archives import Archive
from worker.importing.files import File
from worker.importing.reading import records_of
from worker.importing.records import BreaksOff, Unreadable
from worker.importing.skipped import Skipped
from worker.importing.taking import Taken, take

KEPT = 20
"""Messages and appointments that cannot be read which are told one by one."""


@dataclass(slots=True)
class Rows:
    """What has been read so far, and what is wrong with it.

    `undated` ones should say when they were changed last, and do not. `troubles` are those of whole
    files. Of what is `spoilt` in archives the first ones are kept, so
    that a file of nothing else neither fills the memory nor the terminal.
    """

    rows: int = 0
    undated: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    spoilt: list[str] = field(default_factory=list)
    more_spoilt: int = 0

    def add(self, taken: Taken) -> None:
        """Count a row."""
        self.rows += 1
        self.undated += taken.undated
        if taken.left_out is not None:
            self.left_out[taken.left_out] += 1

    def spoil(self, told: str) -> None:
        """Note a message or an appointment that cannot be read."""
        if len(self.spoilt) < KEPT:
            self.spoilt.append(told)
        else:
            self.more_spoilt += 1

    @property
    def complaints(self) -> list[str]:
        """All that is wrong, in words."""
        rest = [f"... and {self.more_spoilt:,} more like these."] if self.more_spoilt else []
        return [*self.spoilt, *rest, *self.troubles]

    @property
    def counted(self) -> dict[str, Any]:
        """How many rows there were, and of how many nothing comes, by reason."""
        left_out = dict(sorted(self.left_out.items()))
        return {"rows": self.rows, "undated": self.undated, "left_out": left_out}

    @property
    def sentence(self) -> str:
        """The same in words."""
        parts = [f"{n:,} left out ({reason})" for reason, n in self.left_out.most_common()]
        told = ", ".join([f"{self.rows:,} rows read", *parts]) + "."
        if not self.undated:
            return told
        return (
            f"{told} {self.undated:,} without a time of the last change: such rows count as "
            "changed when the file was written, or as --exported says."
        )


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
                rows.spoil(f"{file.name}:{one.line}: {one.reason}")
            rows.add(taken)
            yield number, taken
    except Unreadable as error:
        rows.troubles.append(f"{error}. What came before it was taken in.")


def told(file: File | Archive, line: int, taken: Taken) -> list[str]:
    """The problems of a row, with the places that they are at."""
    return [f"{file.place(line, one.column)}: {one.problem}" for one in taken.faults]
