"""Accounts that are behind: events have said what changes whom earlier ones are about, and these
are too many to be read anew with the batch that says so. Until they have been, the accounts are as
if nobody had said it.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from worker.store.dialect import execute, execute_rows
from worker.store.tables import accounts_behind

_OF = accounts_behind.c


class Behind(NamedTuple):
    """An account that is behind, with `backfill` since nothing but history says so. With `lost` it
    is known already that events are another account's."""

    account: str
    backfill: bool
    lost: bool


def note(
    db: Connection,
    accounts: Collection[str],
    lost: Collection[str],
    backfill: bool,
    now: datetime,
) -> None:
    """Note that these are behind, with `backfill` since a history says so, and which of them have
    `lost` events to others."""
    execute_rows(
        db,
        """
        INSERT INTO accounts_behind (account, backfill, lost, since)
        SELECT account, :backfill, lost, :now FROM {rows} WHERE true ON CONFLICT (account) DO UPDATE
        SET backfill = accounts_behind.backfill AND excluded.backfill,
            lost = accounts_behind.lost OR excluded.lost
        """,
        {"account": "text", "lost": "boolean"},
        [(account, account in lost) for account in sorted(accounts)],
        backfill=backfill,
        now=now,
    )


def take(db: Connection) -> Behind | None:
    """Take out the one that is behind for longest: None if none is."""
    first = select(_OF.account, _OF.backfill, _OF.lost).order_by(_OF.since, _OF.account).limit(1)
    row = db.execute(first).one_or_none()
    if row is None:
        return None
    db.execute(delete(accounts_behind).where(_OF.account == row.account))
    return Behind(*row)


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
