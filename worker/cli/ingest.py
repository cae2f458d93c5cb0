"""`tiewatch ingest`: event files into the queue, or straight into the database."""

import gzip
import json
import sys
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Annotated, Any

import msgspec
import typer
from sqlalchemy import Engine

from worker.capture.mappings import file_of
from worker.cli.access import database
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
from worker.core.addresses import People
from worker.core.sorting import Ignored, by_email, sort_people
from worker.rulefiles import load_capture
from worker.running import runtime
from worker.store import batches
from worker.store.batches import Counts
from worker.store.database import reading, writing


def run(
    files: Annotated[
        list[str] | None,
        typer.Argument(help="Event files: .jsonl, .jsonl.gz, or - for standard input."),
    ] = None,
    backfill: Annotated[
        bool,
        typer.Option(
            "--backfill", help="For history: raise no alerts one by one, sweep once at the end."
        ),
    ] = False,
    direct: Annotated[
        bool,
        typer.Option("--direct", help="Apply in this process, without the queue and its workers."),
    ] = False,
    parked: Annotated[
        bool,
        typer.Option("--parked", help="Take in again the batches that were parked (see doctor)."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take in events from files, one JSON object a line, and wait until they are applied.

    An event that cannot be applied is quarantined, with the reason, and the rest goes on.
    Events that are there already count as duplicates: taking a file in twice does no harm.
    """
    if not files and not parked:
        raise Refused("Name at least one event file, or - for standard input.")
    if files and parked:
        raise Refused("--parked takes in what is parked, and no files: run it on its own.")
    engine = database()
    for name in files or ():
        _check(name)
    runtime.rulebook()
    people = load_capture(file_of(runtime.rules_path())).people
    troubles: list[str] = []
    tally = Tally()
    size = sum(_size(name) for name in files or ())
    with progress("Taking in events", size or None) as bar:
        batched = _parked(engine) if parked else _batches(files or (), people, tally, troubles, bar)
        alone = apply(engine, batched, tally, direct=direct, backfill=backfill)
    finish(engine, tally, backfill=backfill, alone=alone)
    _report(tally, troubles, as_json)


def _report(tally: Tally, troubles: list[str], as_json: bool) -> None:
    for trouble in troubles:
        say(trouble)
    say_the_rest(tally)
    if tally.ignored:
        say(f"{tally.ignored:,} events of nobody but people of ours and shared mailboxes: ignored.")
    counts = tally.counts
    if counts.waiting:
        say(
            f"{counts.waiting:,} events wait until somebody says whose they are: 'tiewatch doctor' "
            "tells for what."
        )
    if as_json:
        print_json({name: getattr(counts, name) for name in Counts.__slots__})
    else:
        print(
            f"{counts.received:,} events received: {counts.applied:,} applied, "
            f"{counts.duplicates:,} duplicates, {counts.quarantined:,} quarantined."
        )
    if not tally.is_clean or troubles:
        raise typer.Exit(BAD_INPUT)


def _check(name: str) -> None:
    """See that a file can be read, so that nothing is sent if one cannot."""
    path = Path(name)
    if name == "-" or path.is_fifo():  # of which reading a little would take it away
        return
    if path.is_dir():
        raise Refused(f"{name} is a folder: name the event files in it, like {name}/*.jsonl.")
    try:
        with _opened(name) as lines:
            lines.read(1)
    except FileNotFoundError as error:
        raise Refused(f"{name}: there is no such file.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise Refused(f"{name}: cannot be read: {error}") from error


def _size(name: str) -> int:
    """Bytes of a file; 0 for what is none."""
    path = Path(name)
    return path.stat().st_size if name != "-" and path.is_file() else 0


def _opened(name: str) -> IO[bytes]:
    return gzip.open(name) if name.endswith(".gz") else Path(name).open("rb")  # type: ignore[return-value]


def _batches(
    files: Iterable[str], people: People, tally: Tally, troubles: list[str], bar: Bar
) -> Iterator[FileBatch]:
    """The events in batches; what is wrong with a file as such goes to `troubles`."""
    batch, size = FileBatch(), 0
    for name in files:
        for place, line in _lines(name, troubles):
            event = _decoded(line)
            if by_email(event):
                event = sort_people(event, people)
            if isinstance(event, Ignored):
                tally.ignored += 1
                continue
            batch.events.append(event)
            batch.places.append(place)
            size += len(line)
            if len(batch.events) >= BATCH_EVENTS or size >= BATCH_BYTES:
                yield batch
                batch, size = FileBatch(), 0
        bar.advance(_size(name))
    if batch.events:
        yield batch


def _lines(name: str, troubles: list[str]) -> Iterator[tuple[str, bytes]]:
    """(place, line) of each line that is not blank."""
    shown, seen = _shown(name), False
    try:
        for number, line in enumerate(sys.stdin.buffer if name == "-" else _opened(name), 1):
            text = line.removeprefix(BOM_UTF8) if number == 1 else line
            if text.strip():
                seen = True
                yield f"{shown}:{number}", text
    except (OSError, EOFError, zlib.error) as error:
        troubles.append(
            f"{shown}: breaks off: {error}. What came before it was taken in; "
            "taking the whole file in later does no harm."
        )
    else:
        if not seen:
            troubles.append(f"{shown}: empty, there is no event in it.")


def _shown(name: str) -> str:
    return "standard input" if name == "-" else name


def _decoded(line: bytes) -> Any:
    """The line's JSON; what is none goes on as text, for the worker to say why."""
    for decode in (msgspec.json.decode, json.loads):  # the second one takes half surrogate pairs
        try:
            return decode(line)
        except (ValueError, RecursionError):
            continue
    return line.decode("utf-8", "backslashreplace").rstrip("\r\n")


def _parked(engine: Engine) -> Iterator[FileBatch]:
    with reading(engine) as db:
        found = batches.parked_events(db)
    if not found:
        say("No batch is parked.")
    for id_, events in found:
        with writing(engine) as db:
            batches.restart(db, id_)
        yield FileBatch(id_, events, [f"batch {id_}, event {n}" for n in range(1, len(events) + 1)])
