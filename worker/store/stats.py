"""Reads the stats of many accounts at once, as of the end of a UTC day."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

import msgspec
from sqlalchemy import Connection, text

from worker.core.events import Subscription
from worker.core.stats import AccountStats, ContactStats, Tie, UsageStats, Workspace
from worker.core.subscriptions import SubscriptionEvent
from worker.core.ties import TieSettings, TieState
from worker.store.dialect import execute_among
from worker.store.tables import instant
from worker.store.ties import states_of

_decode_subscription = msgspec.json.Decoder(Subscription).decode


def read_workspace(db: Connection, settings: TieSettings) -> Workspace:
    """What the facts of all accounts share."""
    began = db.execute(text("SELECT first_interaction_day FROM workspace")).scalar()
    gone = db.execute(text("SELECT rep FROM reps WHERE gone")).scalars()
    return Workspace(began, frozenset(gone), settings)


def account_ids(
    db: Connection, on: date, first: str = "", beyond: str | None = None
) -> Sequence[str]:
    """Accounts with an event up to `on`, from id `first` up to, not including, `beyond`; sorted."""
    upper = "" if beyond is None else "AND account < :beyond"
    return (
        db.execute(
            text(
                "SELECT account FROM accounts WHERE account >= :first AND first_day <= :on "
                f"{upper} ORDER BY account"
            ),
            {"first": first, "on": on.toordinal()} | ({} if beyond is None else {"beyond": beyond}),
        )
        .scalars()
        .all()
    )


def read(
    db: Connection, accounts: Iterable[str], on: date, half_life: int
) -> dict[str, AccountStats]:
    """The stats of those accounts that exist, by id, from events up to the end of `on`.

    Usage windows end the day before. `half_life` (days) serves ties that had contact after `on`,
    whose state on that date is made anew from their day buckets.
    """
    ids, day = sorted(set(accounts)), on.toordinal()
    stats = _accounts(db, ids, day)
    for row in execute_among(db, _CONTACTS, ids, on=day):
        stats[row[0]].contacts.append(ContactStats._make(row[1:]))
    for account, tie in _ties(db, ids, day, half_life):
        stats[account].ties.append(tie)
    end = datetime.combine(on + timedelta(days=1), time(), UTC)
    until = instant(end) if db.dialect.name == "sqlite" else end
    for account, moment, id_, source, data in execute_among(db, _SUBSCRIPTIONS, ids, end=until):
        stamp = (moment if isinstance(moment, str) else instant(moment), id_, source)
        stats[account].subscriptions.append(SubscriptionEvent(stamp, _decode_subscription(data)))
    return stats


_ACCOUNTS = """
    SELECT account, name, segment, owner, seats, mrr, currency, renewal_day, lifecycle,
        first_day, first_usage_day, first_user_day,
        CASE WHEN first_usage_day <= :on THEN
            (SELECT max(day) FROM usage_days u WHERE u.account = accounts.account AND day <= :on)
        END
    FROM accounts WHERE account {among}
"""

_USAGE = """
    SELECT account,
        CAST(sum(CASE WHEN day >= :on - 30 THEN count ELSE 0 END) AS bigint),
        CAST(sum(CASE WHEN day < :on - 30 THEN count ELSE 0 END) AS bigint),
        sum(CASE WHEN day >= :on - 30 THEN 1 ELSE 0 END)
    FROM usage_days WHERE account {among} AND day >= :on - 60 AND day < :on GROUP BY account
"""

_CONTACTS = """
    SELECT account, contact, name, title, level, role, gone,
        CASE WHEN last_used IS NULL OR last_used < :on THEN last_used
            WHEN last_used = :on THEN used_before
            ELSE (SELECT max(day) FROM user_days u WHERE u.account = contacts.account
                AND u.contact = contacts.contact AND u.day < :on)
        END
    FROM contacts WHERE account {among}
"""

_TIES = """
    SELECT account, rep, contact, day, mutual, outbound, inbound,
        past_mutual, past_outbound, past_inbound, active_days, two_way_day
    FROM ties WHERE account {among}
"""

_TIE_DAYS = """
    SELECT account, rep, contact, day, mutual, outbound, inbound FROM tie_days
    WHERE account {among} AND day <= :on ORDER BY account, rep, contact, day
"""

_SUBSCRIPTIONS = """
    SELECT account, time, id, source, data FROM subscription_events
    WHERE account {among} AND time < :end
"""


def _accounts(db: Connection, ids: Sequence[str], day: int) -> dict[str, AccountStats]:
    windows = {row[0]: row[1:] for row in execute_among(db, _USAGE, ids, on=day)}
    stats = {}
    for row in execute_among(db, _ACCOUNTS, ids, on=day):
        one = stats[row[0]] = AccountStats(*row[:-1])
        one.usage = UsageStats(row[-1], *windows.get(one.account, (0, 0, 0)))
    return stats


def _ties(
    db: Connection, ids: Sequence[str], day: int, half_life: int
) -> Iterator[tuple[str, Tie]]:
    later: set[tuple[str, str, str]] = set()
    for row in execute_among(db, _TIES, ids):
        account, rep, contact = row[:3]
        state = TieState._make(row[3:])
        if state.day <= day:
            yield account, Tie(rep, contact, state)
        else:
            later.add((account, rep, contact))
    if later:
        rows = execute_among(db, _TIE_DAYS, sorted({key[0] for key in later}), on=day)
        wanted = (row for row in rows if tuple(row[:3]) in later)
        for (account, rep, contact), state in states_of(wanted, half_life).items():
            yield account, Tie(rep, contact, state)
