"""The backlog of messages: what waits, since when, what was given up, and trying that again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select, update

from worker.store.messages import (
    DEFAULT,
    DROPPED,
    FAILED,
    INSTEAD,
    SENDING,
    SENT,
    WAITING,
    is_unsent,
)
from worker.store.tables import Instant, messages, slack_channels, workspace


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that was given up, or that went elsewhere, and why."""

    id: int
    account: str
    created_at: datetime
    attempts: int
    error: str


def requeue(db: Connection, now: datetime) -> int:
    """Let the messages that were given up wait again, as if new, and say how many they are."""
    return db.execute(
        update(messages)
        .where(messages.c.state == FAILED)
        .values(state=WAITING, due_at=now, attempts=0, error=None)
    ).rowcount


def next_due(db: Connection) -> datetime | None:
    """When the next bundle may be sent, which may be past; None if none waits."""
    first = select(func.min(messages.c.id)).where(is_unsent(messages))
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
    return db.scalar(select(func.count()).select_from(messages).where(is_unsent(messages))) or 0


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
        .where(of.recipient == DEFAULT, of.created_at >= since, of.why.like(f"{INSTEAD}%"))
        .group_by(of.why)
        .order_by(of.why)
    )
    return dict(found.all())
