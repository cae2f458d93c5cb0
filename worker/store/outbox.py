"""The outbox: alerts wait here, from the transaction that decided on them to their planning.

Whom an alert is for, and when, is planned later (worker/planning.py): a batch does not wait for it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select, text, update

from worker.core.alerts import Alert
from worker.store.dialect import execute_rows
from worker.store.tables import UNPLANNED, outbox


@dataclass(frozen=True, slots=True)
class Unplanned:
    """An alert of which nobody has said yet who hears of it; `sweep` is the one that it is of."""

    id: int
    key: str
    account: str
    sweep: int | None
    body: str

    @property
    def alert(self) -> Alert:
        """The alert as it was put, read only now: one that cannot be read holds up no other.

        Raises:
            msgspec.ValidationError: another version of tiewatch wrote what this one cannot read.
        """
        return msgspec.json.decode(self.body, type=Alert)


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
    """The oldest alerts that are not planned yet, which nobody else can plan meanwhile.

    Those of sweeps that are `running` stay back, and with them all else of their accounts. Whoever
    else asks waits: two who planned side by side could plan an account's later alert first.
    """
    found = select(*(outbox.c[name] for name in ("id", "key", "account", "sweep", "alert"))).where(
        text(UNPLANNED.text)
    )
    if running:
        held = select(outbox.c.account).where(text(UNPLANNED.text), outbox.c.sweep.in_(running))
        found = found.where(outbox.c.account.not_in(held))
    rows = db.execute(found.order_by(outbox.c.id).limit(limit).with_for_update(of=outbox))
    return [Unplanned(*row) for row in rows]


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
    """The number of alerts that are not planned yet."""
    found = select(func.count()).select_from(outbox).where(text(UNPLANNED.text))
    return db.scalar(found) or 0


def alerts(db: Connection) -> list[Alert]:
    """All that it was ever given, the oldest first."""
    found = db.execute(select(outbox.c.alert).order_by(outbox.c.id)).scalars()
    return [msgspec.json.decode(body, type=Alert) for body in found]
