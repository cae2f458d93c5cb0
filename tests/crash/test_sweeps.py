"""Schedulers that meet, start late, or lose their workers begin and finish each sweep once."""

import multiprocessing
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, func, select, text

from tests.crash.processes import environment, until
from worker import scheduler
from worker.evaluating.sweeps import Swept, open_sweep, sweep_shard
from worker.intake.arrivals import Batch
from worker.intake.ingest import ingest
from worker.rulebooks.rulebook import read_rulebook
from worker.running.runtime import clock
from worker.shipped import rules_dir
from worker.store import sweeps as sweeps_store
from worker.store.database import engine_for
from worker.store.tables import sweep_shards, sweeps

pytestmark = pytest.mark.crash

RULES = read_rulebook(rules_dir())
LEASE = timedelta(seconds=3)
SLOTS = 20


@pytest.fixture
def engine(postgresql_url: str) -> Iterator[Engine]:
    """Three accounts, so that a sweep has something to do."""
    engine = engine_for(postgresql_url)
    events = [
        {"id": name, "source": "crm", "type": "account", "subject": name}
        | {"time": "2026-01-05T09:00:00Z", "data": {"name": name}}
        for name in ("acme", "birch", "cedar")
    ]
    ingest(engine, Batch("accounts", events, backfill=True), RULES, datetime.now(UTC))
    yield engine
    engine.dispose()


def begun(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as db:
        return [(kind, slot) for kind, slot in db.execute(select(sweeps.c.kind, sweeps.c.slot))]


def begin_slots(
    database_url: str, together: Barrier, started: "multiprocessing.Queue[int]"
) -> None:
    """In a process of its own: begin every slot at the same moment as the others do."""
    engine = engine_for(database_url)
    now = datetime.now(UTC)
    for slot in range(SLOTS):
        together.wait(30)
        if open_sweep(engine, "daily", f"slot-{slot}", now.date(), now) is not None:
            started.put(slot)
    engine.dispose()


def test_of_schedulers_that_begin_a_slot_at_once_one_does(
    engine: Engine, postgresql_url: str
) -> None:
    spawn = multiprocessing.get_context("spawn")
    together, started = spawn.Barrier(3), spawn.Queue()
    schedulers = [
        spawn.Process(target=begin_slots, args=(postgresql_url, together, started))
        for _ in range(3)
    ]
    for one in schedulers:
        one.start()
    try:
        assert sorted(started.get(timeout=60) for _ in range(SLOTS)) == list(range(SLOTS))
        for one in schedulers:
            one.join(30)
            assert one.exitcode == 0
    finally:
        for one in schedulers:
            one.kill()
    assert started.empty()
    assert len(begun(engine)) == SLOTS
    with engine.connect() as db:
        assert db.scalar(select(func.count()).select_from(sweep_shards)) == SLOTS


def test_schedulers_that_start_late_catch_up_with_the_last_slot_once(
    engine: Engine, postgresql_url: str, broker_url: str, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    hour = (now.hour + 12) % 24  # far from now, so that no slot comes due meanwhile
    due = scheduler.due_slot(now, hour, ZoneInfo("UTC"))
    three_days_ago = due - timedelta(3)
    open_sweep(engine, scheduler.DAILY, three_days_ago.isoformat(), three_days_ago, now)
    expected = [(scheduler.DAILY, f"{three_days_ago}"), (scheduler.DAILY, f"{due}")]
    env = {
        "TIEWATCH_DATABASE_URL": postgresql_url,
        "TIEWATCH_BROKER_URL": broker_url,
        "TIEWATCH_SWEEP_HOUR": f"{hour}",
    }
    command = [sys.executable, "-m", "worker", "scheduler"]
    log = tmp_path / "schedulers.log"
    with log.open("ab") as out:
        running = [
            subprocess.Popen(command, cwd=tmp_path, env=environment(env), stdout=out, stderr=out)
            for _ in range(2)
        ]
    try:
        until(lambda: log.read_text().count("scheduler started") == 2, log.read_text)
        until(lambda: len(begun(engine)) >= 2, log.read_text)
        time.sleep(1)
        assert sorted(begun(engine)) == expected
    finally:
        for one in running:
            one.kill()
            one.wait()
    assert scheduler.daily_sweep(engine, hour, ZoneInfo("UTC")) is None
    assert sorted(begun(engine)) == expected


def sweep_slowly(database_url: str, sweep: int) -> None:
    """In a process of its own: sweep the first shard under a short lease."""
    sweep_shard(engine_for(database_url), sweep, 0, RULES, datetime.now(UTC), LEASE)


def test_a_shard_whose_worker_is_killed_is_swept_by_another_once_its_lease_is_over(
    engine: Engine, postgresql_url: str
) -> None:
    sweep = open_sweep(engine, "daily", "slot", datetime.now(UTC).date(), datetime.now(UTC))
    assert sweep is not None
    doomed = multiprocessing.get_context("spawn").Process(
        target=sweep_slowly, args=(postgresql_url, sweep)
    )
    with engine.begin() as db:  # holds the sweep up in its middle
        db.execute(text("SELECT 1 FROM accounts WHERE account = 'birch' FOR UPDATE"))
        doomed.start()
        try:
            until(lambda: waits_for_a_lock(engine))
        finally:
            doomed.kill()
            doomed.join()
    assert sweep_shard(engine, sweep, 0, RULES, clock(), LEASE) is None, "it is still leased"
    until(lambda: len(free(engine)) == 1, seconds=2 * LEASE.total_seconds())
    done = sweep_shard(engine, sweep, 0, RULES, clock(), LEASE)
    assert done == Swept(accounts=3, opened=0, resolved=0, alerts=0)
    assert sweep_shard(engine, sweep, 0, RULES, clock(), LEASE) is None, "it is done"
    assert free(engine) == []


def free(engine: Engine) -> list[tuple[int, int]]:
    """The shards that a scheduler would hand out now."""
    with engine.connect() as db:
        return list(sweeps_store.waiting(db, clock(), 5))


def waits_for_a_lock(engine: Engine) -> bool:
    with engine.connect() as db:
        return bool(
            db.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))
        )
