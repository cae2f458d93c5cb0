"""The ties: day buckets, which are the truth, and states, a cache of what those come to.

A state is extended when a day is added at its end, and made anew when one comes late.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, func, select

from worker.core.additions import Additions
from worker.core.ties import Bucket, TieState, extend, state_of
from worker.store.dialect import Rows, execute, execute_rows, in_our_order
from worker.store.tables import ties

TieKey = tuple[str, str, str]
"""(account, rep, contact)"""

_TIE = {"account": "text", "rep": "text", "contact": "text"}
_DAY = {"day": "int"}
_BUCKET = {"mutual": "bigint", "outbound": "bigint", "inbound": "bigint"}
_STATE = (
    _TIE
    | _DAY
    | _BUCKET
    | dict.fromkeys(("past_mutual", "past_outbound", "past_inbound"), "float8")
    | {"active_days": "int", "two_way_day": "int"}
)


def ask_ties(db: Connection, add: Additions, half_life: int) -> Callable[[], None]:
    """Add to the day buckets, and ask for their ties' states; the function returned waits for
    those and brings them up to date."""
    added = execute_rows(
        db,
        """
        INSERT INTO tie_days (account, rep, contact, day, mutual, outbound, inbound)
        SELECT account, rep, contact, day, mutual, outbound, inbound FROM {rows} WHERE true
        ON CONFLICT (account, rep, contact, day) DO UPDATE SET
            mutual = tie_days.mutual + excluded.mutual,
            outbound = tie_days.outbound + excluded.outbound,
            inbound = tie_days.inbound + excluded.inbound
        RETURNING account, rep, contact, day, mutual, outbound, inbound
        """,
        _TIE | _DAY | _BUCKET,
        [(*key, *sums) for key, sums in sorted(add.tie_days.items())],
    )
    keys = sorted({(account, rep, contact) for account, rep, contact, _ in add.tie_days})
    found = execute_rows(
        db,
        """
        SELECT t.account, t.rep, t.contact, t.day, t.mutual, t.outbound, t.inbound,
            t.past_mutual, t.past_outbound, t.past_inbound, t.active_days, t.two_way_day
        FROM {rows}
        JOIN ties t ON t.account = r.account AND t.rep = r.rep AND t.contact = r.contact
        """,
        _TIE,
        keys,
    )
    return lambda: _extend_ties(db, added, found, half_life)


def _extend_ties(db: Connection, added: Rows, found: Rows, half_life: int) -> None:
    buckets: dict[TieKey, list[Bucket]] = defaultdict(list)
    for account, rep, contact, *bucket in added:
        buckets[account, rep, contact].append(Bucket._make(bucket))
    stored = {(account, rep, contact): TieState._make(s) for account, rep, contact, *s in found}
    fresh: dict[TieKey, TieState] = {}
    late: list[TieKey] = []
    for key, days in buckets.items():
        days.sort()
        state = stored.get(key)
        if state is not None and days[0].day < state.day:
            late.append(key)
            continue
        for one in days:
            state = extend(state, one, half_life)
        if state is not None:
            fresh[key] = state
    _write_ties(db, fresh | _rebuilt(db, late, half_life))


def _rebuilt(db: Connection, keys: Sequence[TieKey], half_life: int) -> dict[TieKey, TieState]:
    if not keys:
        return {}
    found = execute_rows(
        db,
        """
        SELECT t.account, t.rep, t.contact, t.day, t.mutual, t.outbound, t.inbound
        FROM {rows}
        JOIN tie_days t ON t.account = r.account AND t.rep = r.rep AND t.contact = r.contact
        ORDER BY t.account, t.rep, t.contact, t.day
        """,
        _TIE,
        keys,
    )
    return states_of(found, half_life)


def states_of(rows: Iterable[Sequence[Any]], half_life: int) -> dict[TieKey, TieState]:
    """States from (account, rep, contact, day, sums...) rows, sorted by those four."""
    states = {}
    for key, days in groupby(rows, key=lambda row: (row[0], row[1], row[2])):
        state = state_of((Bucket._make(day[3:]) for day in days), half_life)
        if state is not None:
            states[key] = state
    return states


def _write_ties(db: Connection, states: dict[TieKey, TieState]) -> None:
    columns = ", ".join(_STATE)
    updates = ", ".join(f"{name} = excluded.{name}" for name in _STATE if name not in _TIE)
    execute_rows(
        db,
        f"INSERT INTO ties ({columns}) SELECT {columns} FROM {{rows}} WHERE true "
        f"ON CONFLICT (account, rep, contact) DO UPDATE SET {updates}",
        _STATE,
        [(*key, *state) for key, state in sorted(states.items())],
    )


def calibrate(db: Connection, half_life: int) -> None:
    """Make the stored ties those of this half-life (days), if they are of another."""
    changed = execute(
        db,
        "UPDATE workspace SET half_life = :half_life WHERE half_life <> :half_life RETURNING id",
        half_life=half_life,
    )
    if changed.all():
        rebuild_ties(db, half_life)


def rebuild_ties(db: Connection, half_life: int) -> None:
    """Make every tie's state anew from its day buckets: they are the truth, it is a cache."""
    order = in_our_order(db, "account", "rep", "contact")
    keys = execute(db, f"SELECT account, rep, contact FROM ties ORDER BY {order}").all()
    for start in range(0, len(keys), 5_000):
        _write_ties(db, _rebuilt(db, keys[start : start + 5_000], half_life))


def number_of(db: Connection, account: str, contact: str | None = None) -> int:
    """How many ties an account has, or one of its contacts."""
    query = select(func.count()).select_from(ties).where(ties.c.account == account)
    if contact is not None:
        query = query.where(ties.c.contact == contact)
    return db.scalar(query) or 0
