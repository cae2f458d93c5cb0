"""What is read of a file: records, one a row, with the places they stand at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


class Unreadable(Exception):
    """A file of which nothing can be read; the message says why, and what to do."""


class BreaksOff(Exception):
    """The rest of a file cannot be read from `line` on; the message says why."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


@dataclass(frozen=True, slots=True)
class Record:
    """One row: the values by column, whose name is as `plain` makes it, and its line."""

    line: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A row that is none, with what is wrong with it and its text."""

    line: int
    problem: str
    text: str


@dataclass(frozen=True, slots=True)
class Records:
    """A file that is being read.

    `columns` are the names as written by plain name, `done` says how many bytes of the file have
    been read, `notes` what somebody should know of how it was read. Of a file that is `numbered`,
    what counts as lines are the records.
    """

    columns: Mapping[str, str]
    rows: Iterator[Record | Spoilt]
    done: Callable[[], int]
    notes: list[str] = field(default_factory=list)
    numbered: bool = False
