"""`tiewatch import`: history, from the files that other products export."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Engine

from worker.capture.mappings import with_imports
from worker.cli.access import a_date, database
from worker.cli.batching import (
    BATCH_BYTES,
    BATCH_EVENTS,
    FileBatch,
    Tally,
    apply,
    finish,
    say_the_rest,
)
from worker.cli.terminal import BAD_INPUT, AsJson, Bar, Refused, print_json, progress, say
from worker.cli.trial import show
from worker.core.mapping import Import
from worker.core.moments import Writing
from worker.importing.archives import Archive
from worker.importing.files import File
from worker.importing.passes import Rows, told, walk
from worker.importing.plans import Manner, plan
from worker.importing.records import Unreadable
from worker.rulefiles import RuleFilesRefused, load_capture
from worker.running import runtime
from worker.store import waiting, waiting_members
from worker.store.batches import Counts
from worker.store.database import reading


def run(
    files: Annotated[
        list[str], typer.Argument(help="Exported files: CSV, JSON, .mbox, .eml or .ics.")
    ],
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
    exported: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN",
            help="The day on which the files were exported, or the time, if copying them has "
            "changed their date on this machine: what was exported later counts.",
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
    """Take in history, and wait until it is applied: from files that a CRM or a help desk exports,
    from mail archives (of which only the headers are read) and from calendars.

    What a file is, its columns or its name say. A row that cannot be used is quarantined with its
    line and column, and the rest goes on. Taking a file in again does no harm: what is there counts
    once. So does going on after an interruption: run it again.
    """
    writing = Writing(_zone(timezone), day_first)
    manner = _manner(mapping, writing, kind, source, _exported(exported, writing.zone))
    planned = [_planned(name, manner) for name in files]
    if dry_run:
        show(planned, as_json)
    else:
        _take_in(planned, direct, as_json)


def _take_in(planned: Sequence[File | Archive], direct: bool, as_json: bool) -> None:
    engine = database()
    runtime.rulebook()
    rows, tally = Rows(), Tally()
    size = sum(Path(file.name).stat().st_size for file in planned)
    with progress("Taking in records", size) as bar:
        alone = apply(engine, _batches(planned, rows, bar), tally, direct=direct, backfill=True)
    finish(engine, tally, backfill=True, alone=alone)
    for complaint in rows.complaints:
        say(complaint)
    say_the_rest(tally)
    _say_what_waits(engine)
    _report(rows, tally.counts, as_json)
    if not tally.is_clean or rows.complaints:
        raise typer.Exit(BAD_INPUT)


def _say_what_waits(engine: Engine) -> None:
    """Say which events wait, and for what."""
    with reading(engine) as db:
        of_members = waiting_members.number(db)
        mails, most = waiting.counted(db, limit=5)
    if of_members:
        say(
            f"{of_members:,} events wait for the account of their contact: import the contacts too."
        )
    if mails:
        keys = ", ".join(f"{key} ({number:,})" for key, number in most)
        say(f"{mails:,} events wait until an account has the domains of their people: {keys}.")


def _report(rows: Rows, counts: Counts, as_json: bool) -> None:
    if as_json:
        applied = {name: getattr(counts, name) for name in Counts.__slots__}
        print_json({**rows.counted, **applied})
        return
    print(rows.sentence)
    print(
        f"{counts.received:,} events: {counts.applied:,} applied, {counts.duplicates:,} there "
        f"already, {counts.quarantined:,} quarantined."
    )


def _planned(name: str, manner: Manner) -> File | Archive:
    try:
        found = plan(name, manner, runtime.clock())
    except Unreadable as error:
        raise Refused(str(error)) from error
    for text in found.said:
        say(text)
    return found.file


def _manner(
    mapping: Path | None,
    writing: Writing,
    kind: str | None,
    source: str | None,
    exported: datetime | None,
) -> Manner:
    """How files are taken; those of a mapping file with one kind are of that kind."""
    capture = with_imports(runtime.rules_path())
    imports = capture.imports if mapping is None else _imports(mapping)
    if kind is None and len(imports) == 1:
        kind = next(iter(imports))
    return Manner(
        imports, capture.people, writing, kind, source, exported, records_only=mapping is not None
    )


def _imports(file: Path) -> Mapping[str, Import]:
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


def _exported(given: str | None, zone: tzinfo | None) -> datetime | None:
    """When files were exported: of a day the end of it, as that comes after what changed on it."""
    if given is None:
        return None
    now, day = runtime.clock(), a_date(given[:10])
    try:
        when = datetime.fromisoformat(given) if given[10:] else datetime.combine(day, time.max)
    except ValueError as error:
        form = "write it like 2026-03-31, or 2026-03-31T18:30"
        raise Refused(f"--exported {given}: that is no time: {form}.") from error
    if when.tzinfo is None:
        when = when.replace(tzinfo=zone or UTC)
    # Today is not over, and in the east it is tomorrow already.
    if when > now and (given[10:] or day > now.date() + timedelta(days=1)):
        raise Refused(f"--exported {given}: that is still to come.")
    return min(when.astimezone(UTC), now)


def _batches(planned: Sequence[File | Archive], rows: Rows, bar: Bar) -> Iterator[FileBatch]:
    batch, size, now = FileBatch(), 0, runtime.clock()
    for file in planned:
        for line, taken in walk(file, rows, now, bar.advance):
            batch.events += taken.events
            batch.places += [file.place(line)] * len(taken.events)
            if taken.refused is not None:
                batch.refused.append(taken.refused)
                batch.told += told(file, line, taken)
                size += len(taken.refused.body)
            if len(batch) >= BATCH_EVENTS or size >= BATCH_BYTES:
                yield batch
                batch, size = FileBatch(), 0
    if len(batch):
        yield batch
