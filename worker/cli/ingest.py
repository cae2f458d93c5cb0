"""`tiewatch ingest`: event files into the queue, or straight into the database."""

import gzip
import json
import sys
import time
import zlib
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import IO, Annotated, Any
from uuid import uuid4

import msgspec
import typer
from celery import Celery
from rich.console import Console
from sqlalchemy import Engine

from worker import delivery, planning, runtime, tasks
from worker.celery_app import INGEST, TASK_SECONDS
from worker.cli.access import database, queue
from worker.cli.sweep import run_sweep
from worker.cli.terminal import BAD_INPUT, AsJson, Bar, Refused, print_json, progress, say
from worker.ingest import BatchResult, TryAgain, evaluation_date, ingest
from worker.rulebook import OtherRules, Rulebook
from worker.settings import settings
from worker.store import batches
from worker.store import sweeps as sweeps_store
from worker.store.batches import BatchState, Counts, Rejected
from worker.store.database import reading, writing

BATCH_EVENTS = 500
BATCH_BYTES = 4_000_000
IN_FLIGHT = 40
"""Batches that may wait in the queue at once: a file should not fill the broker's memory."""

SHOWN = 20
"""Quarantined events that are listed on the terminal; all of them are in the database."""

SILENCE_SECONDS = 10
RESEND_SECONDS = 2 * TASK_SECONDS + 20
"""Longer than it takes a killed worker's messages to come back by themselves."""


@dataclass(slots=True)
class FileBatch:
    """Events of files, and where each came from."""

    id: str = field(default_factory=lambda: str(uuid4()))
    events: list[Any] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    sent_at: float = 0.0

    def send(self, backfill: bool) -> None:
        """Publish it. However often that is done, it is applied once."""
        kwargs = {"backfill": True} if backfill else {}
        tasks.ingest_batch.apply_async((self.events,), kwargs, task_id=self.id)
        self.sent_at = time.monotonic()


@dataclass(slots=True)
class Tally:
    """What has come of the batches so far."""

    counts: Counts = field(default_factory=Counts)
    shown: int = 0
    parked: int = 0

    def add(self, batch: FileBatch, counts: Counts, rejected: Iterable[Rejected]) -> None:
        """Count a batch, and say which of its events were quarantined."""
        self.counts = self.counts + counts
        for one in rejected:
            self.shown += 1
            if self.shown <= SHOWN:
                say(f"{batch.places[one.index]}: {one}")

    def park(self, batch: FileBatch, error: str | None) -> None:
        """Count a batch that could not be applied."""
        self.parked += 1
        self.counts = self.counts + Counts(received=len(batch.events))
        say(f"A batch of {len(batch.events)} events was parked: {error}")


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
    troubles: list[str] = []
    tally = Tally()
    size = sum(_size(name) for name in files or ())
    with progress("Taking in events", size or None) as bar, ExitStack() as held:
        batched = _parked(engine) if parked else _batches(files or (), troubles, bar)
        if direct:
            _apply_here(engine, batched, backfill, tally)
        else:
            app = held.enter_context(queue())
            alone = settings().broker is None and not _has_worker(app)
            if alone:
                held.enter_context(_worker(str(app.conf.broker_url)))
            _apply_there(engine, batched, backfill, tally)
    if backfill:
        with reading(engine) as db:
            last = sweeps_store.last_sweep_on(db)
        run_sweep(engine, evaluation_date(last, runtime.clock()))
    if not direct and alone and not settings().slack_bot_token:
        planning.plan(engine, runtime.clock(), runtime.telling())
        way = delivery.way(runtime.slack(), Console(stderr=True))
        delivery.deliver(engine, way, runtime.clock)
    _report(tally, troubles, as_json)


