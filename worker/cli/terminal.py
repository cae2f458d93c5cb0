"""What the commands print: results on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

PIPED_WIDTH = 200
"""Columns of a table that does not go to a terminal."""

out = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
err = Console(stderr=True, highlight=False)

NOT_HELD = 1
"""Exit status when the thing checked does not hold."""

BAD_INPUT = 2
"""Exit status of wrong use and bad input."""

AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document instead of text, for programs.")
]


class Refused(Exception):
    """Something the user can put right; the message says what and how. Exit status 2."""


def print_json(document: Any) -> None:
    """One JSON document, alone on standard output."""
    print(json_text(document), end="")


def json_text(document: Any) -> str:
    """A document as it is printed, with the end of its last line."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def say(message: str) -> None:
    """A line for people, beside the result."""
    err.print(message, markup=False, soft_wrap=True)


def table(*columns: str) -> Table:
    """An empty table in the one style that all commands use."""
    return Table(*columns, box=None, header_style="bold", pad_edge=False)


@contextmanager
def progress(label: str, total: int | None) -> Iterator["Bar"]:
    """A progress bar on standard error; none where that is not a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        yield Bar(bar, bar.add_task(label, total=total))


@dataclass(frozen=True, slots=True)
class Bar:
    """A running progress bar."""

    bar: Progress
    task: TaskID

    def advance(self, by: int = 1, label: str | None = None) -> None:
        """Move on by so many units, and say what is being done now."""
        self.bar.update(self.task, advance=by)
        if label is not None:
            self.bar.update(self.task, description=label)
