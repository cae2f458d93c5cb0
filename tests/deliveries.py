"""Alerts to deliver, planned in the simplest way, and a Slack whose time a test sets."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from rich.console import Console
from sqlalchemy import Engine, insert, select

from tests.slack_server import SlackServer
from worker.core.alerts import Alert
from worker.core.bundles import Kind
from worker.delivering.delivery import Delivered, deliver, way
from worker.slack.sender import SlackConfig
from worker.store import messages, tables
from worker.store.database import writing
from worker.store.messages import New

NOW = datetime(2026, 2, 18, 6, tzinfo=UTC)
TOKEN = "xoxb-not-to-be-seen"
DEFAULT = "C1"


@dataclass
class Clock:
    """A time that moves only when a test says so."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)


@contextmanager
def slack_at(clock: Clock, apart: float = 0) -> Iterator[SlackServer]:
    """A Slack that goes by this clock."""
    with SlackServer(lambda: clock().timestamp(), apart).run() as server:
        yield server


def know(engine: Engine, **slack_users: str | None) -> None:
    """Reps, by id, with their Slack users."""
    with writing(engine) as db:
        for rep, user in slack_users.items():
            db.execute(insert(tables.reps).values(rep=rep, name=rep.title(), slack_user=user))


def tell(
    engine: Engine, *alerts: Alert, to: str = messages.DEFAULT, at: datetime = NOW
) -> list[int]:
    """Messages of these alerts to a recipient, due at once; their ids."""
    with writing(engine) as db:
        before = set(db.scalars(select(tables.messages.c.id)))
        new = [
            New(
                f"{len(before) + n}/{to}",
                to,
                alert.account,
                messages.account_bundle(alert.account),
                Kind.ALERT,
                msgspec.json.encode(alert).decode(),
                at,
            )
            for n, alert in enumerate(alerts, start=1)
        ]
        messages.put(db, new, at)
        return sorted(set(db.scalars(select(tables.messages.c.id))) - before)


def config(slack: SlackServer, **changes: Any) -> SlackConfig:
    """How to reach this Slack, without a pace of our own."""
    ours = {"token": TOKEN, "base_url": slack.url, "channel": DEFAULT, "timeout": 1, "apart": 0}
    return SlackConfig(**ours | changes)


def run(engine: Engine, slack: SlackServer, clock: Clock, **changes: Any) -> Delivered:
    """A pass of delivery."""
    to = way(config(slack, **changes), Console(file=io.StringIO()))
    return deliver(engine, to, clock)


def row(engine: Engine, id_: int) -> Any:
    """A message as it is stored."""
    with engine.connect() as db:
        return db.execute(select(tables.messages).where(tables.messages.c.id == id_)).one()


def told(slack: SlackServer) -> list[int]:
    """The messages told in Slack, in order of their arrival."""
    return [id_ for request in slack.posted for id_ in request.alert_ids]
