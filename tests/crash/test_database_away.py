"""A database that is away for a while costs time, and nothing else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, select, text

from tests.crash import load
from tests.crash.processes import publish, until, workers
from worker.store.batches import BatchState
from worker.store.tables import batches, events

pytestmark = [pytest.mark.crash, pytest.mark.timeout(180)]

BATCHES = 60


@contextmanager
def away(server: str, database_url: str) -> Iterator[None]:
    """End all connections to the database, and let nobody in, until the block ends."""
    name = sa.make_url(database_url).database
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as db:
        db.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        db.execute(text(end), {"name": name})
    yield
    with admin.connect() as db:
        db.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))


@pytest.fixture
def engine(postgresql_url: str) -> Engine:
    """One that connects anew each time: what happens to connections here is meant for workers."""
    return sa.create_engine(postgresql_url, poolclass=sa.NullPool)


def applied(engine: Engine) -> int:
    with engine.connect() as db:
        done = select(sa.func.count()).where(batches.c.state == BatchState.APPLIED)
        return db.scalar(done) or 0


def test_while_the_database_is_away_batches_wait_and_none_is_lost_or_parked(
    engine: Engine, postgres_server: str, postgresql_url: str, broker_url: str, tmp_path: Path
) -> None:
    some = load.load(date(2026, 3, 10), seed=1)
    arriving = {f"batch-{n}": some[n * 100 : (n + 1) * 100] for n in range(BATCHES)}
    publish(broker_url, arriving)
    with workers(tmp_path, postgresql_url, broker_url) as running:
        running.start()
        until(lambda: applied(engine) >= 5, running.logs)
        for seconds in (0.1, 6, 0.1, 0.1, 0.1, 0.1, 0.1):
            with away(postgres_server, postgresql_url):
                time.sleep(seconds)
            time.sleep(0.5)
        until(lambda: applied(engine) == BATCHES, running.logs)
    with engine.connect() as db:
        assert set(db.scalars(select(batches.c.state))) == {BatchState.APPLIED}
        sent = {(event["source"], event["id"]) for event in some[: BATCHES * 100]}
        bad = {(source, id_) for source, id_ in sent if source == "bad"}
        assert {
            tuple(row) for row in db.execute(select(events.c.source, events.c.id))
        } == sent - bad
