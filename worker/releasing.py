"""Releases what has waited until it was said whose it is, if that is too much for one transaction.

Each step takes some in, complete in itself: what it releases and what comes of it commit together.
So a step that is killed is as if it had not begun, and one too many does nothing.
"""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import Engine

from worker.ingest import BatchResult, ingest
from worker.rulebook import Rulebook
from worker.store import waiting
from worker.store.database import reading


def release(engine: Engine, book: Rulebook, now: datetime) -> BatchResult | None:
    """Take in some of the events that wait for a domain or an address which an account holds by
    now; None if there are none.

    Raises:
        OtherRules: other rules are in force; nothing was done.
        TryAgain: it failed; nothing was done.
    """
    with reading(engine) as db:
        backfill = waiting.claimed(db)
    if backfill is None:
        return None
    step = f"release-{uuid4()}"
    return ingest(engine, step, [], book, now, backfill=backfill, releasing=True)
