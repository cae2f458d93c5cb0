"""`tiewatch import`: history, from the files that other products export."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from worker import runtime
from worker.capture.mappings import with_imports
from worker.cli.access import database
from worker.cli.batching import (
    BATCH_BYTES,
    BATCH_EVENTS,
    SHOWN,
    FileBatch,
    Tally,
    apply,
    finish,
    say_the_rest,
)
from worker.cli.terminal import BAD_INPUT, NOT_HELD, AsJson, Bar, Refused, print_json, progress, say
from worker.core.mapping import Import
from worker.core.moments import Writing
from worker.importing.kinds import choose
from worker.importing.reading import records_of
from worker.importing.records import BreaksOff, Unreadable
from worker.importing.taking import File, Taken, take
from worker.rulefiles import RuleFilesRefused, load_capture
from worker.store import members
from worker.store.batches import Counts
from worker.store.database import reading

EXAMPLES = 3
"""Events that a dry run shows."""


@dataclass(slots=True)
class Rows:
    """What has been read so far, and what is wrong with the files as such."""

    rows: int = 0
    of_no_use: int = 0
    ahead: int = 0
    troubles: list[str] = field(default_factory=list)

    def add(self, taken: Taken) -> None:
        """Count a row."""
        self.rows += 1
        self.ahead += taken.ahead
        self.of_no_use += not (taken.ahead or taken.events or taken.faults)

    @property
    def sentence(self) -> str:
        """How many rows there were, and of how many nothing comes."""
        parts = [f"{self.rows:,} rows read"]
        if self.of_no_use:
            parts.append(f"{self.of_no_use:,} of no use, which the mapping leaves out")
        if self.ahead:
            parts.append(f"{self.ahead:,} about what is still to come")
        return "; ".join(parts) + "."


def run(
    files: Annotated[list[str], typer.Argument(help="Exported files: CSV or JSON.")],
    kind: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="NAME",
            help="What the files are, such as hubspot-deals, where their columns do not say so.",
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(help="A file that says what the columns of other files mean."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="The source of the events; default: the product's name."),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(help="The zone of times that name none, such as Europe/Berlin."),
    ] = None,
    day_first: Annotated[
        bool | None,
        typer.Option(
            "--day-first/--month-first", help="Whether 05/01/2026 is in January or in May."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would come out, and take nothing in.")
    ] = False,
    direct: Annotated[
        bool,
        typer.Option("--direct", help="Apply in this process, without the queue and its workers."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take in history from files that a CRM or a help desk exports, and wait until it is applied.

    What a file is, its columns say. A row that cannot be used is quarantined with its line and
    column, and the rest goes on. Taking a file in again does no harm: what is there counts once. So
    does going on after an interruption: run it again.
    """
    imports = _imports(mapping)
    writing = Writing(_zone(timezone), day_first)
    planned = [_planned(name, imports, kind, source, writing) for name in files]
    if dry_run:
        _try(planned, as_json)
        return
    engine = database()
    runtime.rulebook()
    rows, tally = Rows(), Tally()
    with progress("Taking in records", sum(Path(name).stat().st_size for name in files)) as bar:
        alone = apply(engine, _batches(planned, rows, bar), tally, direct=direct, backfill=True)
    finish(engine, backfill=True, alone=alone)
    for trouble in rows.troubles:
        say(trouble)
    say_the_rest(tally)
    with reading(engine) as db:
        waiting = members.waiting(db)
    if waiting:
        say(f"{waiting:,} events wait for the account of their contact: import the contacts, too.")
    _report(rows, tally.counts, waiting, as_json)
    if tally.counts.quarantined or tally.parked or rows.troubles:
        raise typer.Exit(BAD_INPUT)


def _report(rows: Rows, counts: Counts, waiting: int, as_json: bool) -> None:
    if as_json:
        applied = {name: getattr(counts, name) for name in Counts.__slots__}
        print_json({**_counted(rows), **applied, "waiting": waiting})
        return
    print(rows.sentence)
    print(
        f"{counts.received:,} events: {counts.applied:,} applied, {counts.duplicates:,} there "
        f"already, {counts.quarantined:,} quarantined."
    )


def _counted(rows: Rows) -> dict[str, int]:
    return {"rows": rows.rows, "of_no_use": rows.of_no_use, "still_to_come": rows.ahead}


