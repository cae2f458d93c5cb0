"""Leases: who sends a bundle of messages holds its rows, until they say what became of them.

A lease that runs out was held by a process that died: the row counts as waiting again. The rows of
a recipient's bundle leave in order, as one message.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)

from worker.core.bundles import Kind
from worker.store.messages import DROPPED, FAILED, INSTEAD, SENDING, SENT, WAITING, is_unsent
from worker.store.tables import Instant, messages, slack_channels, workspace

MOST = 200
"""Rows in one bundle taken: more is said in another message."""

MOST_LINES = 5_000
"""Rows in one digest, which shows the ones that matter most and counts the others."""


@dataclass(frozen=True, slots=True)
class Row:
    """A message that its taker holds until `leased_until`; `attempts` counts this one too.

    `tried_at` is when a try began of which nobody knows whether Slack took it.
    """

    id: int
    key: str
    recipient: str
    account: str
    bundle: str
    kind: Kind
    body: str
    attempts: int
    tried_at: datetime | None
    leased_until: datetime


_NOW = bindparam("now", type_=Instant)
_DUE = or_(
    and_(messages.c.state == WAITING, messages.c.due_at <= _NOW),
    and_(messages.c.state == SENDING, messages.c.leased_until <= _NOW),
)

# Put together once: that takes longer than to run them.
_others = messages.alias("others")
_FIRSTS = (
    select(messages.c.id, messages.c.recipient, messages.c.bundle)
    .where(
        is_unsent(messages),
        _DUE,
        # Whoever holds a bundle's first unsent row holds the bundle: those behind it come after it.
        # Not "no earlier one exists": PostgreSQL makes a join of that, over all unsent rows.
        messages.c.id
        == select(func.min(_others.c.id))
        .where(
            _others.c.recipient == messages.c.recipient,
            _others.c.bundle == messages.c.bundle,
            is_unsent(_others),
        )
        .scalar_subquery(),
        ~exists().where(workspace.c.slack_paused_until > _NOW),
        ~exists().where(
            slack_channels.c.channel == messages.c.channel, slack_channels.c.next_at > _NOW
        ),
    )
    .order_by(messages.c.due_at, messages.c.id)
    .limit(2)
    .with_for_update(skip_locked=True, of=messages)
)
_TAKE = (
    update(messages)
    .where(
        messages.c.id.in_(
            select(messages.c.id)
            .where(
                messages.c.recipient == bindparam("of_recipient"),
                messages.c.bundle == bindparam("in_bundle"),
                is_unsent(messages),
                _DUE,
            )
            .order_by(messages.c.id)
            .limit(bindparam("most"))
        )
    )
    .values(
        state=SENDING,
        leased_until=bindparam("until", type_=Instant),
        attempts=messages.c.attempts + 1,
    )
    .returning(*(messages.c[name] for name in Row.__slots__))
)


def take(db: Connection, now: datetime, lease: timedelta) -> tuple[list[Row], bool]:
    """Mark the bundle that has been due longest as sending until `now + lease`.

    Returns its rows, in order, and whether another one is due. None is due while Slack wants a
    pause, nor before its channel's next turn. In PostgreSQL, a bundle that another transaction is
    taking is passed over; in SQLite there is no other one.
    """
    firsts = db.execute(_FIRSTS, {"now": now}).all()
    if not firsts:
        return [], False
    first, *more = firsts
    taken = db.execute(
        _TAKE,
        {
            "now": now,
            "until": now + lease,
            "of_recipient": first.recipient,
            "in_bundle": first.bundle,
            "most": MOST_LINES if first.bundle.startswith("digest/") else MOST,
        },
    )
    rows = (Row(**row._asdict() | {"kind": Kind(row.kind)}) for row in taken)
    return sorted(rows, key=lambda row: row.id), bool(more)


def trying(db: Connection, rows: Iterable[Row], now: datetime) -> None:
    """Note that Slack may have these from now on, whatever becomes of us."""
    ids = [row.id for row in rows if row.tried_at is None]
    db.execute(update(messages).where(messages.c.id.in_(ids)).values(tried_at=now))


def sent(
    db: Connection,
    rows: Iterable[Row],
    channel: str,
    ts: str | None,
    now: datetime,
    conversation: int | None = None,
) -> None:
    """Record where they stand. True whoever holds the rows by now; the first record stays."""
    db.execute(
        update(messages)
        .where(messages.c.id.in_([row.id for row in rows]), messages.c.state != SENT)
        .values(
            state=SENT,
            sent_at=now,
            channel=channel,
            message_ts=ts,
            conversation=conversation,
            leased_until=None,
            error=None,
        )
    )


def put_back(
    db: Connection,
    rows: Sequence[Row],
    due_at: datetime,
    error: str | None = None,
    *,
    counted: bool = True,
    uncertain: bool = False,
) -> None:
    """Let the rows wait until `due_at`; unless `counted`, the attempt was none.

    `uncertain`: Slack may have taken them in this attempt.
    """
    changes = {"state": WAITING, "due_at": due_at, "leased_until": None}
    if error is not None:
        changes["error"] = error
    if not counted:
        changes["attempts"] = messages.c.attempts - 1
    db.execute(update(messages).where(_held(rows)).values(changes))
    if not uncertain:
        new = [row.id for row in rows if row.tried_at is None]
        db.execute(
            update(messages)
            .where(messages.c.id.in_(new), messages.c.state == WAITING)
            .values(tried_at=None)
        )


def put_off(db: Connection, rows: Sequence[Row], channel: str) -> None:
    """Let the rows wait for the next turn of this channel, as all else of their recipient does."""
    db.execute(
        update(messages)
        .where(_held(rows))
        .values(state=WAITING, leased_until=None, attempts=messages.c.attempts - 1)
    )
    of_recipient = (
        select(messages.c.id)
        .where(
            messages.c.recipient == rows[0].recipient,
            is_unsent(messages),
            messages.c.state == WAITING,
            messages.c.channel.is_distinct_from(channel),
        )
        # Not those that somebody takes just now: they wait for the turn that we have looked at.
        .with_for_update(skip_locked=True)
        .cte("of_recipient")
    )
    db.execute(
        update(messages).where(messages.c.id.in_(select(of_recipient.c.id))).values(channel=channel)
    )


def readdress(
    db: Connection, rows: Sequence[Row], recipient: str, error: str, now: datetime
) -> None:
    """Let another recipient have the rows at once, as if new; keep why."""
    if not rows:
        return
    db.execute(
        update(messages)
        .where(_held(rows))
        .values(
            state=WAITING,
            recipient=recipient,
            due_at=now,
            attempts=0,
            tried_at=None,
            leased_until=None,
            channel=None,
            error=None,
            why=f"{INSTEAD}{rows[0].recipient}: {error}",
        )
    )


def failed(db: Connection, rows: Sequence[Row], error: str) -> None:
    """Give the rows up, and keep why."""
    db.execute(update(messages).where(_held(rows)).values(_over(FAILED, error)))


def dropped(db: Connection, rows: Sequence[Row], why: str) -> None:
    """Nobody need hear of these any more."""
    db.execute(update(messages).where(_held(rows)).values(_over(DROPPED, why)))


def _over(state: str, error: str) -> dict[str, str | None]:
    return {"state": state, "leased_until": None, "error": error}


def _held(rows: Sequence[Row]) -> ColumnElement[bool]:
    # Only a row that is being sent has a lease, and it tells whether another took the row since.
    until = {row.leased_until for row in rows}
    ids = [row.id for row in rows]
    return and_(messages.c.id.in_(ids), messages.c.leased_until.in_(list(until)))
