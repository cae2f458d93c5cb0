"""Folds new events into the stats, with one statement a table.

The accounts are locked first, in order of id, so that two batches that touch the same account
take turns, and each evaluates what the one before it left.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec
from sqlalchemy import Connection

from worker.core.events import Event, Subscription
from worker.core.stats import Additions, additions
from worker.store.attributes import fold_attributes
from worker.store.dialect import Rows, execute, execute_rows
from worker.store.tables import instant
from worker.store.ties import TieKey, fold_ties

LAST_USAGE = "days_since_usage"
"""The one fact that the usage of the very day changes: windows are of complete days."""


@dataclass(frozen=True, slots=True)
class Folded:
    """What some events did to the stats.

    `changed` are the accounts with more than usage, or with their first; of the others,
    `more_usage` and `new_usage` hold (account, day): days that had usage before, and that had none.
    """

    changed: frozenset[str]
    more_usage: frozenset[tuple[str, int]]
    new_usage: frozenset[tuple[str, int]]

    def accounts(self, on: date, facts: Collection[str]) -> list[str]:
        """The accounts of which any of these facts may be another on the date `on`, sorted.

        Of the usage of `on` itself only the first event of an account changes a fact, and only
        one; at midnight a sweep sees the rest.
        """
        today = on.toordinal()
        first = self.new_usage if LAST_USAGE in facts else ()
        late = (u for u in (*self.more_usage, *self.new_usage) if u[1] < today)
        return sorted(self.changed.union(a for a, _ in late).union(a for a, _ in first))


def fold(db: Connection, events: Sequence[Event], half_life: int) -> Folded:
    """Add new events to the stats.

    `half_life` (days) must be the one that the stored ties were made with.
    """
    add = additions(events)
    begun = _lock_accounts(db, add) if add.accounts else ()
    counted = _fold_usage_days(db, add) if add.usage_days else ()
    used = _fold_user_days(db, add) if add.user_days else ()
    known = fold_ties(db, add, half_life) if add.tie_days else set()
    _fold_people(db, add, _newly_used(add, used), known)
    _fold_subscriptions(db, add.subscriptions)
    fold_attributes(db, add.attributes)
    if add.first_interaction_day is not None:
        _begin_interactions(db, add.first_interaction_day)
    new = frozenset((a, day) for a, day, count in counted if count == add.usage_days[a, day])
    changed = add.not_usage.union(account for (account,) in begun)
    return Folded(frozenset(changed), frozenset(add.usage_days.keys() - new), new)


def _lock_accounts(db: Connection, add: Additions) -> Rows:
    """Create or lock the accounts' rows; returns those that are new or whose first days changed."""
    return execute_rows(
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


def _fold_usage_days(db: Connection, add: Additions) -> Rows:
    """Add to the accounts' days; returns (account, day, count)."""
    return execute_rows(
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


def _fold_user_days(db: Connection, add: Additions) -> Rows:
    """Add to the users' days; returns (account, contact, day, count)."""
    return execute_rows(
        db,
        """
        INSERT INTO user_days (account, contact, day, count)
        SELECT account, contact, day, count FROM {rows} WHERE true
        ON CONFLICT (account, contact, day) DO UPDATE SET count = user_days.count + excluded.count
        RETURNING account, contact, day, count
        """,
        {"account": "text", "contact": "text", "day": "int", "count": "bigint"},
        [(*key, count) for key, count in sorted(add.user_days.items())],
    )


def _newly_used(
    add: Additions, used: Iterable[tuple[str, str, int, int]]
) -> dict[tuple[str, str], list[int]]:
    """The days of each user that had no usage of theirs yet, in order; none for those known."""
    days: dict[tuple[str, str], list[int]] = defaultdict(list)
    for account, contact, day, count in used:
        of_user = days[account, contact]
        if count == add.user_days[account, contact, day]:
            of_user.append(day)
    return days


def _fold_people(
    db: Connection,
    add: Additions,
    used: dict[tuple[str, str], list[int]],
    known: set[TieKey],
) -> None:
    """Create the people named, and keep the last two days on which each used the product."""
    seen = {(account, contact) for account, _, contact in known}
    rows = []
    for person in sorted(add.contacts):
        days = sorted(used.get(person, ()))[-2:]
        if days or (person not in seen and person not in used):
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


def _begin_interactions(db: Connection, day: int) -> None:
    execute(
        db,
        "UPDATE workspace SET first_interaction_day = :day "
        "WHERE first_interaction_day IS NULL OR first_interaction_day > :day",
        day=day,
    )
