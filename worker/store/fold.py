"""Folds new events into the stats, with one statement a table.

Accounts whose rules will be evaluated are locked first, in order of id, so that two batches that
touch the same account take turns, and each evaluates what the one before it left. Nobody waits
for an account that has nothing but more usage of today, by users who are known to use it today:
that changes no fact before midnight, adds up in any order, and is folded last, while the rules of
the others are evaluated. Whoever writes to the people of an account has locked it before: they are
written to both before usage and after it, and two batches could else wait for each other.
"""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from worker.core.additions import Additions
from worker.store import health
from worker.store.attributes import ask_attributes
from worker.store.dialect import Rows, execute, execute_rows, in_our_order
from worker.store.parts import ask_parts, send_features
from worker.store.subscriptions import ask_subscriptions
from worker.store.ties import ask_ties

LAST_USAGE = "days_since_usage"
"""The one fact that the usage of the very day changes: windows are of complete days."""


@dataclass(frozen=True, slots=True)
class Folded:
    """What some events did to the stats, and what is still to be done.

    `accounts` are those of which facts may have changed, in order of id. `rest` sends what changes
    none of them; the function that it returns waits for that, and does what is left then.
    """

    accounts: list[str]
    rest: Callable[[], Callable[[], None]]


def fold(
    db: Connection,
    add: Additions,
    half_life: int,
    on: date,
    facts: Collection[str],
    began: int | None = None,
) -> Folded:
    """Add to the stats what may change one of these facts on the date `on`, or a later one.

    `half_life` (days) must be the one that the stored ties were made with. `began` is the day of
    the workspace's first interaction as far as is known, an ordinal.
    """
    today = on.toordinal()
    looked_at = LAST_USAGE in facts
    late = {account for account, day in add.usage_days if day < today}
    of_today = {account for account, day in add.usage_days if day == today} if looked_at else set()
    # All that need not wait for an answer is sent before the first one is waited for.
    begun = _lock_accounts(db, add, add.not_usage | late | of_today)
    _forget_scores(db, add, today)
    unused = _without_usage(db, of_today, today) if of_today else None
    _create_people(db, add)
    fold_days = ask_ties(db, add, half_life) if add.tie_days else None
    set_attributes = ask_attributes(db, add.attributes)
    update_subscriptions = ask_subscriptions(db, add.subscriptions)
    update_parts = ask_parts(db, add)
    first = add.first_interaction_day
    if first is not None and (began is None or first < began):
        _begin_interactions(db, first, began)
    if fold_days is not None:
        fold_days()
    set_attributes()
    update_subscriptions()
    update_parts()
    changed = add.not_usage | late | {account for (account,) in begun}
    if not late and not of_today:
        return Folded(sorted(changed), lambda: _send_usage(db, add))
    changed |= {account for (account,) in unused.all()} if unused else set()
    _send_usage(db, add)()
    return Folded(sorted(changed), lambda: lambda: None)


