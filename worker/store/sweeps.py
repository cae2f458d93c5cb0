"""Sweeps and their shards. A slot exists once, a shard is leased to one worker at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from worker.store.tables import accounts, sweep_shards, sweeps, workspace

SHARD_SIZE = 1_000
"""Accounts in a shard: enough to read in bulk, few enough to be done well within a lease."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A shard to sweep: accounts from id `first` up to, not including, `beyond`.

    `of_today` says that the sweep was begun on the very day that it is of.
    """

    sweep: int
    shard: int
    on: date
    of_today: bool
    previous_on: date | None
    first: str
    beyond: str | None
    starts: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What a sweep has done so far; `left` is the number of shards still to do."""

    accounts: int
    opened: int
    resolved: int
    left: int
    failed: int


def last_sweep_on(db: Connection) -> date | None:
    """The date of the latest sweep."""
    return db.execute(select(workspace.c.last_sweep_on)).scalar()


def open_sweep(
    db: Connection, kind: str, slot: str, on: date, shard_size: int, now: datetime
) -> int | None:
    """Begin the sweep of a slot with all of its shards; None if the slot has been begun."""
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    sweep: int | None = db.execute(
        dialect.insert(sweeps)
        .values(kind=kind, slot=slot, on_date=on, previous_on=last_sweep_on(db), created_at=now)
        .on_conflict_do_nothing(index_elements=["kind", "slot"])
        .returning(sweeps.c.id)
    ).scalar()
    if sweep is None:
        return None
    bounds = _bounds(db, shard_size)
    db.execute(
        insert(sweep_shards),
        [
            {"sweep": sweep, "shard": shard, "first_account": first, "next_account": beyond}
            for shard, (first, beyond) in enumerate(zip(bounds, [*bounds[1:], None], strict=True))
        ],
    )
    db.execute(
        update(workspace)
        .where(or_(workspace.c.last_sweep_on.is_(None), workspace.c.last_sweep_on < on))
        .values(last_sweep_on=on)
    )
    return sweep


def _bounds(db: Connection, shard_size: int) -> list[str]:
    """The first account id of each shard; the first shard begins before any id."""
    numbered = select(
        accounts.c.account, (func.row_number().over(order_by=accounts.c.account) - 1).label("place")
    ).subquery()
    found = db.execute(
        select(numbered.c.account)
        .where(numbered.c.place % shard_size == 0)
        .order_by(numbered.c.place)
    ).scalars()
    return ["", *list(found)[1:]]


def lease(db: Connection, sweep: int, shard: int, now: datetime, length: timedelta) -> Lease | None:
    """Take a shard that is neither done nor in another's hands; None if it is."""
    row = db.execute(
        update(sweep_shards)
        .where(
            sweep_shards.c.sweep == sweep,
            sweep_shards.c.shard == shard,
            _free(now),
        )
        .values(leased_until=now + length, starts=sweep_shards.c.starts + 1)
        .returning(sweep_shards.c.first_account, sweep_shards.c.next_account, sweep_shards.c.starts)
    ).one_or_none()
    if row is None:
        return None
    on, previous, created_at = db.execute(
        select(sweeps.c.on_date, sweeps.c.previous_on, sweeps.c.created_at).where(
            sweeps.c.id == sweep
        )
    ).one()
    return Lease(sweep, shard, on, created_at.date() == on, previous, *row)


def finish(
    db: Connection, held: Lease, accounts: int, opened: int, resolved: int, now: datetime
) -> bool:
    """Record a shard's result; False if another worker has recorded one already."""
    done = db.execute(
        update(sweep_shards)
        .where(
            sweep_shards.c.sweep == held.sweep,
            sweep_shards.c.shard == held.shard,
            sweep_shards.c.finished_at.is_(None),
        )
        .values(finished_at=now, accounts=accounts, opened=opened, resolved=resolved, error=None)
    )
    return done.rowcount == 1


def release(db: Connection, held: Lease, error: str) -> None:
    """Give a shard back after a failure, for someone else to try."""
    db.execute(
        update(sweep_shards)
        .where(sweep_shards.c.sweep == held.sweep, sweep_shards.c.shard == held.shard)
        .values(leased_until=None, error=error)
    )


def put_back(db: Connection, held: Lease) -> None:
    """Give a shard back that was not begun with, as if it had not been taken."""
    db.execute(
        update(sweep_shards)
        .where(sweep_shards.c.sweep == held.sweep, sweep_shards.c.shard == held.shard)
        .values(leased_until=None, starts=sweep_shards.c.starts - 1)
    )


def waiting(db: Connection, now: datetime, max_starts: int) -> Sequence[tuple[int, int]]:
    """(sweep, shard) of what nobody is sweeping, and has not failed `max_starts` times."""
    found = db.execute(
        select(sweep_shards.c.sweep, sweep_shards.c.shard)
        .where(_free(now), sweep_shards.c.starts < max_starts)
        .order_by(sweep_shards.c.sweep, sweep_shards.c.shard)
    )
    return [(sweep, shard) for sweep, shard in found]


def running(db: Connection, begun_after: datetime) -> list[int]:
    """The sweeps, of those begun after a time, of which a shard is still to do."""
    found = db.execute(
        select(sweeps.c.id)
        .join(sweep_shards, sweep_shards.c.sweep == sweeps.c.id)
        .where(sweep_shards.c.finished_at.is_(None), sweeps.c.created_at > begun_after)
        .distinct()
    )
    return list(found.scalars())


def totals(db: Connection, sweep: int, max_starts: int) -> Totals:
    """How far a sweep is."""
    done = sweep_shards.c.finished_at.is_not(None)
    row = db.execute(
        select(
            func.coalesce(func.sum(sweep_shards.c.accounts), 0),
            func.coalesce(func.sum(sweep_shards.c.opened), 0),
            func.coalesce(func.sum(sweep_shards.c.resolved), 0),
            func.count().filter(~done),
            func.count().filter(
                and_(~done, sweep_shards.c.starts >= max_starts, sweep_shards.c.error.is_not(None))
            ),
        ).where(sweep_shards.c.sweep == sweep)
    ).one()
    return Totals(*(int(value) for value in row))


def failed(db: Connection, max_starts: int) -> Sequence[tuple[date, int, str | None]]:
    """(date of the sweep, shard, error) of the shards that were given up."""
    found = db.execute(
        select(sweeps.c.on_date, sweep_shards.c.shard, sweep_shards.c.error)
        .join(sweeps, sweeps.c.id == sweep_shards.c.sweep)
        .where(sweep_shards.c.finished_at.is_(None), sweep_shards.c.starts >= max_starts)
    )
    return [(on, shard, error) for on, shard, error in found]


def _free(now: datetime) -> ColumnElement[bool]:
    return and_(
        sweep_shards.c.finished_at.is_(None),
        or_(sweep_shards.c.leased_until.is_(None), sweep_shards.c.leased_until < now),
    )
