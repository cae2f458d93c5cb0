"""Messages: what is told to one recipient, from its planning until Slack has it.

A row is `waiting`, then `sending` while somebody holds it under a lease, then `sent`, `failed`, or
`dropped` if nobody need hear of it any more. A lease that runs out was held by a process that died:
the row counts as waiting again. The rows of a recipient's bundle leave in order, as one message.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from worker.core.bundles import Kind as Kind
from worker.store.dialect import execute_rows
from worker.store.tables import Instant, messages, slack_channels, workspace

WAITING = "waiting"
SENDING = "sending"
SENT = "sent"
FAILED = "failed"
DROPPED = "dropped"

DEFAULT = "default"
"""The recipient that is the default channel."""

ADMIN = "admin"
"""The recipient that is those who edit the rules and keep tiewatch running."""

TELLING = (Kind.ALERT, Kind.REMINDER, Kind.ESCALATION)
"""The kinds that say something of an account in the conversation about it."""

MOST = 200
"""Rows in one bundle taken: more is said in another message."""

MOST_LINES = 5_000
"""Rows in one digest, which shows the ones that matter most and counts the others."""


def rep(id_: str) -> str:
    """The recipient that is this rep."""
    return f"rep:{id_}"


def channel(name: str) -> str:
    """The recipient that is this channel of Slack, by name or id."""
    return f"channel:{name}"


def account_bundle(account: str) -> str:
    """The bundle of a conversation about an account."""
    return f"account/{account}"


@dataclass(frozen=True, slots=True)
class New:
    """A message to put. `key` is what makes it the same message however often it is planned.

    `body` is an `Alert` for an alert, reminder, escalation and note, and for an update unless that
    has nothing new, a `Digest` of one line, to be put together with the others of its bundle, or a
    `Weekly`. `reason` is the alert's, whichever kind of message it is told in. `why` says for what
    reasons it is told to whom it is, when it is; `dropped` why it is told to nobody: then it is
    kept for the record.
    """

    key: str
    recipient: str
    account: str
    bundle: str
    kind: Kind
    body: str
    due_at: datetime
    flag: int | None = None
    reason: str | None = None
    why: str | None = None
    dropped: str | None = None


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


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that was given up, or that went elsewhere, and why."""

    id: int
    account: str
    created_at: datetime
    attempts: int
    error: str


def put(db: Connection, new: Sequence[New], now: datetime) -> int:
    """Write messages; of those with the same key, only the first ever. Returns how many.

    What waits in the same bundle of the recipient, and was to wait longer, goes along with them:
    so a bundle leaves in order.
    """
    written = execute_rows(
        db,
        """
        INSERT INTO messages
            (key, recipient, account, bundle, kind, flag, reason, body, state, created_at, due_at,
            why, error)
        SELECT r.key, r.recipient, r.account, r.bundle, r.kind, r.flag, r.reason, r.body,
            CASE WHEN r.dropped IS NULL THEN 'waiting' ELSE 'dropped' END, :at, r.due_at, r.why,
            r.dropped
        FROM {rows} WHERE true
        ON CONFLICT (key) DO NOTHING RETURNING id
        """,
        dict.fromkeys(New.__slots__, "text") | {"due_at": "timestamptz", "flag": "bigint"},
        [[getattr(one, name) for name in New.__slots__] for one in new],
        at=now,
    ).all()
    due: dict[tuple[str, str], datetime] = {}
    for one in (each for each in new if each.dropped is None):
        where = (one.recipient, one.bundle)
        due[where] = min(one.due_at, due.get(where, one.due_at))
    execute_rows(
        db,
        """
        UPDATE messages SET due_at = r.due_at FROM {rows}
        WHERE messages.recipient = r.recipient AND messages.bundle = r.bundle
          AND messages.state IN ('waiting', 'sending') AND messages.state = 'waiting'
          AND messages.attempts = 0 AND messages.due_at > r.due_at
        """,
        {"recipient": "text", "bundle": "text", "due_at": "timestamptz"},
        [(*where, at) for where, at in sorted(due.items())],
    )
    return len(written)


def _unsent(table: FromClause) -> ColumnElement[bool]:
    # Spelt out, not bound: only so does PostgreSQL see that the index of unsent rows will do.
    return table.c.state.in_([literal_column("'waiting'"), literal_column("'sending'")])


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
        _unsent(messages),
        _DUE,
        # Whoever holds a bundle's first unsent row holds the bundle: those behind it come after it.
        # Not "no earlier one exists": PostgreSQL makes a join of that, over all unsent rows.
        messages.c.id
        == select(func.min(_others.c.id))
        .where(
            _others.c.recipient == messages.c.recipient,
            _others.c.bundle == messages.c.bundle,
            _unsent(_others),
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
                _unsent(messages),
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
            _unsent(messages),
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
            why=f"{_INSTEAD}{rows[0].recipient}: {error}",
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


def requeue(db: Connection, now: datetime) -> int:
    """Let the messages that were given up wait again, as if new, and say how many they are."""
    return db.execute(
        update(messages)
        .where(messages.c.state == FAILED)
        .values(state=WAITING, due_at=now, attempts=0, error=None)
    ).rowcount


def next_due(db: Connection) -> datetime | None:
    """When the next bundle may be sent, which may be past; None if none waits."""
    first = select(func.min(messages.c.id)).where(_unsent(messages))
    due = case(
        (messages.c.state == SENDING, messages.c.leased_until),
        (slack_channels.c.next_at > messages.c.due_at, slack_channels.c.next_at),
        else_=messages.c.due_at,
    )
    at: datetime | None = db.scalar(
        select(func.min(due, type_=Instant))
        .select_from(messages)
        .outerjoin(slack_channels, slack_channels.c.channel == messages.c.channel)
        .where(messages.c.id.in_(first.group_by(messages.c.recipient, messages.c.bundle)))
    )
    pause = db.scalar(select(workspace.c.slack_paused_until))
    return at if at is None or pause is None else max(at, pause)


def unsent(db: Connection) -> int:
    """The number of rows that are waiting or being sent."""
    return db.scalar(select(func.count()).select_from(messages).where(_unsent(messages))) or 0


def counts(db: Connection) -> dict[str, int]:
    """The number of rows in each state."""
    found = db.execute(select(messages.c.state, func.count()).group_by(messages.c.state))
    return dict.fromkeys((WAITING, SENDING, SENT, FAILED, DROPPED), 0) | dict(found.all())


def failures(db: Connection, limit: int) -> list[Failure]:
    """The newest messages that were given up."""
    of = messages.c
    found = db.execute(
        select(of.id, of.account, of.created_at, of.attempts, of.error)
        .where(of.state == FAILED)
        .order_by(of.id.desc())
        .limit(limit)
    )
    return [Failure(*row) for row in found]


def diverted(db: Connection, since: datetime) -> dict[str, int]:
    """Why messages planned since then went to another recipient, and how many did."""
    of = messages.c
    found = db.execute(
        select(of.why, func.count())
        .where(of.recipient == DEFAULT, of.created_at >= since, of.why.like(f"{_INSTEAD}%"))
        .group_by(of.why)
        .order_by(of.why)
    )
    return dict(found.all())


_INSTEAD = "instead of "


def _held(rows: Sequence[Row]) -> ColumnElement[bool]:
    # Only a row that is being sent has a lease, and it tells whether another took the row since.
    until = {row.leased_until for row in rows}
    ids = [row.id for row in rows]
    return and_(messages.c.id.in_(ids), messages.c.leased_until.in_(list(until)))
