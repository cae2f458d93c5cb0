"""Ends the waiting of events of which it was not known whose they are: they are taken in where that
is known by now and too much for one transaction, or given up after a time.

Each step deals with some of them, complete in itself: what it takes out and what comes of it commit
together. So a step that is killed is as if it had not begun, and one too many does nothing.
"""

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from worker.intake.arrivals import Batch, BatchResult
from worker.intake.ingest import ingest
from worker.rulebooks.rulebook import Rulebook
from worker.store import merges, overdue, waiting
from worker.store.database import reading, writing
from worker.store.dialect import waited_too_long

PATIENCE = 5
"""Seconds to wait for others before giving anything up, which can as well be done later."""


def release(engine: Engine, book: Rulebook, now: datetime) -> BatchResult | None:
    """Take in some of the events of which it has been said by now whose they are; None if there are
    none.

    Raises:
        OtherRules: other rules are in force; nothing was done.
        TryAgain: it failed; nothing was done.
    """
    with reading(engine) as db:
        if waiting.next_step(db) is None:
            return None
    return ingest(engine, Batch(f"release-{uuid4()}", [], releasing=True), book, now)


def give_up(engine: Engine, longest: timedelta, now: datetime) -> int:
    """Put what has waited for longer than that into quarantine, with what it has waited for, from
    where it can be taken in again; how many events those were. Nothing while there is anything to
    release, which may have waited for as long, and while others are at work for long."""
    with reading(engine) as db:
        if not overdue.are_there(db, now - longest):
            return 0
    given_up = 0
    while some := _give_up_some(engine, longest, now):
        given_up += some
    return given_up


def _give_up_some(engine: Engine, longest: timedelta, now: datetime) -> int:
    """0 also while others are at work for long: whoever asks has more to do than to wait."""
    try:
        with writing(engine) as db:
            merges.take_turn(db, True, PATIENCE)
            return 0 if waiting.next_step(db) is not None else overdue.give_up(db, longest, now)
    except DBAPIError as error:
        if not waited_too_long(error):
            raise
        return 0
