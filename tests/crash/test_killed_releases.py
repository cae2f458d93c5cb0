"""What has waited is taken in once, whoever is killed while it is released step by step."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, func, select

from tests.crash.processes import publish, until, workers
from tests.pipeline import Raw, event
from worker.arrivals import Batch
from worker.ingest import ingest
from worker.rulebook import read_rulebook
from worker.shipped import rules_dir
from worker.store import tables, waiting
from worker.store.database import engine_for

pytestmark = [pytest.mark.crash, pytest.mark.timeout(180)]

MAILS = 600
RULES = read_rulebook(rules_dir())


def test_kills_while_what_has_waited_is_released_change_nothing(
    postgresql_url: str, sqlite_url: str, broker_url: str, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    day = now.date() - timedelta(1)
    mails = [_mail(number, now) for number in range(MAILS)]
    claim = event("account", day, account="acme", domains=["acme.example"])
    undisturbed, disturbed = engine_for(sqlite_url), engine_for(postgresql_url)
    ingest(undisturbed, Batch("all", [claim, *mails]), RULES, now)
    assert ingest(disturbed, Batch("mails", mails), RULES, now).counts.waiting == MAILS

    publish(broker_url, {"claim": [claim]})
    chance = Random(7)
    with workers(tmp_path, postgresql_url, broker_url) as running:
        worker = running.start(module="tests.crash.stepping")
        for point in sorted(chance.sample(range(20, MAILS - 60), 3)):
            until(partial(_has_logged, disturbed, point), running.logs)
            worker.kill_child(chance.randrange(2))
        until(partial(_has_logged, disturbed, MAILS + 1), running.logs, 120)
        until(partial(_is_released, disturbed), running.logs)

    assert _met(disturbed) == _met(undisturbed)
    with disturbed.connect() as db:
        assert waiting.counted(db, 1) == (0, [])
        applied = select(func.sum(tables.batches.c.applied))
        assert db.scalar(applied) == MAILS + 1
    disturbed.dispose()
    undisturbed.dispose()


def _mail(number: int, now: datetime) -> Raw:
    people = {"reps": ["sam"], "contacts": [f"c{number % 9}@acme.example"]}
    day = now.date() - timedelta(number % 300)
    head = event("interaction", day, account=None, channel="meeting", **people)
    return head | {"tiewatchpeople": "email"}


def _logged(engine: Engine) -> int:
    with engine.connect() as db:
        return db.scalar(select(func.count()).select_from(tables.events)) or 0


def _has_logged(engine: Engine, number: int) -> bool:
    return _logged(engine) >= number


def _is_released(engine: Engine) -> bool:
    with engine.connect() as db:
        return waiting.claimed(db) is None


def _met(engine: Engine) -> list[tuple[object, ...]]:
    days = tables.tie_days.c
    with engine.connect() as db:
        found = db.execute(select(days.account, days.rep, days.contact, days.day, days.mutual))
        return sorted(tuple(row) for row in found)
