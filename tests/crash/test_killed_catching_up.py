"""A large account is made anew once, whoever is killed meanwhile, and however long it takes."""

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from celery import Celery
from sqlalchemy import Engine, text

from tests.crash.processes import publish, until, workers
from tests.pipeline import event, rows
from worker.celery_app import CATCH_UP, INGEST
from worker.store import behind, tables
from worker.store.database import engine_for, reading

pytestmark = [pytest.mark.crash, pytest.mark.timeout(120)]

USED = 40


def test_kills_while_a_large_account_is_made_anew_change_nothing(
    postgresql_url: str, broker_url: str, tmp_path: Path
) -> None:
    day = datetime.now(UTC).date() - timedelta(2)
    groups = [
        event("account", day + timedelta(n), account=a) for n, a in enumerate(["acme", "birch"])
    ]
    of_user = {"tiewatchmember": "ana"}
    used = [event("usage", day, account=None, user="ana") | of_user for _ in range(USED)]
    engine = engine_for(postgresql_url)
    with workers(tmp_path, postgresql_url, broker_url) as running:
        worker = running.start(module="tests.crash.dawdling")
        publish(broker_url, {"before": [groups[0] | of_user, *used]})
        until(lambda: _uses(engine) == {"acme": USED}, running.logs)
        publish(broker_url, {"word": [groups[1] | of_user]})
        until(lambda: _late(engine) == ["acme"], running.logs)
        time.sleep(0.5)
        assert not _is_at_it(engine)
        _ask(broker_url)
        until(partial(_is_at_it, engine), running.logs)
        for child in worker.children():
            child.kill()
        until(lambda: not _is_at_it(engine), running.logs)
        assert _uses(engine) == {"acme": USED}
        assert _late(engine) == ["acme"]
        _ask(broker_url)
        until(lambda: not _late(engine), running.logs, 60)
        until(lambda: not _is_at_it(engine), running.logs)
    assert _uses(engine) == {"birch": USED}
    assert [row["state"] for row in rows(engine, tables.batches)] == ["applied"] * 3
    engine.dispose()


def _ask(broker_url: str) -> None:
    """As the scheduler does each minute."""
    with Celery(broker=broker_url, set_as_current=False) as app:
        app.send_task(CATCH_UP, queue=INGEST)


def _uses(engine: Engine) -> dict[str, int]:
    return {row["account"]: row["count"] for row in rows(engine, tables.usage_days)}


def _late(engine: Engine) -> list[str]:
    with reading(engine) as db:
        return [account for account, _ in behind.listed(db)]


def _is_at_it(engine: Engine) -> bool:
    """Whether somebody holds both of the locks for it; to try for them would be to hold them."""
    held = """
        SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted
            AND datname = current_database()
    """
    with engine.connect() as db:
        return db.scalar(text(held)) == 2
