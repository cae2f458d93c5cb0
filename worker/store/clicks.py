"""Clicks: what Slack has been answered for, kept until it is done, whatever becomes of a process.

Whoever takes one in has it under a lease and works on it at once. A lease that runs out was held by
a process that died.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, select, update

from worker.store.dialect import execute_rows
from worker.store.tables import slack_clicks

MOST = 100
"""Clicks taken over at a time."""


@dataclass(frozen=True, slots=True)
class Click:
    """A click: `key` tells it from any other, `kind` what Slack calls it, `body` what Slack sent of
    it, as JSON; `starts` is how often it was begun with."""

    key: str
    kind: str
    body: str
    starts: int = 1


def keep(db: Connection, click: Click, now: datetime, lease: timedelta) -> None:
    """Keep a click, for the caller to work on; one that is kept already stays whose it is."""
    execute_rows(
        db,
        "INSERT INTO slack_clicks (key, kind, body, received_at, leased_until) "
        "SELECT key, kind, body, :now, until FROM {rows} WHERE true ON CONFLICT (key) DO NOTHING",
        {"key": "text", "kind": "text", "body": "text", "until": "timestamptz"},
        [(click.key, click.kind, click.body, now + lease)],
        now=now,
    )


def take_over(db: Connection, now: datetime, lease: timedelta) -> Sequence[Click]:
    """The clicks that nobody works on any more, the oldest first, for the caller to work on."""
    of = slack_clicks.c
    left = (
        select(of.key)
        .where(of.leased_until <= now)
        .order_by(of.received_at)
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )
    taken = db.execute(
        update(slack_clicks)
        .where(of.key.in_(left))
        .values(leased_until=now + lease, starts=of.starts + 1)
        .returning(of.key, of.kind, of.body, of.starts, of.received_at)
    ).all()
    return [Click(*row[:4]) for row in sorted(taken, key=lambda row: row.received_at)]


def put_off(db: Connection, click: Click, until: datetime) -> None:
    """Let a click be worked on later, by whoever takes it over then. This start does not count,
    unless it was the first."""
    db.execute(
        update(slack_clicks)
        .where(slack_clicks.c.key == click.key)
        .values(leased_until=until, starts=max(1, click.starts - 1))
    )


def done(db: Connection, key: str) -> None:
    """Forget a click that has been worked on."""
    db.execute(delete(slack_clicks).where(slack_clicks.c.key == key))


def are_left(db: Connection, now: datetime) -> bool:
    """Whether there are clicks that nobody works on any more."""
    return db.scalar(select(exists().where(slack_clicks.c.leased_until <= now))) or False
