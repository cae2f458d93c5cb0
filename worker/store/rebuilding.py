"""Makes the stats of accounts anew from the event log, when it has changed what events are about.

It is the same fold that batches go through, so the stats are those of the same events sent under
one id, by construction. Nobody else may be adding events meanwhile (`merges.take_turn`).
"""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, islice
from typing import NamedTuple

from sqlalchemy import Connection

from worker.core.additions import additions
from worker.core.merges import Claim, Key, claims_in, latest, people_in
from worker.store import claims as claims_store
from worker.store import disputes, flags
from worker.store.addressed import share
from worker.store.dialect import execute_among, execute_rows
from worker.store.fold import fold
from worker.store.merges import all_merged_into
from worker.store.rereading import Logged, of_accounts, sizes_of
from worker.store.tables import accounts as accounts_table

PARTS = 5
"""Parts of the log that are folded at once: events of a day add to the same rows, which are to be
written as seldom as memory allows."""

_EVENT = {"source": "text", "id": "text"}
_NO_DAY = 2**31 - 1
"""The first day of an account that has no event."""

STATS = (
    "contacts",
    "tie_days",
    "ties",
    "usage_days",
    "feature_days",
    "touches",
    "surveys",
    "tickets",
    "goals",
    "subscription_events",
    "health_days",
)
"""The tables that hold what is derived of an account's events, but for the row of the account."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it: the accounts made anew, those that have lost events to another, how many
    events that were, and how many name the contact that was counted, as they were sent. Those
    `put_off` are as they were, also if they have lost events, and are to be made anew in turn."""

    accounts: Collection[str] = ()
    left: AbstractSet[str] = frozenset()
    moved: int = 0
    naming: int = 0
    put_off: Collection[str] = ()


class _Move(NamedTuple):
    """An event that is of other accounts now than it is logged as of; the first is the log's."""

    source: str
    id: str
    before: Sequence[str]
    now: Sequence[str]


def rebuild(
    db: Connection,
    moving: Collection[str],
    staying: Collection[str],
    half_life: int,
    on: date,
    now: datetime,
    said: Mapping[Key, Claim] | None = None,
    counted: str | None = None,
    most: int | None = None,
) -> Rebuilt:
    """Read anew whom the events of the accounts `moving` are about, and make the stats of those
    accounts anew, of all that events move to, and of those `staying`, whose events stay theirs.

    `half_life` (days) must be the one that the stored ties were made with. `said` is what further
    events say, which are to be logged next. If a contact is to be `counted`, the events are that
    name it. With `most`, accounts are put off that are more than so many events together, of those
    that are `moving`, and of the others that events are moved to or from.
    """
    moving, put_off = _within(db, moving, most)
    moved, left, touched = 0, set[str](), {*moving, *staying}
    claims = dict(said or {})
    theirs = all_merged_into(db, moving)
    disputes.forget_accounts(db, theirs)
    # It is asked for before, and so sees no move.
    for part in of_accounts(db, moving, whole=False):
        moves = list(filter(None, map(_move, part)))
        _log(db, moves)
        moved += len(moves)
        for move in moves:
            left |= set(move.before) - set(move.now)
            touched |= {*move.before, *move.now}
        disputes.note_accounts(
            db, {(key, one.events[0].account or "") for one in part for key in one.settling}
        )
        claims = latest(claims, claims_in(sent for one in part for sent in one.sent))
    claims_store.withdraw(db, theirs, claims)
    claims_store.note(db, claims_store.news(db, list(claims.values())), now)
    ours = {*moving, *staying}
    others, too_large = _within(db, touched - ours - put_off, most)
    put_off |= too_large
    concerned = sorted(ours | others)
    flags.lock(db, concerned)
    _clear(db, concerned)
    naming = _fold_again(db, set(concerned), half_life, on, counted)
    execute_among(
        db,
        "DELETE FROM accounts WHERE account {among} AND first_day = :never",
        concerned,
        never=_NO_DAY,
    )
    return Rebuilt(concerned, left, moved, naming, put_off)


def _within(
    db: Connection, accounts: Collection[str], most: int | None
) -> tuple[set[str], set[str]]:
    """The smallest of the accounts, which have so many events together, and the others."""
    if most is None or not accounts:
        return set(accounts), set()
    sizes = sizes_of(db, accounts, most + 1)
    room, within = most, set[str]()
    for account in sorted(accounts, key=lambda one: (sizes[one], one)):
        room -= sizes[account]
        if room < 0:
            break
        within.add(account)
    return within, set(accounts) - within


def _move(one: Logged) -> _Move | None:
    accounts = [event.account or "" for event in one.events]
    if {*accounts} == {*one.accounts}:
        return None
    return _Move(one.events[0].source, one.events[0].id, one.accounts, accounts)


def _log(db: Connection, moves: Sequence[_Move]) -> None:
    """Log the events as of the accounts that they are of now."""
    if not moves:
        return
    keys = [(one.source, one.id) for one in moves]
    execute_rows(
        db,
        "UPDATE events SET account = r.account FROM {rows} "
        "WHERE events.source = r.source AND events.id = r.id",
        _EVENT | {"account": "text"},
        [(*key, one.now[0]) for key, one in zip(keys, moves, strict=True)],
    )
    execute_rows(
        db,
        "DELETE FROM shared_events WHERE (source, id) IN (SELECT source, id FROM {rows})",
        _EVENT,
        keys,
    )
    further = [
        (*key, account) for key, one in zip(keys, moves, strict=True) for account in one.now[1:]
    ]
    share(db, further)


def _fold_again(
    db: Connection, accounts: Collection[str], half_life: int, on: date, counted: str | None
) -> int:
    """Fold all events of these accounts; returns how many name the contact that is counted."""
    naming = 0
    parts = of_accounts(db, accounts)
    while some := list(chain.from_iterable(islice(parts, PARTS))):
        events = (event for one in some for event in one.events if event.account in accounts)
        add = additions(events)
        # What the whole workspace knows already is not to be noted again: its first interaction.
        fold(db, add, half_life, on, frozenset(), began=add.first_interaction_day).rest()()
        if counted is not None:
            naming += sum(_names(counted, one) for one in some)
    return naming


def _names(contact: str, one: Logged) -> bool:
    return any(contact in people_in(sent.data) for sent in one.sent)


def _clear(db: Connection, accounts: Collection[str]) -> None:
    """Forget what is derived of these accounts' events. Their rows stay, since they are locked."""
    for table in STATS:
        execute_among(db, f"DELETE FROM {table} WHERE account {{among}}", accounts)
    kept = {"account", "first_day"}
    blank = ", ".join(f"{one.name} = NULL" for one in accounts_table.c if one.name not in kept)
    execute_among(
        db,
        f"UPDATE accounts SET {blank}, first_day = :never WHERE account {{among}}",
        accounts,
        never=_NO_DAY,
    )