def _lock_accounts(db: Connection, add: Additions, locked: Collection[str]) -> Rows:
    """Create the accounts that are new, and lock those to be locked and those with a user whose
    last days of usage are others now.

    Returns those that are new, and those whose first days are others now.
    """
    users: dict[str, set[tuple[str | None, int | None]]] = defaultdict(set)
    for account, day, contact, _ in add.feature_days:
        if contact and account not in locked:
            users[account].add((contact, day))
    return execute_rows(
        db,
        f"""
        INSERT INTO accounts (account, first_day, first_usage_day, first_user_day)
        SELECT r.account, first_day, first_usage_day, first_user_day
        FROM {{rows}} LEFT JOIN contacts c ON c.account = r.account AND c.contact = r.contact
        WHERE locked OR (r.contact IS NOT NULL AND NOT {_has_used("c", "r.day")}) OR NOT EXISTS (
            SELECT 1 FROM accounts a
            WHERE a.account = r.account AND a.first_day <= r.first_day
                AND (r.first_usage_day IS NULL OR a.first_usage_day <= r.first_usage_day)
                AND (r.first_user_day IS NULL OR a.first_user_day <= r.first_user_day)
        )
        GROUP BY r.account, first_day, first_usage_day, first_user_day
        ORDER BY {in_our_order(db, "r.account")}
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
        {
            "account": "text",
            "first_day": "int",
            "first_usage_day": "int",
            "first_user_day": "int",
            "locked": "boolean",
            "contact": "text",
            "day": "int",
        },
        [
            (account, days.first, days.usage, days.user, account in locked, *use)
            for account, days in add.accounts.items()
            for use in users.get(account, _NOBODY)
        ],
    )


_NOBODY: set[tuple[str | None, int | None]] = {(None, None)}


def _has_used(contact: str, day: str) -> str:
    """Whether a day is among the last two that are kept of a contact, or would change neither."""
    last, before = f"{contact}.last_used", f"{contact}.used_before"
    return f"coalesce({last} = {day} OR ({last} > {day} AND {before} >= {day}), false)"


def _create_people(db: Connection, add: Additions) -> None:
    """Create the people named otherwise than by usage, unless they are there."""
    if add.contacts:
        execute_rows(
            db,
            "INSERT INTO contacts (account, contact) SELECT account, contact FROM {rows} "
            "WHERE true ON CONFLICT (account, contact) DO NOTHING",
            {"account": "text", "contact": "text"},
            sorted(add.contacts),
        )
    if add.reps:
        execute_rows(
            db,
            "INSERT INTO reps (rep) SELECT rep FROM {rows} WHERE true ON CONFLICT (rep) DO NOTHING",
            {"rep": "text"},
            [(rep,) for rep in sorted(add.reps)],
        )


def _without_usage(db: Connection, accounts: Collection[str], day: int) -> Rows:
    return execute_rows(
        db,
        "SELECT account FROM {rows} WHERE NOT EXISTS "
        "(SELECT 1 FROM usage_days u WHERE u.account = r.account AND u.day = :day)",
        {"account": "text"},
        [(account,) for account in sorted(accounts)],
        day=day,
    )


def _send_usage(db: Connection, add: Additions) -> Callable[[], None]:
    """Add to the days of accounts, users and features; the function returned waits, and creates
    the users."""
    if add.usage_days:
        execute_rows(
            db,
            """
            INSERT INTO usage_days (account, day, count)
            SELECT account, day, count FROM {rows} WHERE true
            ON CONFLICT (account, day) DO UPDATE SET count = usage_days.count + excluded.count
            """,
            {"account": "text", "day": "int", "count": "bigint"},
            [(*key, count) for key, count in sorted(add.usage_days.items())],
        )
    if not add.feature_days:
        return lambda: None
    sums = send_features(db, add)
    return lambda: _fold_users(db, add, sums)


def _fold_users(db: Connection, add: Additions, sums: Rows) -> None:
    """Create the users, and keep the last two days on which each used the product.

    `sums` are what their days have come to: one that is all of this batch is new. A day that is
    not is kept already, and its user is there.
    """
    days: dict[tuple[str, str], set[int]] = defaultdict(set)
    for account, day, contact, feature, uses in sums:
        if contact and uses == add.feature_days[account, day, contact, feature][0]:
            days[account, contact].add(day)
    if not days:
        return
    latest = [(user, sorted(of_user)[-2:]) for user, of_user in sorted(days.items())]
    execute_rows(
        db,
        f"""
        INSERT INTO contacts (account, contact, last_used, used_before)
        SELECT r.account, r.contact, r.last_used, r.used_before
        FROM {{rows}} LEFT JOIN contacts c ON c.account = r.account AND c.contact = r.contact
        WHERE NOT ({_has_used("c", "r.last_used")}
            AND (r.used_before IS NULL OR {_has_used("c", "r.used_before")}))
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
        """,
        {"account": "text", "contact": "text", "last_used": "int", "used_before": "int"},
        [(*user, two[-1], two[0] if len(two) > 1 else None) for user, two in latest],
    )


def _forget_scores(db: Connection, add: Additions, today: int) -> None:
    """Forget the health scores that events have come too late for.

    Yesterday's may come with the load of a night: they leave yesterday's score as its sweep found
    it, as those do that come later on the very day.
    """
    past = [
        (account, days.first if days.first < today - 1 else today)
        for account, days in add.accounts.items()
        if days.first < today
    ]
    if past:
        health.forget_of(db, past)


def _begin_interactions(db: Connection, day: int, began: int | None) -> None:
    """Note that interactions have been recorded since that day, not only since they `began`: up to
    there it was known of no account whether there are any."""
    health.forget_between(db, day, began)
    execute(
        db,
        "UPDATE workspace SET first_interaction_day = :day "
        "WHERE first_interaction_day IS NULL OR first_interaction_day > :day",
        day=day,
    )
