"""A database connection that two processes share answers one with the other's rows."""

from collections import defaultdict
from pathlib import Path

import pytest
from celery import Celery
from sqlalchemy import text

from tests.crash.processes import until, workers
from tests.crash.witness import TELL
from worker.celery_app import INGEST
from worker.store.database import engine_for

pytestmark = pytest.mark.crash

TASKS = 200


def test_every_pool_child_has_a_database_connection_of_its_own(
    postgresql_url: str, broker_url: str, tmp_path: Path
) -> None:
    engine = engine_for(postgresql_url)
    with engine.begin() as db:
        db.execute(text("CREATE TABLE witness (process int, backend int)"))
    with (
        workers(tmp_path, postgresql_url, broker_url) as running,
        Celery(broker=broker_url, set_as_current=False) as app,
    ):
        worker = running.start(module="tests.crash.witness")
        for _ in range(TASKS):
            app.send_task(TELL, queue=INGEST)
        told: list[tuple[int, int]] = []

        def all_told() -> bool:
            with engine.connect() as db:
                told[:] = [
                    (p, b) for p, b in db.execute(text("SELECT process, backend FROM witness"))
                ]
            return len(told) == TASKS

        until(all_told, running.logs)
        processes = defaultdict(set)
        for process, backend in told:
            processes[backend].add(process)
        assert {process for process, _ in told} == {child.pid for child in worker.children()}
        assert all(len(sharing) == 1 for sharing in processes.values()), processes
    engine.dispose()