def _imports(file: Path | None) -> Mapping[str, Import]:
    if file is None:
        return with_imports(runtime.rules_path()).imports
    if not file.is_file():
        raise Refused(f"{file}: there is no such mapping file.")
    try:
        found = load_capture(file).imports
    except RuleFilesRefused as error:
        raise Refused("\n".join(map(str, error.problems))) from error
    if not found:
        raise Refused(f"{file}: there is nothing under 'imports:' in it; see docs/import.md.")
    return found


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return (name and ZoneInfo(name)) or None
    except (LookupError, ValueError, OSError) as error:
        raise Refused(f"{name!r} is no time zone: write it like Europe/Berlin, or UTC.") from error


def _planned(
    name: str,
    imports: Mapping[str, Import],
    kind: str | None,
    source: str | None,
    writing: Writing,
) -> File:
    """What a file is taken for, which is said before anything is taken in."""
    path = Path(name)
    if kind is None and len(imports) == 1:
        kind = next(iter(imports))
    try:
        with ExitStack() as held:
            records = records_of(path, held)
            chosen = choose(records.columns, imports, kind)
    except Unreadable as error:
        raise Refused(f"{name}: {error}.") from error
    say(f"{name}: taken for {chosen.mapping.name}, since {chosen.why}.")
    for note in records.notes:
        say(f"{name}: {note}.")
    return File(
        name,
        chosen.mapping,
        source or chosen.mapping.source,
        writing,
        datetime.fromtimestamp(path.stat().st_mtime, UTC),
        records.columns,
        records.numbered,
    )


def _taken(file: File, rows: Rows, bar: Bar) -> Iterator[tuple[int, Taken]]:
    """(line, what became of it) of each row of a file."""
    now = runtime.clock()
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
                    bar.advance(done - before)
                    before = done
        except BreaksOff as error:
            rows.troubles.append(
                f"{file.place(error.line)}: breaks off: {error}. What came before it was taken in; "
                "taking the whole file in later does no harm."
            )
        else:
            if none:
                rows.troubles.append(f"{file.name}: there is a header and no row in it.")


def _batches(planned: Sequence[File], rows: Rows, bar: Bar) -> Iterator[FileBatch]:
    batch, size = FileBatch(), 0
    for file in planned:
        for line, taken in _taken(file, rows, bar):
            batch.events += taken.events
            batch.places += [file.place(line)] * len(taken.events)
            if taken.refused is not None:
                batch.refused.append(taken.refused)
                batch.told += _told(file, line, taken)
                size += len(taken.refused.body)
            if len(batch) >= BATCH_EVENTS or size >= BATCH_BYTES:
                yield batch
                batch, size = FileBatch(), 0
    if len(batch):
        yield batch


def _told(file: File, line: int, taken: Taken) -> list[str]:
    return [f"{file.place(line, one.column)}: {one.problem}" for one in taken.faults]


def _try(planned: Sequence[File], as_json: bool) -> None:
    """Show what would come out of files."""
    rows, types, accounts = Rows(), Counter[str](), set[str]()
    examples: list[dict[str, Any]] = []
    problems: list[str] = []
    faulty = 0
    with progress("Reading", sum(Path(file.name).stat().st_size for file in planned)) as bar:
        for file in planned:
            for line, taken in _taken(file, rows, bar):
                types.update(event["type"] for event in taken.events)
                accounts.update(event["subject"] for event in taken.events if "subject" in event)
                examples += taken.events[: EXAMPLES - len(examples)]
                faulty += bool(taken.faults)
                problems += _told(file, line, taken)[: SHOWN - len(problems)]
    events = dict(sorted(types.items()))
    if as_json:
        files = [{"file": file.name, "as": file.mapping.name} for file in planned]
        print_json(
            {
                "files": files,
                **_counted(rows),
                "events": events,
                "accounts": len(accounts),
                "quarantined": faulty,
                "problems": [*problems, *rows.troubles],
                "examples": examples,
            }
        )
    else:
        print(rows.sentence)
        counted = ", ".join(f"{number:,} {name}" for name, number in events.items()) or "none"
        print(f"Events that would come out: {counted}; of {len(accounts):,} accounts.")
        print(f"{faulty:,} rows would be quarantined. Nothing was taken in.")
        for problem in (*problems, *rows.troubles):
            say(problem)
        print_json(examples)
    if faulty or rows.troubles:
        raise typer.Exit(NOT_HELD)
