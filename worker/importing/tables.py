"""CSV files, as spreadsheets and CRMs write them: commas, semicolons or tabs, and odd rows."""

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

from worker.core.mapping import plain
from worker.core.problems import as_json
from worker.importing.records import BreaksOff, Record, Records, Spoilt, Unreadable
from worker.importing.texts import TROUBLE, encoding_of, opened

LONGEST_CELL = 16_000_000
"""Characters of one cell: with more in it a quotation mark is missing somewhere."""

_DELIMITERS = ",;\t|"
_QUOTE = '"'


def read(path: Path, held: ExitStack) -> Records:
    """The rows of a CSV file, which stays open for as long as `held`.

    Raises Unreadable. Reading the rows raises BreaksOff.
    """
    encoding = encoding_of(path)
    content, raw = opened(path, held)
    text = io.TextIOWrapper(content, encoding.name, errors="replace", newline="")
    first, begins = text.readline(), 1
    if first.startswith("sep="):  # for Excel, to know the delimiter
        first, begins = text.readline(), 2
    lines = _Lines(chain((first,), text), begins)
    # The module's own limit, 131,072 characters, is a long note's length.
    held.callback(csv.field_size_limit, csv.field_size_limit(LONGEST_CELL))
    rows = _rows(csv.reader(lines, delimiter=_delimiter(first)), lines)
    try:
        header = next(rows)[1]
    except (BreaksOff, StopIteration) as error:
        raise Unreadable(f"has no header that can be read: {error}") from error
    names: dict[str, str] = {}
    places: list[tuple[int, str]] = []
    notes = [encoding.note] if encoding.note else []
    for place, written in enumerate(header):
        name = plain(written)
        if name in names:
            notes.append(f"column {written.strip()!r} is there twice: only the first one is read")
        elif name:
            names[name] = written.strip()
            places.append((place, name))
    return Records(names, _records(rows, places, len(header)), raw.tell, notes)


class _Lines:
    """The lines of a file for the reader of CSV, which takes as many as a row has.

    `began` is the first line of the row that is being read, `given` how many it has so far.
    """

    def __init__(self, text: Iterable[str], begins: int) -> None:
        self._text = text
        self.began, self.given = begins, 0

    def __iter__(self) -> Iterator[str]:
        for line in self._text:
            self.given += 1
            yield line.replace("\x00", "")
        if self.given:  # the reader has begun a row, and asks for more of it
            raise BreaksOff(self.began, "a quotation mark is opened here and never closed")


def _rows(reader: Iterable[list[str]], lines: _Lines) -> Iterator[tuple[int, list[str]]]:
    """(first line, cells) of each row that is not blank."""
    try:
        for cells in reader:
            line = lines.began
            lines.began, lines.given = line + lines.given, 0
            if any(cells):
                yield line, cells
    except csv.Error as error:
        why = f"{error}; perhaps a quotation mark is missing, here or above"
        raise BreaksOff(lines.began, why) from error
    except TROUBLE as error:
        raise BreaksOff(lines.began, str(error)) from error


def _records(
    rows: Iterator[tuple[int, list[str]]], places: list[tuple[int, str]], width: int
) -> Iterator[Record | Spoilt]:
    names = [name for _, name in places]
    whole = [place for place, _ in places] == list(range(width))
    for line, cells in rows:
        if len(cells) > width and any(cells[width:]):
            problem = (
                f"the row has {len(cells):,} cells and the header {width:,}: a cell with the "
                "delimiter in it must be in quotation marks"
            )
            yield Spoilt(line, problem, as_json(cells))
        elif whole:
            yield Record(line, dict(zip(names, map(str.strip, cells), strict=False)))
        else:
            yield Record(line, {name: cells[at].strip() for at, name in places if at < len(cells)})


def _delimiter(header: str) -> str:
    """The delimiter that the header has most of, outside quotation marks."""
    bare = "".join(header.split(_QUOTE)[::2])
    return max(_DELIMITERS, key=bare.count)
