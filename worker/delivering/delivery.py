"""Delivery: sends the messages that are due, a bundle at a time.

Each bundle goes through three steps: marked as being sent, in a transaction; sent, outside of any;
its end recorded, in another transaction. Of what was marked and not recorded nobody knows whether
it arrived, so whoever comes to it next looks for it in Slack before sending it.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import NamedTuple

from rich.console import Console
from sqlalchemy import Connection, Engine

from worker.delivering.posting import to_slack
from worker.delivering.sending import Act, NoWords, Outcome, Way, to_show
from worker.slack.console import show_on
from worker.slack.sender import SlackConfig
from worker.slack.trouble import SendFailed, Verdict
from worker.store import backlog, leases, outbox, pacing
from worker.store.attempts import Failed, attempted, culprits
from worker.store.database import reading, writing
from worker.store.leases import Row

LEASE = timedelta(minutes=2)
"""Far longer than a send can take, or two would send the same bundle."""

FIRST_BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(hours=1)

MAX_ATTEMPTS = 30
"""With this backoff, about a day of trying."""

TROUBLE = 3
"""After so many temporary failures in a row Slack is left alone until the next pass."""

SENDERS = 8
"""Messages on their way at once in one process: Slack takes a fifth of a second for each."""

MOST_CULPRITS = 100
"""Messages given up in one transaction that keep their bundle from being got ready: it must end in
time. If there are more, the next look at the bundle finds them."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a pass came to, in messages; `waiting` is what is unsent at its end."""

    sent: int
    failed: int
    waiting: int


def way(config: SlackConfig, console: Console) -> Way:
    """The way messages go: to Slack with a token, else as cards to the console."""
    return to_slack(config) if config.token else to_show(show_on(console))


def deliver(
    engine: Engine,
    way: Way,
    now: Callable[[], datetime],
    limit: int | None = None,
    within: timedelta | None = None,
    senders: int = 1,
) -> Delivered:
    """Send what is due: up to `limit` bundles, none of them begun after `within`, and `senders` at
    a time. Never sleeps: what is not due yet is left to a later pass.

    Any number of these may run at once: a bundle is sent by one of them, and what is told to one
    recipient about an account goes in order.
    """
    began = now()
    tally = _Tally()
    with ThreadPoolExecutor(senders) as pool:
        under_way: set[Future[Outcome]] = set()
        while tally.troubles < TROUBLE and tally.bundles != limit:
            if within is not None and now() - began > within:
                break
            taken = _take(engine, way, now())
            if taken.rows:
                tally.bundles += 1
            elif not under_way:
                break
            if isinstance(taken.ready, Outcome):
                tally.add(taken.ready)
            else:
                under_way.add(pool.submit(_send, engine, taken.rows, taken.ready, now))
            if under_way and (len(under_way) == senders or not taken.more):
                ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                tally.add(*(each.result() for each in ended))
        tally.add(*(each.result() for each in under_way))
    with reading(engine) as db:
        waiting = backlog.unsent(db) + outbox.to_plan(db)
    return Delivered(tally.sent, tally.failed, waiting)


@dataclass(slots=True)
class _Tally:
    """What a pass has come to so far; `troubles` are those in a row."""

    bundles: int = 0
    sent: int = 0
    failed: int = 0
    troubles: int = 0

    def add(self, *outcomes: Outcome) -> None:
        for outcome in outcomes:
            self.sent += outcome.sent
            self.failed += outcome.failed
            self.troubles = self.troubles + 1 if outcome.trouble else 0


class _Taken(NamedTuple):
    """A bundle, and how to send it or what has become of it already; whether `more` are due."""

    rows: Sequence[Row]
    ready: Act | Outcome
    more: bool


def _take(engine: Engine, way: Way, now: datetime) -> _Taken:
    """The bundle that is due next; one without rows if none is."""
    with writing(engine) as db:
        rows, more = leases.take(db, now, LEASE)
        if not rows:
            return _Taken(rows, Outcome(), more)
        if rows[0].attempts > MAX_ATTEMPTS:
            leases.failed(db, rows, f"{MAX_ATTEMPTS} attempts broke off, without an answer")
            return _Taken(rows, Outcome(failed=len(rows)), more)
        ready = attempted(db, partial(way, db, rows, now))
        if isinstance(ready, Failed):
            ready = _give_up(db, rows, _culprits(db, way, rows, now) or _all(rows, ready), now)
        return _Taken(rows, ready, more)


def _culprits(db: Connection, way: Way, rows: Sequence[Row], now: datetime) -> Mapping[int, Failed]:
    """The rows, by id, that cannot be got ready."""
    tried = culprits(rows, lambda some: attempted(db, partial(way, db, some, now), keep=False))
    return {row.id: failed for row, failed in islice(tried, MOST_CULPRITS)}


def _all(rows: Sequence[Row], failed: Failed) -> Mapping[int, Failed]:
    return dict.fromkeys((row.id for row in rows), failed)


def _give_up(
    db: Connection, rows: Sequence[Row], failed: Mapping[int, Failed], now: datetime
) -> Outcome:
    """Give up those rows that cannot be put into words, whatever is wrong with them; the others of
    their bundle go on without them."""
    given_up = defaultdict(list)
    for row in (each for each in rows if each.id in failed):
        given_up[failed[row.id].in_words].append(row)
    for error, of_error in given_up.items():
        leases.failed(db, of_error, error)
    leases.put_back(db, [row for row in rows if row.id not in failed], now, counted=False)
    return Outcome(failed=len(failed))


def _send(engine: Engine, rows: Sequence[Row], act: Act, now: Callable[[], datetime]) -> Outcome:
    """Send a bundle and record the end of it."""
    try:
        record = act()
    except SendFailed as error:
        with writing(engine) as db:
            return _record_failure(db, rows, error, now())
    except NoWords as error:
        with writing(engine) as db:
            return _give_up(db, rows, error.failed, now())
    except Exception as error:
        with writing(engine) as db:
            return _give_up(db, rows, _all(rows, Failed(error)), now())
    with writing(engine) as db:
        return record(db, now())


def _record_failure(
    db: Connection, rows: Sequence[Row], error: SendFailed, now: datetime
) -> Outcome:
    attempts = rows[0].attempts
    match error.verdict:
        case Verdict.WAIT:
            until = now + timedelta(seconds=error.retry_after)
            pacing.pause(db, until)
            leases.put_back(db, rows, until, error.reason, counted=False)
            return Outcome(trouble=True)
        case Verdict.AGAIN if attempts < MAX_ATTEMPTS:
            due_at = now + _backoff(attempts)
            leases.put_back(db, rows, due_at, error.reason, uncertain=error.uncertain)
            return Outcome(trouble=True)
        case Verdict.AGAIN:
            reason = f"given up after {attempts} attempts: {error.reason}"
        case _:
            reason = error.reason
    leases.failed(db, rows, reason)
    return Outcome(failed=len(rows))


def _backoff(attempts: int) -> timedelta:
    return min(FIRST_BACKOFF * 2.0 ** (attempts - 1), LONGEST_BACKOFF)
