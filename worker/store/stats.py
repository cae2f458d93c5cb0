"""Reads the stats of many accounts at once, as of the end of a UTC day."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection

from worker.core.metrics import NO_METRICS, Metrics
from worker.core.reading import EVERYTHING, Reading
from worker.core.stats import AccountStats, ContactStats, UsageStats, Workspace
from worker.core.subscriptions import as_of
from worker.core.ties import Tie, TieSettings, TieState
from worker.store import parts, workspace
from worker.store.dialect import Rows, execute, execute_among, in_our_order
from worker.store.subscriptions import decode_contracts, subscription_events
from worker.store.ties import states_of


def ask_workspace(db: Connection, settings: TieSettings) -> Callable[[], Workspace]:
    """Ask what the facts of all accounts share; the function returned waits for the answer."""
    kept = workspace.ask(db)

    def answer() -> Workspace:
        known = kept()
        return Workspace(known.first_interaction_day, known.gone_reps, settings)

    return answer


def read_workspace(db: Connection, settings: TieSettings) -> Workspace:
    """What the facts of all accounts share."""
    return ask_workspace(db, settings)()


def is_known(db: Connection, account: str) -> bool:
    """Whether there is an account with this id."""
    found = execute(db, "SELECT 1 FROM accounts WHERE account = :account", account=account)
    return bool(found.all())


def account_ids(
    db: Connection, on: date, first: str = "", beyond: str | None = None
) -> Sequence[str]:
    """Accounts with an event up to `on`, from id `first` up to, not including, `beyond`; sorted.

    What lies between two ids, the database's language says, as where sweeps are cut into shards.
    """
    bounds = {"first": first} if beyond is None else {"first": first, "beyond": beyond}
    found = execute(
        db,
        "SELECT account FROM accounts WHERE first_day <= :on AND account >= :first "
        f"{'' if beyond is None else 'AND account < :beyond'} "
        f"ORDER BY {in_our_order(db, 'account')}",
        on=on.toordinal(),
        **bounds,
    )
    return [account for (account,) in found]


def read(
    db: Connection,
    accounts: Iterable[str],
    on: date,
    half_life: int,
    reading: Reading = EVERYTHING,
    metrics: Metrics = NO_METRICS,
) -> dict[str, AccountStats]:
    """The stats of those accounts that exist, by id, from events up to the end of `on`.

    Windows end the day before. `half_life` (days) serves ties that had contact after `on`, whose
    state on that date is made anew from their day buckets. `reading` says what is asked for, and
    `metrics` what is to be measured for it.
    """
    return ask(db, accounts, on, half_life, reading, metrics)()


def ask(
    db: Connection,
    accounts: Iterable[str],
    on: date,
    half_life: int,
    reading: Reading = EVERYTHING,
    metrics: Metrics = NO_METRICS,
) -> Callable[[], dict[str, AccountStats]]:
    """Ask what `read` returns; the function returned waits for the answer."""
    ids, day = sorted(set(accounts)), on.toordinal()
    end = datetime.combine(on + timedelta(days=1), time(), UTC)
    given = execute_among(db, _ACCOUNTS, ids, on=day, end=end)
    people = execute_among(db, _CONTACTS, ids, on=day)
    ties = execute_among(db, _TIES, ids)
    add_parts = parts.ask(db, ids, day, reading, metrics)

    def answer() -> dict[str, AccountStats]:
        stats = {}
        later = []
        for *of_account, kept, is_later, last_day, recent, previous, active_days in given:
            one = stats[of_account[0]] = AccountStats(*of_account)
            one.usage = UsageStats(last_day, recent or 0, previous or 0, active_days or 0)
            if is_later:
                later.append(one.account)
            elif kept:
                one.contracts = decode_contracts(kept)
        for row in people:
            stats[row[0]].contacts.append(ContactStats._make(row[1:]))
        _add_ties(db, stats, ties, day, half_life)
        for account, events in subscription_events(db, later).items():
            stats[account].contracts = as_of(e for e in events if e.stamp[0] < end)
        add_parts(stats)
        return stats

    return answer


_ACCOUNTS = """
    SELECT a.account, name, segment, owner, seats, mrr, currency, renewal_day, lifecycle,
        first_day, first_usage_day, first_user_day,
        subscriptions, subscribed_until >= :end,
        CASE WHEN first_usage_day <= :on THEN coalesce(
            last_day,
            (SELECT max(day) FROM usage_days u WHERE u.account = a.account AND day <= :on)
        ) END,
        recent, previous, active_days
    FROM accounts a LEFT JOIN (
        SELECT account, max(day) AS last_day,
            CAST(sum(CASE WHEN day >= :on - 30 AND day < :on THEN count ELSE 0 END) AS bigint)
                AS recent,
            CAST(sum(CASE WHEN day < :on - 30 THEN count ELSE 0 END) AS bigint) AS previous,
            sum(CASE WHEN day >= :on - 30 AND day < :on THEN 1 ELSE 0 END) AS active_days
        FROM usage_days
        WHERE account {among} AND day >= :on - 60 AND day <= :on
        GROUP BY account
    ) AS windows ON windows.account = a.account
    WHERE a.account {among}
"""

_CONTACTS = """
    SELECT account, contact, name, title, level, role, gone,
        CASE WHEN last_used < :on - 90 THEN NULL
            WHEN last_used < :on THEN last_used
            WHEN last_used = :on THEN CASE WHEN used_before >= :on - 90 THEN used_before END
            WHEN last_used > :on THEN (
                SELECT max(day) FROM feature_days u WHERE u.account = contacts.account
                    AND u.contact = contacts.contact AND u.day >= :on - 90 AND u.day < :on)
        END,
        function
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


def _add_ties(
    db: Connection, stats: Mapping[str, AccountStats], rows: Rows, day: int, half_life: int
) -> None:
    later: set[tuple[str, str, str]] = set()
    for row in rows:
        account, rep, contact = row[:3]
        state = TieState._make(row[3:])
        if state.day <= day:
            stats[account].ties.append(Tie(rep, contact, state))
        else:
            later.add((account, rep, contact))
    if later:
        found = execute_among(db, _TIE_DAYS, sorted({key[0] for key in later}), on=day)
        wanted = (row for row in found if tuple(row[:3]) in later)
        for (account, rep, contact), state in states_of(wanted, half_life).items():
            stats[account].ties.append(Tie(rep, contact, state))
