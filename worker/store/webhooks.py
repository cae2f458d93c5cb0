"""What other systems are told: messages from the transaction that decided on them until they have
arrived.

A message is `waiting`, then `sent`, `failed`, or `dropped` if its webhook is no longer there.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, select, text, tuple_, update

from worker.store.dialect import execute_rows
from worker.store.tables import WAITING as WAITS
from worker.store.tables import webhook_endpoints, webhook_facts, webhook_messages

WAITING = "waiting"
SENT = "sent"
FAILED = "failed"
DROPPED = "dropped"

IS_WAITING = text(WAITS.text)  # spelt out, so that PostgreSQL sees that its index will do


@dataclass(frozen=True, slots=True)
class New:
    """A message to put: `key` is its id for the receiver, `body` the very text that is signed."""

    key: str
    webhook: str
    account: str
    type: str
    body: str


@dataclass(frozen=True, slots=True)
class Row:
    """A message that is due; `attempts` are those before."""

    id: int
    key: str
    account: str
    body: str
    attempts: int


def put(db: Connection, new: Sequence[New], now: datetime) -> int:
    """Write messages, due at once; returns how many. An account's are sent in the order given."""
    if not new:
        return 0
    execute_rows(
        db,
        "INSERT INTO webhook_messages (key, webhook, account, type, body, created_at, due_at) "
        "SELECT key, webhook, account, type, body, :at, :at FROM {rows} WHERE true",
        dict.fromkeys(New.__slots__, "text"),
        [[getattr(one, name) for name in New.__slots__] for one in new],
        at=now,
    )
    return len(new)


def next_up(db: Connection, webhook: str, now: datetime, most: int) -> list[Row]:
    """The messages that have been due longest, one of each account: the first that it has."""
    of, others = webhook_messages.c, webhook_messages.alias("others")
    first = (
        select(func.min(others.c.id))
        .where(
            others.c.webhook == of.webhook,
            others.c.account == of.account,
            text("others.state = 'waiting'"),
        )
        .scalar_subquery()
    )
    found = db.execute(
        select(*(of[name] for name in Row.__slots__))
        .where(*due(webhook, now), of.id == first)
        .order_by(of.due_at, of.id)
        .limit(most)
    )
    return [Row(*row) for row in found]


def due(webhook: str, now: datetime) -> tuple[Any, ...]:
    """What holds of the messages that are due to a webhook, for a query."""
    of = webhook_messages.c
    return of.webhook == webhook, text("webhook_messages.state = 'waiting'"), of.due_at <= now


def ended(
    db: Connection, rows: Sequence[Row], state: str, now: datetime, error: str | None = None
) -> None:
    """Record that messages have arrived, or that they were given up and why."""
    db.execute(
        update(webhook_messages)
        .where(webhook_messages.c.id.in_([row.id for row in rows]), IS_WAITING)
        .values(state=state, ended_at=now, error=error, attempts=webhook_messages.c.attempts + 1)
    )


def put_back(db: Connection, row: Row, due_at: datetime, error: str) -> None:
    """Let a message wait, and those of its account behind it."""
    db.execute(
        update(webhook_messages)
        .where(webhook_messages.c.id == row.id, IS_WAITING)
        .values(due_at=due_at, error=error, attempts=webhook_messages.c.attempts + 1)
    )


def drop_others(db: Connection, webhooks: Collection[str], now: datetime) -> int:
    """Drop what waits or was given up for other webhooks than these, unless it is of the last
    minute, and forget what they were told; how many."""
    ours = webhook_messages.c
    dropped = db.execute(
        update(webhook_messages)
        .where(
            ours.webhook.not_in(webhooks),
            ours.state.in_((WAITING, FAILED)),
            # What is newer may be of a webhook that this process has not read of yet.
            ours.created_at < now - timedelta(minutes=1),
        )
        .values(state=DROPPED, ended_at=now, error="its webhook is not in webhooks.yaml any more")
    ).rowcount
    for table in (webhook_endpoints, webhook_facts):
        kept = select(ours.webhook).where(IS_WAITING)
        of = table.c.webhook
        db.execute(delete(table).where(of.not_in(webhooks), of.not_in(kept)))
    return dropped


def forget(db: Connection, before: datetime, given_up_before: datetime) -> None:
    """Forget messages that arrived before then, or were dropped; and, from their own time on, those
    that were given up. As long as one is kept, so is what its account was told besides: who
    resumes the webhook has to know whether it was overtaken."""
    of = webhook_messages.c
    refused = delete(webhook_messages).where(of.state == FAILED, of.ended_at < given_up_before)
    db.execute(refused)
    troubled = select(of.webhook, of.account).where(of.state == FAILED)
    db.execute(
        delete(webhook_messages).where(
            of.state.in_((SENT, DROPPED)),
            of.ended_at < before,
            tuple_(of.webhook, of.account).not_in(troubled),
        )
    )


def waiting(db: Connection) -> int:
    """How many messages wait, for all webhooks."""
    return db.scalar(select(func.count()).select_from(webhook_messages).where(IS_WAITING)) or 0
