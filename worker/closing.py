"""Ends flags that have lost their ground: the events of their account are another account's now."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import Connection

from worker import standings
from worker.core.conditions import Facts
from worker.evaluation import Evaluated, carry_out, retired
from worker.rulebook import Rulebook
from worker.store import flags
from worker.store.flags import StoredFlag

LOST = "the events that it came of are of another account now"


def close(
    db: Connection, account: str, why: str, on: date, book: Rulebook, now: datetime
) -> Evaluated:
    """Resolve every flag of an account that is to have no events any more, for the reason given.

    What would have ended a snooze stays known: `flags.reopen` takes it up again.
    """
    return _end(db, [account], lambda stored, facts: True, why, on, book, now)


def close_groundless(
    db: Connection, accounts: Collection[str], on: date, book: Rulebook, now: datetime
) -> Evaluated:
    """Resolve the flags of which nothing is known any more, either way, in accounts that have lost
    events. An evaluation would leave them as they are for good: what is unknown moves no flag."""
    rules = {compiled.rule.id: compiled for compiled in book.rules.compiled}

    def is_groundless(stored: StoredFlag, facts: Facts) -> bool:
        compiled = rules.get(stored.rule)
        return compiled is not None and compiled.holds(facts) is None

    return _end(db, accounts, is_groundless, LOST, on, book, now)


def _end(
    db: Connection,
    accounts: Collection[str],
    which: Callable[[StoredFlag, Facts], bool],
    why: str,
    on: date,
    book: Rulebook,
    now: datetime,
) -> Evaluated:
    told = standings.read(db, accounts, on, book, sweeping=True)
    # A source that is silent takes no ground away: that is looked for with nothing withheld.
    known = replace(told, workspace=replace(told.workspace, withheld={}))
    facts = {account: standing.facts for account, standing in known.standings()}
    moves = []
    for stored in flags.ask_live(db, facts)().values():
        if which(stored, facts[stored.account]):
            move = retired(stored, on, why)
            after = move.after and move.after._replace(quiet=stored.flag.quiet)
            moves.append(replace(move, after=after))
    return carry_out(db, moves, dict(told.standings()), told, now, None)
