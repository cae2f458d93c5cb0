"""Delivery: sends what waits in the outbox, a row at a time.

Each row goes through three steps: marked as sending, in a transaction; sent, outside of any; its
end recorded, in another transaction. So a process that dies between Slack's answer and the record
repeats one message at most, the one in flight, once its lease has run out. The same may repeat when
no answer comes, as nobody can tell whether Slack took it: an alert seen twice beats one not seen.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from rich.console import Console
from sqlalchemy import Connection, Engine

from worker.slack.console import to_console
from worker.slack.sender import Posted, Send, SendFailed, SlackConfig, to_slack
from worker.store import outbox
from worker.store.database import reading, writing
from worker.store.outbox import Waiting

LEASE = timedelta(minutes=2)
"""Far longer than a send can take, or two would send the same row."""

FIRST_BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(hours=1)

MAX_ATTEMPTS = 30
"""With this backoff, about a day of trying."""

TROUBLE = 3
"""After so many temporary failures in a row Slack is left alone until the next pass."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a pass came to; `waiting` is what the outbox holds unsent at its end."""

    sent: int
    failed: int
    waiting: int


def sender(config: SlackConfig, console: Console) -> Send:
    """The way alerts go: to Slack with a token, else as cards to the console."""
    return to_slack(config) if config.token else to_console(console)


def deliver(
    engine: Engine,
    send: Send,
    now: Callable[[], datetime],
    limit: int | None = None,
    within: timedelta | None = None,
) -> Delivered:
    """Send what is due: up to `limit` rows, none of them begun after `within`. Never sleeps.

    Any number of these may run at once: a row is sent by one of them, and an account's alerts go in
    order.
    """
    began = now()
    ends: Counter[str] = Counter()
    trouble = 0
    while trouble < TROUBLE and ends.total() != limit:
        started = now()
        if within is not None and started - began > within:
            break
        with writing(engine) as db:
            taken = outbox.take(db, started, LEASE)
        if not taken:
            break
        end = _deliver(engine, send, taken[0], now)
        ends[end] += 1
        trouble = trouble + 1 if end == outbox.WAITING else 0
    with reading(engine) as db:
        return Delivered(ends[outbox.SENT], ends[outbox.FAILED], outbox.unsent(db))


def _deliver(engine: Engine, send: Send, row: Waiting, now: Callable[[], datetime]) -> str:
    """Send a row and record the end of it: the state that the row is in from now on."""
    try:
        posted = _send(engine, send, row)
    except SendFailed as error:
        with writing(engine) as db:
            return _record_failure(db, row, error, now())
    with writing(engine) as db:
        outbox.sent(db, row, posted.channel, posted.ts, now())
    return outbox.SENT


def _send(engine: Engine, send: Send, row: Waiting) -> Posted:
    if row.attempts > MAX_ATTEMPTS:
        raise SendFailed(f"{MAX_ATTEMPTS} attempts broke off, without an answer", permanent=True)
    try:
        alert = row.alert
    except msgspec.DecodeError as error:
        told = f"this version of tiewatch cannot read the alert: {error}"
        raise SendFailed(told, permanent=True) from error
    with reading(engine) as db:
        user = outbox.slack_user(db, alert.owner)
    return send(alert, row.id, user)


def _record_failure(db: Connection, row: Waiting, error: SendFailed, now: datetime) -> str:
    if error.retry_after is not None:
        until = now + timedelta(seconds=error.retry_after)
        outbox.pause(db, until)
        outbox.put_back(db, row, until, error.reason, counted=False)
        return outbox.WAITING
    if error.permanent:
        outbox.failed(db, row, error.reason)
        return outbox.FAILED
    if row.attempts >= MAX_ATTEMPTS:
        outbox.failed(db, row, f"given up after {row.attempts} attempts: {error.reason}")
        return outbox.FAILED
    outbox.put_back(db, row, now + _backoff(row.attempts), error.reason)
    return outbox.WAITING


def _backoff(attempts: int) -> timedelta:
    return min(FIRST_BACKOFF * 2.0 ** (attempts - 1), LONGEST_BACKOFF)
