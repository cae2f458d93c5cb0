"""Whatever is killed while a load comes in, in the end it is as if nothing had been."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, func, select

from tests.crash import load
from tests.crash.processes import Worker, Workers, publish, until, workers
from tests.crash.snapshot import contents, difference
from tests.servers import Valkey, valkey
from worker.evaluating import sweeps
from worker.intake.arrivals import Batch
from worker.intake.ingest import ingest
from worker.rulebooks.rulebook import read_rulebook
from worker.running import transport
from worker.shipped import rules_dir
from worker.store.batches import BatchState
from worker.store.database import engine_for
from worker.store.tables import batches, flags, messages

pytestmark = [pytest.mark.crash, pytest.mark.timeout(240)]

SEED = 20_261
KILLS = ("child", "child", "child", "child", "worker", "worker", "worker", "valkey", "valkey")
RULES = read_rulebook(rules_dir())


def test_kills_at_random_points_of_a_load_change_nothing(
    postgresql_url: str,
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        transport, "BACK_AFTER", 20.0
    )  # seconds, of what a killed worker took along
    # As of tomorrow, so that midnight does not matter: after a sweep of a date nothing is
    # evaluated as of an earlier one.
    today = datetime.now(UTC).date() + timedelta(1)
    events = load.load(today, SEED)
    arriving = {f"batch-{n}": events[n : n + 20] for n in range(0, len(events), 20)}
    undisturbed, disturbed = engine_for(sqlite_url), engine_for(postgresql_url)

    remember(undisturbed, today)
    for place in range(0, len(events), 1_000):
        some = events[place : place + 1_000]
        ingest(undisturbed, Batch(f"some-{place}", some), RULES, datetime.now(UTC))
    assert flags_by_rule(undisturbed) == {
        (load.RENEWAL, "open"): 40,
        (load.RENEWAL, "resolved"): 40,
        (load.ADOPTION, "open"): 40,
        (load.FALLING, "open"): 40,
        (load.SINGLE, "pending"): 160,
    }

    remember(disturbed, today)
    with valkey() as queue:
        publish(queue.url, arriving)
        with workers(tmp_path, postgresql_url, queue.url) as running:
            kill_at_random(Random(SEED), disturbed, queue, running)
            until(lambda: applied(disturbed) == len(arriving), running.logs, 120)

    assert totals(disturbed) == totals(undisturbed)
    assert difference(contents(undisturbed), contents(disturbed)) == {}
    with disturbed.connect() as db:
        assert db.scalar(select(func.max(batches.c.starts))) > 1, "no kill met a batch at work"
        # Dropped is what was over before anybody was told of it.
        assert set(db.scalars(select(messages.c.state))) <= {
            "waiting",
            "sending",
            "sent",
            "dropped",
        }
    for engine in (undisturbed, disturbed):
        sweep(engine, today + timedelta(2))
    assert flags_by_rule(disturbed)[load.SINGLE, "open"] == 160
    assert difference(contents(undisturbed), contents(disturbed)) == {}


def kill_at_random(chance: Random, engine: Engine, queue: Valkey, running: Workers) -> None:
    """Kill one thing after another, each when a random number of batches has been applied."""
    kills = chance.sample(KILLS, len(KILLS))
    points = sorted(chance.sample(range(25, 750), len(kills)))
    start: Callable[[], Worker] = partial(running.start, module="tests.crash.hurried")
    worker = start()
    for point, kill in zip(points, kills, strict=True):
        until(partial(has_applied, engine, max(point, applied(engine) + 1)), running.logs)
        print(f"{applied(engine)} batches applied: kill -9 {kill}")
        match kill:
            case "child":
                worker.kill_child(chance.randrange(2))
            case "worker":
                worker.kill()
                worker = start()
            case "valkey":
                queue.kill()
                queue.start()


def remember(engine: Engine, today: date) -> None:
    """Take in the history of all accounts, and sweep."""
    past = load.history(today)
    ingest(engine, Batch("past", past, backfill=True), RULES, datetime.now(UTC))
    sweep(engine, today)


def sweep(engine: Engine, on: date) -> None:
    now = datetime.now(UTC)
    begun = sweeps.open_sweep(engine, "manual", f"{on}", on, now)
    assert begun is not None
    assert sweeps.sweep_shard(engine, begun, 0, RULES, now, timedelta(minutes=1)) is not None


def has_applied(engine: Engine, number: int) -> bool:
    return applied(engine) >= number


def applied(engine: Engine) -> int:
    """The number of batches of the load that are in."""
    with engine.connect() as db:
        done = select(func.count()).where(
            batches.c.state == BatchState.APPLIED, batches.c.id != "past"
        )
        return db.scalar(done) or 0


def totals(engine: Engine) -> tuple[object, ...]:
    """What came of all events together: which batch met a duplicate first, no order decides."""
    counted = (batches.c.received, batches.c.applied, batches.c.duplicates, batches.c.quarantined)
    with engine.connect() as db:
        return tuple(db.execute(select(*map(func.sum, counted))).one())


def flags_by_rule(engine: Engine) -> Counter[tuple[str, str]]:
    """How many flags of each live rule are in each state."""
    heard_of = select(flags.c.rule, flags.c.state).where(flags.c.shadow.is_(False))
    with engine.connect() as db:
        return Counter((rule, state) for rule, state in db.execute(heard_of))
