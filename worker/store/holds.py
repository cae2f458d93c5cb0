"""Accounts on hold: nothing is told of them up to a date, which is included."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import Connection, delete, select

from worker.store.dialect import execute_among, execute_rows
from worker.store.tables import account_holds, day_of


def put(db: Connection, account: str, until: date, now: datetime) -> bool:
    """Hold an account up to a date, instead of what holds so far; False if there is none such."""
    found = execute_rows(
        db,
        """
        INSERT INTO account_holds (account, until, at)
        SELECT r.account, r.until, r.at FROM {rows}
        WHERE EXISTS (SELECT 1 FROM accounts a WHERE a.account = r.account)
        ON CONFLICT (account) DO UPDATE SET until = excluded.until, at = excluded.at
        RETURNING account
        """,
        {"account": "text", "until": "date", "at": "timestamptz"},
        [(account, until, now)],
    )
    return bool(found.all())


def lift(db: Connection, account: str) -> bool:
    """Hold an account no more; whether it was on hold, now or in the past."""
    return db.execute(delete(account_holds).where(account_holds.c.account == account)).rowcount > 0


def listed(db: Connection, today: date) -> list[tuple[str, date]]:
    """The accounts on hold, and the last day of each hold, by account."""
    of = account_holds.c
    found = db.execute(select(of.account, of.until).where(of.until >= today).order_by(of.account))
    return [(account, until) for account, until in found]


def among(db: Connection, accounts: Iterable[str]) -> dict[str, date]:
    """The last day of the hold of each of these accounts that has one, which may be past."""
    found = execute_among(
        db, "SELECT account, until FROM account_holds WHERE account {among}", accounts
    )
    return {account: day_of(until) for account, until in found}