def _report(tally: Tally, troubles: list[str], as_json: bool) -> None:
    for trouble in troubles:
        say(trouble)
    if tally.shown > SHOWN:
        say(f"... and {tally.shown - SHOWN} more were quarantined: 'tiewatch doctor' counts them.")
    if tally.parked:
        say("Parked batches are whole: 'tiewatch ingest --parked' takes them in again.")
    counts = tally.counts
    if as_json:
        print_json({name: getattr(counts, name) for name in Counts.__slots__})
    else:
        print(
            f"{counts.received:,} events received: {counts.applied:,} applied, "
            f"{counts.duplicates:,} duplicates, {counts.quarantined:,} quarantined."
        )
    if counts.quarantined or tally.parked or troubles:
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


def _batches(files: Iterable[str], troubles: list[str], bar: Bar) -> Iterator[FileBatch]:
    """The events in batches; what is wrong with a file as such goes to `troubles`."""
    batch, size = FileBatch(), 0
    for name in files:
        for place, line in _lines(name, troubles):
            batch.events.append(_decoded(line))
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


def _apply_here(engine: Engine, batched: Iterable[FileBatch], backfill: bool, tally: Tally) -> None:
    for batch in batched:
        done, again = None, False
        while done is None:
            try:
                done = runtime.with_rules_in_force(
                    partial(_ingest, engine, batch, backfill=backfill, again=again)
                )
            except (OtherRules, TryAgain) as error:
                say(f"A batch is tried again: {error}")
                time.sleep(1)
                again = True
        if done.parked:
            tally.park(batch, done.parked)
        else:
            tally.add(batch, done.counts, done.rejected)


def _ingest(
    engine: Engine, batch: FileBatch, book: Rulebook, *, backfill: bool, again: bool
) -> BatchResult:
    now = runtime.clock()
    return ingest(engine, batch.id, batch.events, book, now, backfill=backfill, again=again)


def _apply_there(
    engine: Engine, batched: Iterable[FileBatch], backfill: bool, tally: Tally
) -> None:
    waiting: deque[FileBatch] = deque()
    for batch in batched:
        batch.send(backfill)
        waiting.append(batch)
        while len(waiting) >= IN_FLIGHT:
            _collect(engine, waiting, tally, backfill)
    while waiting:
        _collect(engine, waiting, tally, backfill)


def _collect(engine: Engine, waiting: deque[FileBatch], tally: Tally, backfill: bool) -> None:
    """Wait until at least one of the batches is done, and take the done ones out.

    One that takes too long is sent again: a worker killed the moment it took it from a Redis list
    has taken it along.
    """
    quiet_since = time.monotonic()
    while True:
        with reading(engine) as db:
            rows = {row.id: row for row in batches.read(db, [batch.id for batch in waiting])}
        done = [b for b in waiting if b.id in rows and rows[b.id].state is not BatchState.STARTED]
        for batch in done:
            row = rows[batch.id]
            waiting.remove(batch)
            if row.state is BatchState.PARKED:
                tally.park(batch, row.error)
            else:
                tally.add(batch, row.counts, row.rejected)
        if done:
            return
        for batch in waiting:
            if time.monotonic() - batch.sent_at > RESEND_SECONDS:
                batch.send(backfill)
        if time.monotonic() - quiet_since > SILENCE_SECONDS:
            say("Still waiting for a worker to take the events in: does 'tiewatch worker' run?")
            quiet_since = time.monotonic()
        time.sleep(0.02)


def _parked(engine: Engine) -> Iterator[FileBatch]:
    with reading(engine) as db:
        found = batches.parked_events(db)
    if not found:
        say("No batch is parked.")
    for id_, events in found:
        with writing(engine) as db:
            batches.restart(db, id_)
        yield FileBatch(id_, events, [f"batch {id_}, event {n}" for n in range(1, len(events) + 1)])


def _has_worker(app: Celery) -> bool:
    return bool(app.control.ping(timeout=0.5))


@contextmanager
def _worker(broker_url: str) -> Iterator[None]:
    """A worker for as long as the block, where nobody else runs one."""
    command = [sys.executable, "-m", "worker", "worker", "--queue", INGEST, "--quiet"]
    process = Popen(command, stdin=DEVNULL, stdout=sys.stderr.fileno())
    try:
        yield
    finally:
        process.terminate()
        process.wait()
