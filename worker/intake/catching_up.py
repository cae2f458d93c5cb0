"""Makes accounts anew that are too large for the batch that has said what changes in them.

It is one transaction an account, without a limit of time: who is killed leaves everything as it
was, and the next one begins again.
"""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import Engine

from worker.intake.arrivals import Batch, BatchResult
from worker.intake.ingest import ingest
from worker.rulebooks.rulebook import Rulebook
from worker.store import behind
from worker.store.database import reading


def catch_up(engine: Engine, book: Rulebook, now: datetime) -> BatchResult | None:
    """Make the account anew that is behind for longest, and evaluate its rules; None if none is, or
    if somebody is at it.

    Raises:
        OtherRules: other rules are in force; nothing was done.
        TryAgain: it failed; nothing was done.
    """
    with reading(engine) as held:
        if not behind.listed(held) or not behind.begin(held):
            return None
        step = Batch(f"catch-up-{uuid4()}", [], catching_up=True)
        return ingest(engine, step, book, now)
