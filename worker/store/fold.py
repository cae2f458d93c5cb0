"""Folds new events into the stats, with one statement a table.

The accounts are locked first, in order of id, so that two batches that touch the same account
take turns, and each evaluates what the one before it left.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import msgspec
from sqlalchemy import Connection, text

from worker.core.events import Event, Subscription
from worker.core.stats import Additions, additions
from worker.store.attributes import fold_attributes
from worker.store.dialect import execute_rows
from worker.store.tables import instant
from worker.store.ties import TieKey, fold_ties


@dataclass(frozen=True, slots=True)
class Folded:
    """What some events did to the stats.

    `changed` are the accounts with more than usage, or with their first; of the others,
    `more_usage` and `new_usage` hold (account, day): days that had usage before, and that had none.
    """

    changed: frozenset[str]
    more_usage: frozenset[tuple[str, int]]
    new_usage: frozenset[tuple[str, int]]

    def accounts(self, on: date) -> list[str]:
        """The accounts whose facts of the date `on` may have changed, in order of id.

        Usage windows are of complete days: of the usage of `on` itself only the first event of
        an account changes a fact, and at midnight a sweep sees the rest.
        """
        today = on.toordinal()
        late = {account for account, day in self.more_usage if day < today}
        return sorted(self.changed | late | {account for account, _ in self.new_usage})


def fold(db: Connection, events: Sequence[Event], half_life: int) -> Folded:
    """Add new events to the stats.

    `half_life` (days) must be the one that the stored ties were made with.
    """
    add = additions(events)
    changed = set(add.not_usage)
    if add.accounts:
        changed.update(_lock_accounts(db, add))
    known = fold_ties(db, add, half_life) if add.tie_days else set()
    new_usage = _fold_usage(db, add)
    _fold_people(db, add, known)
    _fold_subscriptions(db, add.subscriptions)
    fold_attributes(db, add.attributes)
    if add.first_interaction_day is not None:
        _begin_interactions(db, add.first_interaction_day)
    return Folded(
        frozenset(changed), frozenset(add.usage_days.keys() - new_usage), frozenset(new_usage)
    )


def _lock_accounts(db: Connection, add: Additions) -> list[str]:
    """Create or lock the accounts' rows; returns those that are new or whose first days changed."""
    changed = execute_rows(
        db,
        """
        INSERT INTO accounts (account, first_day, first_usage_day, first_user_day)
        SELECT account, first_day, first_usage_day, first_user_day FROM {rows} WHERE true
        ON CONFLICT (account) DO UPDATE SET
            first_day = least(accounts.first_day, excluded.first_day),
            first_usage_day = coalesce(
                least(accounts.first_usage_day, excluded.first_usage_day),
                accounts.first_usage_day, excluded.first_usage_day),
            first_user_day = coalesce(
                least(accounts.first_user_day, excluded.first_user_day),
                accounts.first_user_day, excluded.first_user_day)
        WHERE excluded.first_day < accounts.first_day
            OR excluded.first_usage_day < coalesce(accounts.first_usage_day, 2147483647)
            OR excluded.first_user_day < coalesce(accounts.first_user_day, 2147483647)
        RETURNING account
        """,
        {"account": "text", "first_day": "int", "first_usage_day": "int", "first_user_day": "int"},
        sorted((account, d.first, d.usage, d.user) for account, d in add.accounts.items()),
    )
    return [account for (account,) in changed]


def _fold_usage(db: Connection, add: Additions) -> set[tuple[str, int]]:
    """Add to the days of accounts and users; returns the (account, day) that had no usage yet."""
    new_days = set()
    if add.usage_days:
        counted = execute_rows(
            db,
            """
            INSERT INTO usage_days (account, day, count)
            SELECT account, day, count FROM {rows} WHERE true
            ON CONFLICT (account, day) DO UPDATE SET count = usage_days.count + excluded.count
            RETURNING account, day, count
            """,
            {"account": "text", "day": "int", "count": "bigint"},
            [(*key, count) for key, count in sorted(add.usage_days.items())],
        )
        new_days = {(a, day) for a, day, count in counted if count == add.usage_days[a, day]}
    if add.user_days:
        execute_rows(
            db,
            """
            INSERT INTO user_days (account, contact, day, count)
            SELECT account, contact, day, count FROM {rows} WHERE true
            ON CONFLICT (account, contact, day) DO UPDATE SET
                count = user_days.count + excluded.count
            """,
            {"account": "text", "contact": "text", "day": "int", "count": "bigint"},
            [(*key, count) for key, count in sorted(add.user_days.items())],
        )
    return new_days


def _fold_people(db: Connection, add: Additions, known: set[TieKey]) -> None:
    """Create the people named, and keep the last two days on which each used the product."""
    used: dict[tuple[str, str], list[int]] = defaultdict(list)
    for account, contact, day in add.user_days:
        used[account, contact].append(day)
    seen = {(account, contact) for account, _, contact in known}
    rows = []
    for person in sorted(add.contacts):
        days = sorted(used.get(person, ()))[-2:]
        if days or person not in seen:
            rows.append((*person, days[-1] if days else None, days[0] if len(days) > 1 else None))
    if rows:
        execute_rows(
            db,
            """
            INSERT INTO contacts (account, contact, last_used, used_before)
            SELECT account, contact, last_used, used_before FROM {rows} WHERE true
            ON CONFLICT (account, contact) DO UPDATE SET
                last_used = greatest(coalesce(contacts.last_used, 0), excluded.last_used),
                used_before = CASE
                    WHEN contacts.last_used IS NULL THEN excluded.used_before
                    WHEN excluded.last_used > contacts.last_used
                        THEN greatest(contacts.last_used, coalesce(excluded.used_before, 0))
                    WHEN excluded.last_used < contacts.last_used
                        THEN greatest(excluded.last_used, coalesce(contacts.used_before, 0))
                    ELSE coalesce(
                        greatest(contacts.used_before, excluded.used_before),
                        contacts.used_before, excluded.used_before)
                END
            WHERE excluded.last_used <> coalesce(contacts.last_used, 0)
                OR excluded.used_before > coalesce(contacts.used_before, 0)
            """,
            {"account": "text", "contact": "text", "last_used": "int", "used_before": "int"},
            rows,
        )
    new_reps = add.reps - {rep for _, rep, _ in known}
    if new_reps:
        execute_rows(
            db,
            "INSERT INTO reps (rep) SELECT rep FROM {rows} WHERE true ON CONFLICT (rep) DO NOTHING",
            {"rep": "text"},
            [(rep,) for rep in sorted(new_reps)],
        )


def _fold_subscriptions(db: Connection, events: Sequence[Event]) -> None:
    if not events:
        return
    execute_rows(
        db,
        """
        INSERT INTO subscription_events (account, subscription, source, id, time, data)
        SELECT account, subscription, source, id, time, data FROM {rows} WHERE true
        """,
        dict.fromkeys(("account", "subscription", "source", "id"), "text")
        | {"time": "timestamptz", "data": "text"},
        [
            (e.account, e.data.subscription, e.source, e.id, instant(e.time), _json(e.data))
            for e in events
            if isinstance(e.data, Subscription)
        ],
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _begin_interactions(db: Connection, day: int | None) -> None:
    db.execute(
        text(
            "UPDATE workspace SET first_interaction_day = :day "
            "WHERE first_interaction_day IS NULL OR first_interaction_day > :day"
        ),
        {"day": day},
    )
