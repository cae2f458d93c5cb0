"""Ends flags that have lost their ground: the events of their account are another account's now."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import Connection

from worker import healths
from worker.core.conditions import Facts
from worker.evaluation import Evaluated, carry_out, retired
from worker.rulebook import Rulebook
from worker.standings import Read
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
    found = stats.read(db, accounts, on, book.ties.half_life, book.reading, book.metrics)
    for account, score in healths.ask_past(db, found, on, book, sweeping=True)(world).items():
        found[account].past_health = score
    # Nothing is withheld: a source that is silent for now takes no ground away.
    read = Read(found, world, book, on)
    standings = dict(read.standings())
    moves = []
    for stored in flags.ask_live(db, standings)().values():
        if which(stored, standings[stored.account].facts):
            move = retired(stored, on, why)
            after = move.after and move.after._replace(quiet=stored.flag.quiet)
            moves.append(replace(move, after=after))
    return carry_out(db, moves, standings, read, now, None)
