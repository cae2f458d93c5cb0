"""Delivery: sends the messages that are due, a bundle at a time.

Each bundle goes through three steps: marked as being sent, in a transaction; sent, outside of any;
its end recorded, in another transaction. Of what was marked and not recorded nobody knows whether
it arrived, so whoever comes to it next looks for it in Slack before sending it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.console import Console
from sqlalchemy import Connection, Engine

from worker.sending import Act, Way, to_show, to_slack
from worker.slack.console import show_on
from worker.slack.sender import SendFailed, SlackConfig
from worker.store import messages, outbox, pacing
from worker.store.database import reading, writing
from worker.store.messages import Row

LEASE = timedelta(minutes=2)
"""Far longer than a send can take, or two would send the same bundle."""

FIRST_BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(hours=1)

MAX_ATTEMPTS = 30
"""With this backoff, about a day of trying."""

TROUBLE = 3
"""After so many temporary failures in a row Slack is left alone until the next pass."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a pass came to, in messages; `waiting` is what is unsent at its end."""

    sent: int
    failed: int
    waiting: int


def way(config: SlackConfig, console: Console) -> Way:
    """The way alerts go: to Slack with a token, else as cards to the console."""
    return to_slack(config) if config.token else to_show(show_on(console))


def deliver(
    engine: Engine,
    way: Way,
    now: Callable[[], datetime],
    limit: int | None = None,
    within: timedelta | None = None,
) -> Delivered:
    """Send what is due: up to `limit` bundles, none of them begun after `within`. Never sleeps.

    Any number of these may run at once: a bundle is sent by one of them, and what is told to one
    recipient about an account goes in order.
    """
    began = now()
    ends: Counter[str] = Counter()
    bundles = trouble = 0
    while trouble < TROUBLE and bundles != limit:
        started = now()
        if within is not None and started - began > within:
            break
        with writing(engine) as db:
            rows = messages.take(db, started, LEASE)
            act = _ready(db, way, rows, started) if rows else None
        if not rows:
            break
        end = _deliver(engine, rows, act, now) if act else messages.FAILED
        ends[end] += len(rows)
        bundles += 1
        trouble = trouble + 1 if end == messages.WAITING else 0
    with reading(engine) as db:
        waiting = messages.unsent(db) + outbox.to_plan(db)
    return Delivered(ends[messages.SENT], ends[messages.FAILED], waiting)


def _ready(db: Connection, way: Way, rows: Sequence[Row], now: datetime) -> Act | None:
    """What is to be done with a bundle, or None if it was given up."""
    if rows[0].attempts > MAX_ATTEMPTS:
        messages.failed(db, rows, f"{MAX_ATTEMPTS} attempts broke off, without an answer")
        return None
    return way(db, rows, now)


def _deliver(engine: Engine, rows: Sequence[Row], act: Act, now: Callable[[], datetime]) -> str:
    """Do it and record the end of it: the state that the rows are in from now on."""
    try:
        record = act()
    except SendFailed as error:
        with writing(engine) as db:
            return _record_failure(db, rows, error, now())
    with writing(engine) as db:
        return record(db, now())


def _record_failure(db: Connection, rows: Sequence[Row], error: SendFailed, now: datetime) -> str:
    if error.retry_after is not None:
        until = now + timedelta(seconds=error.retry_after)
        pacing.pause(db, until)
        messages.put_back(db, rows, until, error.reason, counted=False)
        return messages.WAITING
    if error.permanent:
        messages.failed(db, rows, error.reason)
        return messages.FAILED
    attempts = rows[0].attempts
    if attempts >= MAX_ATTEMPTS:
        messages.failed(db, rows, f"given up after {attempts} attempts: {error.reason}")
        return messages.FAILED
    due_at = now + _backoff(attempts)
    messages.put_back(db, rows, due_at, error.reason, uncertain=error.uncertain)
    return messages.WAITING


def _backoff(attempts: int) -> timedelta:
    return min(FIRST_BACKOFF * 2.0 ** (attempts - 1), LONGEST_BACKOFF)
