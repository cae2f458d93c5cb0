"""`tiewatch demo`: a simulated year through the real queue, ending with what a rep would see."""

import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine

from worker import tasks
from worker.celery_app import DEMO_NOW, INGEST, SWEEP
from worker.cli.access import database, queue
from worker.cli.demo_year import document, show_year, year_of
from worker.cli.terminal import AsJson, Refused, print_json, progress, say
from worker.delivering import delivery, planning
from worker.delivering.sending import to_show
from worker.demo.simulation import LAST_DAY, first_day, simulate
from worker.evaluating import sweeps
from worker.settings import PREFIX, settings
from worker.shipped import rules_dir
from worker.store import batches
from worker.store import sweeps as sweeps_store
from worker.store.batches import BatchState
from worker.store.database import reading, writing
from worker.store.workspace import make_demo

DAYS = 365
BATCH_EVENTS = 500
PATIENCE_SECONDS = 60


def run(as_json: AsJson = False) -> None:
    """Watch a simulated year of a small company's accounts, and the alerts it ends with.

    The events go through the real queue to real workers, with a database of their own that is
    made anew each time. Nothing that you have set up is touched.
    """
    home = settings().home / "demo"
    _isolate(home)
    engine = database()
    with writing(engine) as db:
        make_demo(db)
    began = time.monotonic()
    with queue() as app, _worker(str(app.conf.broker_url)), progress("A year", DAYS) as bar:
        events = messages = 0
        for day, happened in simulate(last_day=LAST_DAY, days=DAYS):
            evening = datetime.combine(day, time_of_day(23, 59), UTC)
            _take_in(engine, happened, evening, backfill=day < first_day(LAST_DAY, DAYS))
            if day < first_day(LAST_DAY, DAYS):  # how the relations came about, without alerts
                continue
            _sweep(engine, day, evening)
            messages += _deliver(engine, evening)
            events += len(happened)
            bar.advance(label=f"{day:%d %b %Y}, {events:,} events")
    seconds = time.monotonic() - began
    with reading(engine) as db:
        year = year_of(db)
    if as_json:
        print_json({"events": events} | document(year))
        return
    show_year(year)
    say(
        f"{events:,} events, {DAYS} sweeps, {year.alerts:,} alerts in {messages:,} messages, "
        f"in {seconds:.0f} seconds."
    )


def _isolate(home: Path) -> None:
    """Work in a folder of the demo's own, with the shipped rules, whatever else is set."""
    shutil.rmtree(home, ignore_errors=True)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ[f"{PREFIX}HOME"] = str(home.absolute())
    os.environ[f"{PREFIX}RULES_DIR"] = str(rules_dir())
    settings.cache_clear()


@contextmanager
def _worker(broker_url: str) -> Iterator[None]:
    command = [sys.executable, "-m", "worker", "worker", "--queue", INGEST, "--queue", SWEEP]
    process = Popen([*command, "--quiet"], stdin=DEVNULL, stdout=DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _take_in(
    engine: Engine, events: Sequence[dict[str, Any]], now: datetime, *, backfill: bool
) -> None:
    """Publish a day's events, and wait until they are applied."""
    headers = {DEMO_NOW: now.isoformat()}
    ids = []
    for start in range(0, len(events), BATCH_EVENTS):
        ids.append(str(uuid4()))
        batch = list(events[start : start + BATCH_EVENTS])
        tasks.ingest_batch.apply_async((batch, backfill), task_id=ids[-1], headers=headers)

    def applied() -> bool:
        with reading(engine) as db:
            rows = batches.read(db, ids)
        return len(rows) == len(ids) and all(row.state is BatchState.APPLIED for row in rows)

    _wait_until(applied)


def _sweep(engine: Engine, day: date, now: datetime) -> None:
    """Have the workers sweep the day, and wait until they have."""
    sweep = sweeps.open_sweep(engine, "demo", day.isoformat(), day, now)
    assert sweep is not None, "the demo's database is new"
    with reading(engine) as db:
        shards = sweeps_store.waiting(db, now, sweeps.MAX_STARTS)
    tasks.request_shards(shards, {DEMO_NOW: now.isoformat()})

    def swept() -> bool:
        with reading(engine) as db:
            return sweeps_store.totals(db, sweep, sweeps.MAX_STARTS).left == 0

    _wait_until(swept)


def _wait_until(done: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise Refused("The demo's worker does not answer: its log above says why.")
        time.sleep(0.002)


def _deliver(engine: Engine, now: datetime) -> int:
    """Deliver what is due, to nobody: the demo shows the alerts in its own order. How many messages
    a rep would have had."""
    bundles: list[object] = []
    planning.plan(engine, now)
    delivery.deliver(engine, to_show(bundles.append), lambda: now)
    return len(bundles)
