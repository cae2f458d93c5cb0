"""Ends flags that have lost their ground: the events of their account are another account's now."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import Connection

from worker.core.conditions import Facts
from worker.core.facts import facts_of
from worker.evaluation import Evaluated, Rulebook, Standing, ask_past, carry_out, retired
from worker.store import flags, stats
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
    world = replace(stats.read_workspace(db, book.ties), health=book.health)
    read = stats.read(db, accounts, on, book.ties.half_life, book.reading, book.metrics)
    for account, score in ask_past(db, read, on, book, sweeping=True)(world).items():
        read[account].past_health = score
    standings = {
        account: Standing(one, facts_of(one, on.toordinal(), world, book.metrics))
        for account, one in read.items()
    }
    moves = []
    for stored in flags.ask_live(db, standings)().values():
        if which(stored, standings[stored.account].facts):
            move = retired(stored, on, why)
            after = move.after and move.after._replace(quiet=stored.flag.quiet)
            moves.append(replace(move, after=after))
    return carry_out(db, moves, standings, world, on, book, now, None)
