"""A file that is taken in, one record a row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from worker.core.addresses import NO_PEOPLE, People
from worker.core.mapping import Import
from worker.core.moments import Writing


@dataclass(frozen=True, slots=True)
class File:
    """A file: its mapping, the source of its events, and how its times are written.

    `columns` are the names as written by plain name, `changed` is when it was last written to. Of
    one that is `numbered`, what counts as lines are the records.
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
