"""Planning: alerts in the outbox become messages that wait. No message leaves from here.

What becomes of an alert is decided in placing.py. Here they are taken, in order, and what cannot be
planned is put aside, so that it holds up no other.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from sqlalchemy import Connection, Engine

from worker.core.telling import Telling
from worker.delivering.placing import placed
from worker.store import messages, outbox, sweeps
from worker.store.attempts import Failed, attempted, culprits
from worker.store.database import writing
from worker.store.outbox import Unplanned

AT_ONCE = 2_000
"""Alerts in one transaction. A sweep that has more is too much for anyone, told one by one."""

MOST_ASIDE = 100
"""Alerts put aside in one transaction: it must end in time."""

FIRST_ASIDE = timedelta(minutes=1)
LONGEST_ASIDE = timedelta(hours=1)

LONGEST_SWEEP = timedelta(hours=1)
"""After that what a sweep has found so far is told, whatever holds up the rest."""

DEFAULTS = Telling()

_Work = Callable[[Sequence[Unplanned]], int]
"""Plans alerts together, in the transaction at hand, and says how many messages that makes."""


def plan(
    engine: Engine,
    now: datetime,
    telling: Telling = DEFAULTS,
    growth: frozenset[str] = frozenset(),
) -> int:
    """Plan the alerts in the outbox, a sweep's once it is over; how many messages this made.

    `growth` are the ids of the rules that are of growth. Any number of these may run at once: an
    account's alerts are planned in order. One that cannot be planned is put aside, holds up no
    other, and is tried again, together with all that are due by then: after a minute, then after
    ever longer, at last every hour.
    """

    def new(db: Connection) -> list[Unplanned]:
        return outbox.unplanned(db, AT_ONCE, sweeps.running(db, now - LONGEST_SWEEP))

    def again(db: Connection) -> list[Unplanned]:
        return outbox.due_again(db, AT_ONCE, now)

    made = 0
    crowds: frozenset[int] | None = None
    for next_ones in (new, again):
        more = True
        while more:
            with writing(engine) as db:
                if crowds is None:
                    crowds = _crowds(db)
                rows = next_ones(db)
                work = partial(_plan, db, crowds, telling, growth, now)
                done = _plan_together(db, rows, work, now)
            made += done or 0
            more = done is None or len(rows) == AT_ONCE
    return made


def _crowds(db: Connection) -> frozenset[int]:
    """The sweeps of which nobody is told one by one."""
    return frozenset(sweep for sweep, alerts in outbox.of_sweeps(db).items() if alerts > AT_ONCE)


def _plan(
    db: Connection,
    crowds: frozenset[int],
    telling: Telling,
    growth: frozenset[str],
    now: datetime,
    rows: Sequence[Unplanned],
) -> int:
    made = messages.put(db, list(placed(db, rows, crowds, telling, growth, now)), now)
    outbox.planned(db, (row.id for row in rows), now)
    return made


def _plan_together(
    db: Connection, rows: Sequence[Unplanned], work: _Work, now: datetime
) -> int | None:
    """Plan alerts; None if that fails, and those with which it does have been put aside instead."""
    done = attempted(db, partial(work, rows)) if rows else 0
    if not isinstance(done, Failed):
        return done
    tried = culprits(rows, lambda some: attempted(db, partial(work, some), keep=False))
    found = list(islice(tried, MOST_ASIDE))
    if not found:
        raise done.error
    for row, failed in found:
        outbox.put_aside(db, row, failed.in_words, now + _aside_for(row.tries))
    return None


def _aside_for(tries: int) -> timedelta:
    return min(FIRST_ASIDE * (1 << min(tries, 10)), LONGEST_ASIDE)
