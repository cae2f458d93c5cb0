"""How long after an event was sent its alert reaches Slack."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import chain
from statistics import median, quantiles

import sqlalchemy as sa
from celery import Celery

from bench import events, stage, workers
from bench.events import Event
from bench.measure import Goal, Line, Report, shown
from bench.stage import Stage
from tests.slack_server import slack_server
from worker.celery_app import INGEST

PROCESSES = 2
TOGETHER = 10
"""Events in a message: what comes in at this rate within 50 ms."""

ALERTED_EVERY = 20
"""One event in so many leads to an alert."""

WARM_UP_SECONDS = 2

METHOD = """\
{rate} events a second for {seconds} seconds from one producer, {together} to a message, to \
`tiewatch worker` with {processes} processes that serve all queues, on a database of {stored:,} \
events of {customers:,} accounts. One event in {every} sets a renewal date on an account whose \
executives nobody has met, which opens `renewal-without-exec-contact`; each such account has an \
owner of its own, as an owner is sent one message a second. The others are usage, which raises no \
alert. Time counts from just before the producer's call to when the request reaches a \
local stand-in for Slack, which answers at once. {warm} seconds of warm-up are left out."""

_WATCHED = "watched-{:05}"
_APPLIED = "SELECT count(*) FROM batches WHERE state = 'applied'"
_SENT = "SELECT count(*) FROM messages WHERE state = 'sent'"


def run(
    on: Stage,
    note: Callable[[str], None],
    *,
    rate: int = 200,
    together: int = TOGETHER,
    seconds: int = 10,
    stored: int = 20_000,
    customers: int = 1_000,
    runs: int = 5,
) -> list[Report]:
    """Measure the time from the producer to Slack."""
    now = stage.now()
    crowd = events.vendor(customers)
    number = rate * (seconds + WARM_UP_SECONDS)
    history = chain(
        events.history(crowd, stored, events.midnight(now)),
        _unmet(number // ALERTED_EVERY, now - timedelta(days=100)),
    )
    background = events.usage(crowd.customers, number, now, "background")
    found: list[tuple[float, float, float]] = []
    with stage.database(on) as state:
        note(f"loading {stored:,} events")
        with stage.connected(state) as engine:
            stage.load(engine, history, now)
        for one in range(runs):
            pace, waits = _measure(on, state, list(_mixed(background, now)), rate, together)
            found.append((pace, 1000 * median(waits), 1000 * quantiles(waits, n=100)[98]))
            note(f"median {shown(found[-1][1])} ms of {len(waits)} (run {one + 1} of {runs})")
    sent, middle, slow = zip(*found, strict=True)
    lines = [
        Line("events sent", sent, "events/s"),
        Line("event to request, median", middle, "ms", Goal(at_most=150)),
        Line("event to request, 99th percentile", slow, "ms"),
    ]
    method = METHOD.format(
        rate=rate,
        together=together,
        seconds=seconds,
        processes=PROCESSES,
        stored=stored,
        customers=customers,
        every=ALERTED_EVERY,
        warm=WARM_UP_SECONDS,
    )
    return [Report("From an event to its alert's request", method, lines)]


def _unmet(number: int, at: datetime) -> Iterator[Event]:
    """Accounts without a renewal date, with an executive and a user whom nobody has met."""
    made = events.Envelopes("crm", "unmet")
    for n in range(number):
        account = _WATCHED.format(n)
        owner = f"owner-{n:05}"
        yield made("rep", at, None, {"rep": owner, "slack_user": f"U{n:05}"})
        yield made("account", at, account, {"name": account.title(), "owner": owner})
        yield made("contact", at, account, {"contact": "cio", "level": "c_level"})
        yield made("contact", at, account, {"contact": "user", "role": "user"})


def _mixed(background: list[Event], now: datetime) -> Iterator[Event]:
    """The background, one event in `ALERTED_EVERY` replaced by one that leads to an alert."""
    made = events.Envelopes("crm", "renewal")
    renewal = (now + timedelta(days=30)).date().isoformat()
    for n, event in enumerate(background):
        if n % ALERTED_EVERY == 0:
            account = _WATCHED.format(n // ALERTED_EVERY)
            yield made("account", now, account, {"renewal_date": renewal})
        else:
            yield event


def _measure(
    on: Stage, state: str, new: list[Event], rate: int, together: int
) -> tuple[float, list[float]]:
    """Events sent a second, and the seconds that each alert took after the warm-up."""
    workers.empty(on)
    with (
        stage.database(on, state) as url,
        stage.polled(url) as db,
        slack_server() as slack,
        workers.tiewatch(
            on,
            url,
            PROCESSES,
            slack_bot_token="xoxb-bench",
            slack_base_url=slack.url,
            slack_channel="C0BENCH",
        ) as running,
    ):
        applied = db.scalar(sa.text(_APPLIED))
        workers.publish(on, INGEST, [[]])
        workers.wait_for(running, db, _APPLIED, applied + 1)
        sent = db.scalar(sa.text(_SENT))
        pace, calls = _send(on, new, rate, together)
        workers.wait_for(running, db, _SENT, sent + len(calls))
        found = db.execute(sa.text("SELECT id, account FROM messages"))
        accounts = {row.id: row.account for row in found}
    arrived: dict[str, float] = {}
    for request in slack.requests:
        for id_ in request.alert_ids if request.posted else ():
            arrived.setdefault(accounts[id_], request.at)
    waits = [arrived[account] - called for account, called in calls.items()]
    return pace, waits[WARM_UP_SECONDS * rate // ALERTED_EVERY :]


def _send(on: Stage, new: list[Event], rate: int, together: int) -> tuple[float, dict[str, float]]:
    """Send each message when its turn has come; the pace kept, and when alerted events were sent.

    By the machine's clock, in seconds, as the Slack stand-in tells them.
    """
    calls: dict[str, float] = {}
    with Celery(broker=on.broker, set_as_current=False) as producer:
        began = time.monotonic()
        for n, batch in enumerate(stage.batches(new, together)):
            time.sleep(max(0.0, began + n * together / rate - time.monotonic()))
            called = time.time()
            calls |= {event["subject"]: called for event in batch if event["type"] == "account"}
            producer.send_task(INGEST, [batch], queue=INGEST)
        return len(new) / (time.monotonic() - began), calls
