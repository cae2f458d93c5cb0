"""What the portfolio report needs to know of accounts, beside their stats."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from worker.store.dialect import execute, execute_among


class Described(NamedTuple):
    """How an account is described now; `first_day` is that of its first event, an ordinal."""

    account: str
    first_day: int
    segment: str | None
    owner: str | None
    region: str | None
    currency: str | None


def described(db: Connection, accounts: Iterable[str]) -> list[Described]:
    """How these accounts are described, in order of id."""
    found = execute_among(
        db,
        "SELECT account, first_day, segment, owner, region, currency FROM accounts "
        "WHERE account {among}",
        accounts,
    )
    return sorted(Described._make(row) for row in found)


def records_subscriptions(db: Connection, before: datetime) -> bool:
    """Whether any account had a subscription before a time."""
    found = execute(
        db, "SELECT 1 FROM subscription_events WHERE time < :before LIMIT 1", before=before
    )
    return bool(found.all())
