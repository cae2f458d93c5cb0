"""Ends flags that have lost their ground, since the events of their account are another account's
now; and takes them up again, where the account gets them back."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import Connection

from worker.core.conditions import Facts
from worker.evaluating import standings
from worker.evaluating.evaluation import Evaluated, announce, carry_out, retired
from worker.evaluating.standings import Read, Standing
from worker.rulebooks.rulebook import Rulebook
from worker.store import flag_moves, flags, showing
from worker.store.flags import StoredFlag

LOST = "the events that it came of are of another account now"


def close(
    db: Connection, account: str, why: str, on: date, book: Rulebook, now: datetime
) -> Evaluated:
    """Resolve every flag of an account that is to have no events any more, for the reason given.

    What would have ended a snooze stays known: `flag_moves.reopen` takes it up again.
    """
    return _end(db, [account], lambda stored, facts: True, why, on, book, now)


def take_up(
    db: Connection,
    account: str,
    closed_at: datetime,
    why: str,
    on: date,
    book: Rulebook,
    now: datetime,
) -> int:
    """Let flags of an account that were closed at that moment be what they were then. Returns how
    many; webhooks are told of them, and cards show it."""
    moves = flag_moves.reopen(db, account, closed_at, why, now, on)
    showing.show_again(db, account, f"taken-up/{account}/{now.isoformat()}", now)
    read = standings.read(db, [account], on, book, sweeping=True)
    found = dict(read.standings())
    if account in found:  # all of its events may have gone elsewhere meanwhile
        ids = {(move.account, move.rule): move.before.id for move in moves if move.before}
        announce(db, moves, ids, found, read, now)
    return len(moves)


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
    read = standings.read(db, accounts, on, book, sweeping=True)
    found = dict(read.standings())
    known = _with_nothing_withheld(read) if read.workspace.withheld else found
    moves = []
    for stored in flags.ask_live(db, found)().values():
        if which(stored, known[stored.account].facts):
            move = retired(stored, on, why)
            after = move.after and move.after._replace(quiet=stored.flag.quiet)
            moves.append(replace(move, after=after))
    return carry_out(db, moves, found, read, now, None)


def _with_nothing_withheld(read: Read) -> dict[str, Standing]:
    """The accounts as they would stand if no source were silent: that takes no ground away."""
    return dict(replace(read, workspace=replace(read.workspace, withheld={})).standings())
