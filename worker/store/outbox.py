"""The outbox: alerts wait here, from the transaction that decided on them to their planning.

Whom an alert is for, and when, is planned later (worker/delivering/planning.py): a batch does not
wait for it. One that cannot be planned is put aside for a while, with the error, and holds up no
other.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, select, text, update

from worker.core.alerts import Alert
from worker.core.muting import CHURNED
from worker.store.dialect import execute_among, execute_rows
from worker.store.tables import UNPLANNED, outbox


@dataclass(frozen=True, slots=True)
class Unplanned:
    """An alert of which nobody has said yet who hears of it; `sweep` is the one that it is of.

    `churned` is whether its account has churned since it was put; `tries` is how often it was put
    aside.
    """

    id: int
    key: str
    account: str
    sweep: int | None
    body: str
    churned: bool
    tries: int

    @property
    def alert(self) -> Alert:
        """The alert as it was put, on an account that has churned by now if it has.

        Raises:
            msgspec.ValidationError: another version of tiewatch wrote what this one cannot read.
        """
        found = msgspec.json.decode(self.body, type=Alert)
        return msgspec.structs.replace(found, lifecycle=CHURNED) if self.churned else found


@dataclass(frozen=True, slots=True)
class Aside:
    """An alert that could not be planned: how often it was tried, when it is again, and why not."""

    key: str
    account: str
    tries: int
    until: datetime
    error: str


def put(
    db: Connection,
    alerts: Sequence[tuple[str, Alert]],
    now: datetime,
    sweep: int | None = None,
) -> int:
    """Write alerts, of a sweep if it is given; of those with the same key, only the first ever.

    Returns the number written. An account's alerts are planned in the order given here.
    """
    # By account: two transactions that put the same keys then wait for each other, not deadlock.
    ordered = sorted(alerts, key=lambda one: one[1].account)
    written = execute_rows(
        db,
        """
        INSERT INTO outbox (key, account, alert, created_at, sweep)
        SELECT r.key, r.account, r.alert, r.at, r.sweep FROM {rows} WHERE true
        ON CONFLICT (key) DO NOTHING RETURNING id
        """,
        dict.fromkeys(("key", "account", "alert"), "text")
        | {"at": "timestamptz", "sweep": "bigint"},
        [
            (key, alert.account, msgspec.json.encode(alert).decode(), now, sweep)
            for key, alert in ordered
        ],
    )
    return len(written.all())


def unplanned(db: Connection, limit: int, running: Collection[int] = ()) -> list[Unplanned]:
    """The oldest alerts that are not planned yet, nor put aside, which nobody else can plan
    meanwhile.

    Those of sweeps that are `running` stay back, and with them all else of their accounts. Whoever
    else asks waits: two who planned side by side could plan an account's later alert first.
    """
    which: ColumnElement[bool] = outbox.c.aside_until.is_(None)
    if running:
        held = select(outbox.c.account).where(text(UNPLANNED.text), outbox.c.sweep.in_(running))
        which = and_(which, outbox.c.account.not_in(held))
    return _locked(db, which, limit)


def due_again(db: Connection, limit: int, now: datetime) -> list[Unplanned]:
    """The oldest of those put aside that are to be tried again, which nobody else can meanwhile."""
    return _locked(db, outbox.c.aside_until <= now, limit)


_UNPLANNED = ("id", "key", "account", "sweep", "alert", "churned", "tries")


def _locked(db: Connection, which: ColumnElement[bool], limit: int) -> list[Unplanned]:
    found = (
        select(*(outbox.c[name] for name in _UNPLANNED))
        .where(text(UNPLANNED.text), which)
        .order_by(outbox.c.id)
        .limit(limit)
        .with_for_update(of=outbox)
    )
    return [Unplanned(*row) for row in db.execute(found)]


def put_aside(db: Connection, row: Unplanned, error: str, until: datetime) -> None:
    """Keep why an alert could not be planned, and try it again at `until`."""
    db.execute(
        update(outbox)
        .where(outbox.c.id == row.id)
        .values(tries=row.tries + 1, aside_until=until, error=error)
    )


_ASIDE = and_(text(UNPLANNED.text), outbox.c.aside_until.is_not(None))


def aside(db: Connection, limit: int) -> list[Aside]:
    """The newest of those that are put aside."""
    of = outbox.c
    found = db.execute(
        select(of.key, of.account, of.tries, of.aside_until, of.error)
        .where(_ASIDE)
        .order_by(of.id.desc())
        .limit(limit)
    )
    return [Aside(*row) for row in found]


def number_aside(db: Connection) -> int:
    """The number of alerts that are put aside."""
    return db.scalar(select(func.count()).select_from(outbox).where(_ASIDE)) or 0


def try_again(db: Connection, now: datetime) -> int:
    """Let those that are put aside be tried again now; how many they are."""
    return db.execute(update(outbox).where(_ASIDE).values(aside_until=now)).rowcount


def note_churned(db: Connection, accounts: Iterable[str]) -> None:
    """Note that these accounts have churned, with what is decided of them and not planned yet."""
    which = f"SELECT id FROM outbox WHERE account {{among}} AND {UNPLANNED.text} AND NOT churned"
    # Not those that somebody plans just now: batches wait for no deliveries.
    passed_over = " FOR UPDATE SKIP LOCKED" if db.dialect.name == "postgresql" else ""
    execute_among(
        db,
        f"UPDATE outbox SET churned = true WHERE id IN ({which}{passed_over})",
        sorted(set(accounts)),
    )


def of_sweeps(db: Connection) -> dict[int, int]:
    """How many alerts each sweep has that are not planned yet."""
    found = db.execute(
        select(outbox.c.sweep, func.count())
        .where(text(UNPLANNED.text), outbox.c.sweep.is_not(None))
        .group_by(outbox.c.sweep)
    )
    return dict(found.all())


def planned(db: Connection, ids: Iterable[int], now: datetime) -> None:
    """Note that it has been said who hears of these."""
    db.execute(update(outbox).where(outbox.c.id.in_(list(ids))).values(planned_at=now))


def to_plan(db: Connection) -> int:
    """The number of alerts that are not planned yet, with those put aside."""
    found = select(func.count()).select_from(outbox).where(text(UNPLANNED.text))
    return db.scalar(found) or 0


def alerts(db: Connection) -> list[Alert]:
    """All that it was ever given, the oldest first."""
    found = db.execute(select(outbox.c.alert).order_by(outbox.c.id)).scalars()
    return [msgspec.json.decode(body, type=Alert) for body in found]
