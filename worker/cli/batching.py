"""Batches of events from files on their way into the database: through the queue, or at once."""

import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from subprocess import DEVNULL, Popen
from typing import Any
from uuid import uuid4

from celery import Celery
from rich.console import Console
from sqlalchemy import Engine

from worker import tasks
from worker.celery_app import INGEST, TASK_SECONDS
from worker.cli.access import queue
from worker.cli.sweep import run_sweep
from worker.cli.terminal import say
from worker.core.events import Quarantined
from worker.core.flags import evaluation_date
from worker.delivering import delivery, planning
from worker.intake import catching_up, releasing
from worker.intake.arrivals import Batch, BatchResult
from worker.intake.ingest import MAX_STARTS, TryAgain, ingest
from worker.rulebooks.rulebook import OtherRules, Rulebook
from worker.running import runtime
from worker.settings import settings
from worker.store import batches, behind, waiting, waiting_members
from worker.store import sweeps as sweeps_store
from worker.store.batches import BatchState, Counts, Rejected
from worker.store.database import reading

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
    """Events of files, and where each came from.

    `refused` is what could not become an event, and `told` what is said of it.
    """

    id: str = field(default_factory=lambda: str(uuid4()))
    events: list[Any] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    refused: list[Quarantined] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    sent_at: float = 0.0

    def __len__(self) -> int:
        """How many events it has, with those that could not become one."""
        return len(self.events) + len(self.refused)

    def send(self, backfill: bool) -> None:
        """Publish it. However often that is done, it is applied once."""
        kwargs: dict[str, Any] = {"backfill": True} if backfill else {}
        if self.refused:
            kwargs["refused"] = [asdict(one) for one in self.refused]
        tasks.ingest_batch.apply_async((self.events,), kwargs, task_id=self.id)
        self.sent_at = time.monotonic()


@dataclass(slots=True)
class Tally:
    """What has come of the batches so far; in the end `counts` has all that waits by then."""

    counts: Counts = field(default_factory=Counts)
    shown: int = 0
    parked: int = 0
    ignored: int = 0
    released_badly: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether all of it was taken in: nothing is quarantined, or parked."""
        return not (self.counts.quarantined or self.parked or self.released_badly)

    def add(self, batch: FileBatch, counts: Counts, rejected: Iterable[Rejected]) -> None:
        """Count a batch, and say which of its events were quarantined."""
        self.counts = self.counts + counts
        for text in (*batch.told, *(f"{batch.places[one.index]}: {one}" for one in rejected)):
            self.shown += 1
            if self.shown <= SHOWN:
                say(text)

    def park(self, batch: FileBatch, error: str | None) -> None:
        """Count a batch that could not be applied."""
        self.parked += 1
        self.counts = self.counts + Counts(received=len(batch))
        say(f"A batch of {len(batch)} events was parked: {error}")


def apply(
    engine: Engine, batched: Iterable[FileBatch], tally: Tally, *, direct: bool, backfill: bool
) -> bool:
    """Apply batches, here or through the queue, and wait until all are applied.

    Where nobody runs a worker, one runs meanwhile; whether that was so.
    """
    if direct:
        _apply_here(engine, batched, backfill, tally)
        return False
    with queue() as app, ExitStack() as held:
        alone = settings().broker is None and not _has_worker(app)
        if alone:
            held.enter_context(_worker(str(app.conf.broker_url)))
        _apply_there(engine, batched, backfill, tally)
    return alone


def finish(engine: Engine, tally: Tally, *, backfill: bool, alone: bool) -> None:
    """Do what comes once all is applied: the release of all that waited for it, large accounts made
    anew, the count of what waits on, the one sweep of a backfill, and where nobody runs a worker,
    what people are to hear, on the console."""
    tally.released_badly = release_the_rest(engine)
    catch_up(engine, wait=backfill)  # before the sweep, which is to see them as they are
    with reading(engine) as db:
        waits = waiting_members.number(db) + waiting.number(db)
    tally.counts = replace(tally.counts, waiting=waits)
    if backfill:
        with reading(engine) as db:
            last = sweeps_store.last_sweep_on(db)
        run_sweep(engine, evaluation_date(last, runtime.clock()))
    if alone and not settings().slack_bot_token:
        planning.plan(engine, runtime.clock(), runtime.telling(), runtime.growth())
        way = delivery.way(runtime.slack(), Console(stderr=True))
        delivery.deliver(engine, way, runtime.clock)


def release_the_rest(engine: Engine) -> int:
    """Take in what waits although it is known whose it is, step by step, and say how much it was:
    workers may take in some of it meanwhile. How many events had to be quarantined."""
    released, tries = Counts(), 0
    while True:
        try:
            done = runtime.with_rules_in_force(
                lambda book: releasing.release(engine, book, runtime.clock())
            )
        except (OtherRules, TryAgain) as error:
            tries += 1
            if tries == MAX_STARTS:
                say(f"Events that have waited for this wait on: {error}. Run it again later.")
                break
            say(f"What has waited is tried again: {error}")
            time.sleep(1)
            continue
        if done is None:
            break
        released, tries = released + done.counts, 0
    if taken_in := released.received - released.quarantined:
        say(f"{_had_waited(taken_in)} taken in besides.")
    if released.quarantined:
        say(
            f"{_had_waited(released.quarantined)} quarantined: 'tiewatch quarantine list' says why."
        )
    return released.quarantined


def _had_waited(number: int) -> str:
    if number == 1:
        return "1 event that had waited for this was"
    return f"{number:,} events that had waited for this were"


def catch_up(engine: Engine, *, wait: bool) -> None:
    """Make accounts anew that are behind, unless a worker is at it; with `wait`, return only when
    none is behind any more."""
    told = False
    while True:
        trouble = _caught_up(engine)
        if not wait or not _are_behind(engine):
            break
        if not told:
            say(f"Waiting until large accounts are made anew: {trouble or 'a worker is at it'}.")
        told = True
        time.sleep(1)
    if trouble:
        say(f"A large account is made anew later: {trouble}")


def _caught_up(engine: Engine) -> Exception | None:
    """What has stopped us, if not that there is none to make anew, or that a worker is at it."""
    try:
        while runtime.with_rules_in_force(
            lambda book: catching_up.catch_up(engine, book, runtime.clock())
        ):
            pass
    except (OtherRules, TryAgain) as error:
        return error
    return None


def _are_behind(engine: Engine) -> bool:
    with reading(engine) as db:
        return bool(behind.listed(db))


def say_the_rest(tally: Tally) -> None:
    """What is to be said of all batches together, beside the counts."""
    if tally.shown > SHOWN:
        say(f"... and {tally.shown - SHOWN} more were quarantined: 'tiewatch doctor' counts them.")
    if tally.parked:
        say(
            "Parked batches are whole: 'tiewatch ingest --parked' takes them in again, with "
            "--direct without a limit of time."
        )


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
    given = Batch(batch.id, batch.events, batch.refused, backfill)
    return ingest(engine, given, book, runtime.clock(), again=again)


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
