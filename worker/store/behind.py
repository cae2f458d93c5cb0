"""Accounts that are behind: events have said what changes whom earlier ones are about, and these
are too many to be read anew with the batch that says so. Until they have been, the accounts are as
if nobody had said it.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select

from worker.store.dialect import execute, execute_rows
from worker.store.tables import accounts_behind

_OF = accounts_behind.c


def note(db: Connection, accounts: Collection[str], backfill: bool, now: datetime) -> None:
    """Note that these are behind, with `backfill` since a history says so."""
    execute_rows(
        db,
        """
        INSERT INTO accounts_behind (account, backfill, since)
        SELECT account, :backfill, :now FROM {rows} WHERE true ON CONFLICT (account) DO UPDATE
        SET backfill = accounts_behind.backfill AND excluded.backfill
        """,
        {"account": "text"},
        [(account,) for account in sorted(accounts)],
        backfill=backfill,
        now=now,
    )


def take(db: Connection) -> set[str]:
    """Take out the one that is behind for longest: none if none is."""
    first = select(_OF.account).order_by(_OF.since, _OF.account).limit(1)
    found = set(db.scalars(first))
    db.execute(delete(accounts_behind).where(_OF.account.in_(found)))
    return found


def listed(db: Connection) -> list[tuple[str, bool]]:
    """Which are behind, the first to be dealt with first, and whether since a history says so."""
    found = db.execute(select(_OF.account, _OF.backfill).order_by(_OF.since, _OF.account))
    return [(account, backfill) for account, backfill in found]


def begin(db: Connection) -> bool:
    """Whether nobody else is at it. Then others wait for nothing, as long as this transaction is
    open; whoever is killed holds up nobody. SQLite has one writer anyway."""
    if db.dialect.name != "postgresql":
        return True
    lock = "SELECT pg_try_advisory_xact_lock(hashtext('tiewatch catching up'))"
    return bool(execute(db, lock).all()[0][0])
