"""Takes batches of events in: applies each once, however often it comes, or puts it aside."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime

from sqlalchemy import Engine

from worker.core.events import Quarantined
from worker.intake.applying import IsDone, WasHeard, apply
from worker.intake.arrivals import Batch, BatchResult
from worker.rulebooks.rulebook import OtherRules, Rulebook
from worker.store import batches, event_log
from worker.store.batches import BatchState, Counts
from worker.store.database import reading, writing
from worker.store.dialect import commit_without_waiting, pipelined, waited_too_long
from worker.store.merges import MustBeAlone

MAX_STARTS = 5
"""Starts of a batch after which it is parked: one of its events may kill whoever takes it in."""

_DIED = "its worker died each time, or was stopped since it took too long"


class TryAgain(Exception):
    """The batch could not be applied now; the same batch may be later."""


def ingest(
    engine: Engine, batch: Batch, book: Rulebook, now: datetime, *, again: bool = False
) -> BatchResult:
    """Apply a batch once, however often it comes: log, stats, facts, rules, flags, outbox.

    `now` is the time of receipt. `again` says that the batch's message has been handed out before:
    its starts are then counted, and at more than `MAX_STARTS` without a result it is parked, whole.

    Raises:
        OtherRules: other rules are in force; nothing was done.
        TryAgain: when it failed, and is not parked yet.
    """
    starts = 1
    try:
        if again:
            starts = _count_start(engine, batch.id, now)
        if starts > MAX_STARTS:
            return _park(engine, batch, _DIED, now)
        return ingest_as_one(engine, [batch], book, now)[0]
    except IsDone:
        return _result(engine, batch)
    except (OtherRules, TryAgain):
        raise
    except Exception as error:
        if waited_too_long(error):  # which is no fault of the batch
            if again:
                _take_back_start(engine, batch.id)
            raise TryAgain(
                "another batch, or a merge, takes long: none is applied meanwhile"
            ) from error
        told = f"{type(error).__name__}: {error}"[:2_000]
        if starts >= MAX_STARTS:
            return _park(engine, batch, told, now)
        raise TryAgain(told) from error


def ingest_as_one(
    engine: Engine, given: Sequence[Batch], book: Rulebook, now: datetime
) -> list[BatchResult]:
    """Apply batches in one transaction, all or none, and say what came of each.

    They are all history, or none is.

    Raises:
        Exception: nothing was done: one of them has been applied or parked before (`IsDone`), other
            rules are in force (`OtherRules`), or one cannot be applied, whatever the reason.
    """
    alone, conflicts = False, dict[int, Quarantined]()
    while True:  # begun again with what is found out on the way
        try:
            with writing(engine) as db, nullcontext() if alone else pipelined(db):
                return apply(db, given, book, now, conflicts, alone=alone)
        except MustBeAlone:
            alone = True
        except WasHeard as found:
            conflicts |= found.conflicts


def _result(engine: Engine, batch: Batch) -> BatchResult:
    """What came of a batch that is done."""
    with reading(engine) as db:
        (row,) = batches.read(db, [batch.id])
    if row.state is BatchState.PARKED:
        return BatchResult(Counts(len(batch.events)), (), parked=row.error)
    return BatchResult(row.counts, row.rejected)


def _count_start(engine: Engine, batch: str, now: datetime) -> int:
    """Count one more start where it stays counted, should this process end with the batch."""
    with writing(engine) as db, pipelined(db):
        commit_without_waiting(db)
        return batches.count_start(db, batch, now)


def _take_back_start(engine: Engine, batch: str) -> None:
    with writing(engine) as db:
        batches.take_back_start(db, batch)


def _park(engine: Engine, batch: Batch, error: str, now: datetime) -> BatchResult:
    try:
        with writing(engine) as db:
            batches.park(db, batch.id, batch.events, error, now)
            if batch.refused:
                event_log.quarantine(db, batch.refused, now)
    except Exception as trouble:
        raise TryAgain(f"{error}; it could not be parked: {trouble}") from trouble
    return BatchResult(Counts(len(batch.events)), (), parked=error)
