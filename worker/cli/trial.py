"""`tiewatch import --dry-run`: what would come out of files."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from worker.cli.batching import SHOWN
from worker.cli.terminal import NOT_HELD, print_json, progress, say
from worker.importing.archives import Archive
from worker.importing.files import File
from worker.importing.passes import Rows, told, walk
from worker.running import runtime

EXAMPLES = 3
"""Events that are shown."""


def show(planned: Sequence[File | Archive], as_json: bool) -> None:
    """Show what would come out of files."""
    rows, types, accounts = Rows(), Counter[str](), set[str]()
    examples: list[dict[str, Any]] = []
    problems: list[str] = []
    faulty = 0
    with progress("Reading", sum(Path(file.name).stat().st_size for file in planned)) as bar:
        for file in planned:
            for line, taken in walk(file, rows, runtime.clock(), bar.advance):
                types.update(event["type"] for event in taken.events)
                accounts.update(event["subject"] for event in taken.events if "subject" in event)
                examples += taken.events[: EXAMPLES - len(examples)]
                faulty += bool(taken.faults)
                problems += told(file, line, taken)[: SHOWN - len(problems)]
    events = dict(sorted(types.items()))
    if as_json:
        files = [{"file": file.name, "as": file.kind} for file in planned]
        print_json(
            {
                "files": files,
                **rows.counted,
                "events": events,
                "accounts": len(accounts),
                "quarantined": faulty,
                "problems": [*problems, *rows.complaints],
                "examples": examples,
            }
        )
    else:
        print(rows.sentence)
        counted = ", ".join(f"{number:,} {name}" for name, number in events.items()) or "none"
        print(f"Events that would come out: {counted}; of {len(accounts):,} accounts.")
        print(f"{faulty:,} rows would be quarantined. Nothing was taken in.")
        for problem in (*problems, *rows.complaints):
            say(problem)
        print_json(examples)
    if faulty or rows.complaints:
        raise typer.Exit(NOT_HELD)
