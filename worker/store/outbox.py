"""The outbox: alerts wait here, from the transaction that decided on them until Slack has them.

A row is `waiting`, then `sending` while somebody holds it under a lease, then `sent` or `failed`.
A lease that runs out was held by a process that died: the row counts as waiting again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)

from worker.core.alerts import Alert
from worker.store.dialect import execute_rows
from worker.store.tables import Instant, outbox, reps, workspace

WAITING = "waiting"
SENDING = "sending"
SENT = "sent"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that its taker holds until `leased_until`; `attempts` counts this one too."""

    id: int
    key: str
    attempts: int
    leased_until: datetime
    body: str

    @property
    def alert(self) -> Alert:
        """The alert as it was put, read only now: one that cannot be read holds up no other.

        Raises:
            msgspec.ValidationError: another version of tiewatch wrote what this one cannot read.
        """
        return msgspec.json.decode(self.body, type=Alert)


@dataclass(frozen=True, slots=True)
class Failure:
    """An alert that was given up, and why."""

    id: int
    account: str
    created_at: datetime
    attempts: int
    error: str


def put(db: Connection, alerts: Sequence[tuple[str, Alert]], now: datetime) -> int:
    """Write alerts that are due at once; of those with the same key, only the first ever.

    Returns the number written. An account's alerts are sent in the order given here.
    """
    # By account: two transactions that put the same keys then wait for each other, not deadlock.
    ordered = sorted(alerts, key=lambda one: one[1].account)
    written = execute_rows(
        db,
        """
        INSERT INTO outbox (key, account, alert, state, created_at, due_at)
        SELECT r.key, r.account, r.alert, 'waiting', r.at, r.at FROM {rows} WHERE true
        ON CONFLICT (key) DO NOTHING RETURNING id
        """,
        {"key": "text", "account": "text", "alert": "text", "at": "timestamptz"},
        [(key, alert.account, msgspec.json.encode(alert).decode(), now) for key, alert in ordered],
    )
    return len(written.all())


def take(db: Connection, now: datetime, lease: timedelta, limit: int = 1) -> list[Waiting]:
    """Mark up to `limit` due rows as sending until `now + lease`, the longest due first.

    Skips rows of an account that has an earlier one unsent, and all rows while Slack wants a pause.
    In PostgreSQL, rows that another transaction is taking are passed over; in SQLite there is no
    other one.
    """
    others = outbox.alias("others")
    # Not "no earlier one exists": PostgreSQL makes a join of that, over all unsent rows each time.
    first_of_account = (
        select(func.min(others.c.id))
        .where(others.c.account == outbox.c.account, _unsent(others))
        .scalar_subquery()
    )
    due = (
        select(outbox.c.id)
        .where(
            _unsent(outbox),
            or_(
                and_(outbox.c.state == WAITING, outbox.c.due_at <= now),
                and_(outbox.c.state == SENDING, outbox.c.leased_until <= now),
            ),
            outbox.c.id == first_of_account,
            ~exists().where(workspace.c.slack_paused_until > now),
        )
        .order_by(outbox.c.due_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=outbox)
        .cte("due")
    )
    taken = db.execute(
        update(outbox)
        .where(outbox.c.id.in_(select(due.c.id)))
        .values(state=SENDING, leased_until=now + lease, attempts=outbox.c.attempts + 1)
        .returning(
            outbox.c.due_at,
            outbox.c.id,
            outbox.c.key,
            outbox.c.attempts,
            outbox.c.leased_until,
            outbox.c.alert,
        )
    )
    return [Waiting(*row[1:]) for row in sorted(taken, key=lambda row: (row.due_at, row.id))]


def sent(db: Connection, row: Waiting, channel: str, ts: str | None, now: datetime) -> None:
    """Record where the message stands. True whoever holds the row by now; the first one stays."""
    db.execute(
        update(outbox)
        .where(outbox.c.id == row.id, outbox.c.state != SENT)
        .values(
            state=SENT, sent_at=now, channel=channel, message_ts=ts, leased_until=None, error=None
        )
    )


def put_back(
    db: Connection, row: Waiting, due_at: datetime, error: str, *, counted: bool = True
) -> None:
    """Let the row wait until `due_at`; unless `counted`, the attempt was none."""
    db.execute(
        update(outbox)
        .where(_held(row))
        .values(
            state=WAITING,
            due_at=due_at,
            leased_until=None,
            error=error,
            attempts=row.attempts if counted else row.attempts - 1,
        )
    )


def failed(db: Connection, row: Waiting, error: str) -> None:
    """Give the row up, and keep why."""
    db.execute(
        update(outbox).where(_held(row)).values(state=FAILED, leased_until=None, error=error)
    )


def requeue(db: Connection, now: datetime) -> int:
    """Let the alerts that were given up wait again, as if new, and say how many they are."""
    return db.execute(
        update(outbox).where(outbox.c.state == FAILED).values(state=WAITING, due_at=now, attempts=0)
    ).rowcount


def pause(db: Connection, until: datetime) -> None:
    """Let nobody take a row before `until`, nor before the end of a pause that is longer."""
    db.execute(
        text(
            """
            INSERT INTO workspace (id, slack_paused_until) VALUES (1, :until)
            ON CONFLICT (id) DO UPDATE SET slack_paused_until = excluded.slack_paused_until
            WHERE workspace.slack_paused_until IS NULL
               OR workspace.slack_paused_until < excluded.slack_paused_until
            """
        ).bindparams(bindparam("until", type_=Instant)),
        {"until": until},
    )


def paused_until(db: Connection) -> datetime | None:
    """The end of the last pause that Slack asked for, which may be over."""
    return db.scalar(select(workspace.c.slack_paused_until))


def next_due(db: Connection) -> datetime | None:
    """When the next alert may be sent, which may be past; None if none waits."""
    due: datetime | None = db.scalar(select(func.min(outbox.c.due_at)).where(_unsent(outbox)))
    pause = paused_until(db)
    return due if due is None or pause is None else max(due, pause)


def slack_user(db: Connection, rep: str | None) -> str | None:
    """The Slack user of a rep who has not left, if there is one."""
    return db.scalar(select(reps.c.slack_user).where(reps.c.rep == rep, reps.c.gone.is_not(True)))


def unsent(db: Connection) -> int:
    """The number of rows that are waiting or being sent."""
    return db.scalar(select(func.count()).select_from(outbox).where(_unsent(outbox))) or 0


def counts(db: Connection) -> dict[str, int]:
    """The number of rows in each state."""
    found = db.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state))
    return dict.fromkeys((WAITING, SENDING, SENT, FAILED), 0) | dict(found.all())


def failures(db: Connection, limit: int) -> list[Failure]:
    """The newest alerts that were given up."""
    found = db.execute(
        select(
            outbox.c.id, outbox.c.account, outbox.c.created_at, outbox.c.attempts, outbox.c.error
        )
        .where(outbox.c.state == FAILED)
        .order_by(outbox.c.id.desc())
        .limit(limit)
    )
    return [Failure(*row) for row in found]


def _unsent(table: FromClause) -> ColumnElement[bool]:
    # Spelt out, not bound: only so does PostgreSQL see that the index of unsent rows will do.
    return table.c.state.in_([literal_column("'waiting'"), literal_column("'sending'")])


def _held(row: Waiting) -> ColumnElement[bool]:
    # Only a row that is being sent has a lease, and it tells whether another took the row since.
    return and_(outbox.c.id == row.id, outbox.c.leased_until == row.leased_until)
