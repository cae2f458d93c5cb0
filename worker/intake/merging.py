"""Merges accounts and contacts that turned out to be one, and takes them apart again.

What is known of them is made anew from the event log, in one transaction, while no batch is at
work: it is then what the same events would have come to, had they been sent under one id.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Engine

from worker.core.flags import evaluation_date
from worker.evaluating.closing import close, close_groundless, take_up
from worker.evaluating.evaluation import evaluate
from worker.rulebooks.rulebook import OtherRules, Rulebook
from worker.store import disputes, flags, holdings, merges, ties, waiting, workspace
from worker.store.rebuilding import Rebuilt, rebuild


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants it, when, and the rules in force; `dry` tells what it would do, and undoes it."""

    by: str
    now: datetime
    book: Rulebook
    dry: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: the survivor, the events and ties that went there (or came back from there),
    the flags that opened and resolved, and were taken up again.

    A contact's events are those that name it.
    """

    survivor: str
    events: int
    ties: int
    opened: int
    resolved: int
    reopened: int = 0


def merge_accounts(engine: Engine, order: Order, account: str, survivor: str) -> Done:
    """Let an account be another from now on, with all that was ever known of it.

    Its flags are resolved, and the survivor's rules evaluated. What is in quarantine since both
    have claimed it is to be released (`releasing.release`); what has counted for others already,
    but not for those of its people, is read anew.

    Raises:
        MergeRefused: nothing was done, for the reason that the message gives.
        OtherRules: other rules are in force; nothing was done.
    """
    with _alone(engine, order) as (db, work):
        merges.merge_accounts(db, account, survivor, order.by, order.now)
        disputed = holdings.held_of(db, merges.all_merged_into(db, [survivor]))
        others = merges.survivors_of(db, disputes.accounts_of(db, disputed))
        flags.lock(db, sorted({account, survivor, *others}))
        number = ties.number_of(db, account)
        why = f"the account has been merged into {survivor}"
        closed = close(db, account, why, work.on, order.book, order.now)
        rebuilt = work.rebuild([account, *others], [survivor])
        waiting.claim(db, disputed, backfill=False)
        ended = close_groundless(db, rebuilt.left, work.on, order.book, order.now)
        done = evaluate(db, rebuilt.accounts, work.on, order.book, order.now)
        resolved = closed.resolved + ended.resolved + done.resolved
        return Done(survivor, rebuilt.moved, number, done.opened, resolved)


def unmerge_account(engine: Engine, order: Order, account: str) -> Done:
    """Let an account be itself again, as if it had never been merged.

    Its flags that the merge resolved are taken up where they were, and the rules of both accounts
    evaluated.

    Raises:
        MergeRefused: nothing was done, for the reason that the message gives.
        OtherRules: other rules are in force; nothing was done.
    """
    with _alone(engine, order) as (db, work):
        undone = merges.unmerge_account(db, account, order.by, order.now)
        survivor = merges.survivor_of(db, undone.survivor)
        rebuilt = work.rebuild([survivor])
        why = f"the merge into {undone.survivor} has been undone"
        merged_at = undone.merged_at
        reopened = take_up(db, account, merged_at, why, work.on, order.book, order.now)
        ended = close_groundless(db, rebuilt.left, work.on, order.book, order.now)
        done = evaluate(db, [account, survivor], work.on, order.book, order.now)
        number = ties.number_of(db, account)
        resolved = ended.resolved + done.resolved
        return Done(survivor, rebuilt.moved, number, done.opened, resolved, reopened)


def merge_contacts(engine: Engine, order: Order, account: str, contact: str, survivor: str) -> Done:
    """Let a contact of an account be another from now on, with all that was ever known of it.

    Raises:
        MergeRefused: nothing was done, for the reason that the message gives.
        OtherRules: other rules are in force; nothing was done.
    """
    with _alone(engine, order) as (db, work):
        number = ties.number_of(db, account, contact)
        merges.merge_contacts(db, account, contact, survivor, order.by, order.now)
        events = work.rebuild([], [account], contact).naming
        done = evaluate(db, [account], work.on, order.book, order.now)
        return Done(survivor, events, number, done.opened, done.resolved)


def unmerge_contact(engine: Engine, order: Order, account: str, contact: str) -> Done:
    """Let a contact be itself again, as if it had never been merged.

    Raises:
        MergeRefused: nothing was done, for the reason that the message gives.
        OtherRules: other rules are in force; nothing was done.
    """
    with _alone(engine, order) as (db, work):
        undone = merges.unmerge_contact(db, account, contact, order.by, order.now)
        current = merges.survivor_of(db, account)
        events = work.rebuild([], [current], contact).naming
        done = evaluate(db, [current], work.on, order.book, order.now)
        number = ties.number_of(db, current, contact)
        return Done(undone.survivor, events, number, done.opened, done.resolved)


@dataclass(frozen=True, slots=True)
class _Work:
    """A transaction in which no batch is at work, and the date that rules are evaluated on."""

    db: Connection
    half_life: int
    on: date
    now: datetime

    def rebuild(
        self, moving: Collection[str], staying: Collection[str] = (), counted: str | None = None
    ) -> Rebuilt:
        half_life, on, now = self.half_life, self.on, self.now
        return rebuild(self.db, moving, staying, half_life, on, now, counted=counted)


@contextmanager
def _alone(engine: Engine, order: Order) -> Iterator[tuple[Connection, _Work]]:
    """A transaction that commits at the end, unless it is only to be seen what it would do."""
    with engine.connect() as db, db.begin() as transaction:
        merges.take_turn(db, alone=True)
        kept = workspace.ask(db)()
        if kept.rules not in (None, order.book.digest):
            raise OtherRules(kept.rules)
        ties.calibrate(db, order.book.ties.half_life)
        on = evaluation_date(kept.last_sweep_on, order.now)
        yield db, _Work(db, order.book.ties.half_life, on, order.now)
        if order.dry:
            transaction.rollback()
