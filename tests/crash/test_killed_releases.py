"""What has waited is taken in once, whoever is killed while it is released step by step."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, func, select

from tests.crash.processes import publish, until, workers
from tests.pipeline import Raw, event, rows
from worker.intake.arrivals import Batch
from worker.intake.ingest import ingest
from worker.rulebooks.rulebook import read_rulebook
from worker.shipped import rules_dir
from worker.store import tables, waiting
from worker.store.database import engine_for

pytestmark = [pytest.mark.crash, pytest.mark.timeout(180)]

MAILS, DISPUTED, USED = 340, 100, 160
EVENTS = MAILS + DISPUTED + USED
RULES = read_rulebook(rules_dir())


def test_kills_while_what_has_waited_is_released_change_nothing(
    postgresql_url: str, sqlite_url: str, broker_url: str, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    day = now.date() - timedelta(3)
    waits = [_mail(number, now, "acme.example") for number in range(MAILS)]
    waits += [_used(number, now) for number in range(USED)]
    claimed = [event("account", day, account=one, domains=["b.example"]) for one in ("b", "c")]
    disputed = [_mail(number, now, "b.example") for number in range(DISPUTED)]
    words = {
        "claim": [event("account", day, account="acme", domains=["acme.example"])],
        "settling": [event("account", day + timedelta(1), account="c", domains=[])],
        "group": [event("account", day, account="acme") | {"tiewatchmember": "lee"}],
    }
    undisturbed, disturbed = engine_for(sqlite_url), engine_for(postgresql_url)
    said = [*claimed, *(one for some in words.values() for one in some)]
    ingest(undisturbed, Batch("all", [*said, *disputed, *waits]), RULES, now)
    first = ingest(disturbed, Batch("first", [*claimed, *disputed, *waits]), RULES, now).counts
    assert (first.quarantined, first.waiting) == (DISPUTED, MAILS + USED)

    publish(broker_url, words)
    chance = Random(7)
    with workers(tmp_path, postgresql_url, broker_url) as running:
        worker = running.start(module="tests.crash.stepping")
        for point in sorted(chance.sample(range(20, EVENTS - 60), 3)):
            until(partial(_has_logged, disturbed, point), running.logs)
            worker.kill_child(chance.randrange(2))
        until(partial(_has_logged, disturbed, EVENTS + len(said)), running.logs, 120)
        until(partial(_is_released, disturbed), running.logs)

    assert _known(disturbed) == _known(undisturbed)
    for table in (tables.waiting_mails, tables.waiting_events, tables.quarantine, tables.disputes):
        assert rows(disturbed, table) == []
    with disturbed.connect() as db:
        applied = select(func.sum(tables.batches.c.applied))
        assert db.scalar(applied) == EVENTS + len(said)
    disturbed.dispose()
    undisturbed.dispose()


def _mail(number: int, now: datetime, domain: str) -> Raw:
    people = {"reps": ["sam"], "contacts": [f"c{number % 9}@{domain}"]}
    day = now.date() - timedelta(number % 300)
    head = event("interaction", day, account=None, channel="meeting", **people)
    return head | {"tiewatchpeople": "email"}


def _used(number: int, now: datetime) -> Raw:
    day = now.date() - timedelta(number % 30)
    return event("usage", day, account=None, user="lee") | {"tiewatchmember": "lee"}


def _logged(engine: Engine) -> int:
    with engine.connect() as db:
        return db.scalar(select(func.count()).select_from(tables.events)) or 0


def _has_logged(engine: Engine, number: int) -> bool:
    return _logged(engine) >= number


def _is_released(engine: Engine) -> bool:
    with engine.connect() as db:
        return waiting.next_step(db) is None


def _known(engine: Engine) -> list[tuple[object, ...]]:
    """The days of ties and of usage."""
    met, used = tables.tie_days.c, tables.usage_days.c
    columns = [met.account, met.rep, met.contact, met.day, met.mutual]
    with engine.connect() as db:
        found = [*db.execute(select(*columns)), *db.execute(select(*used))]
        return sorted((tuple(row) for row in found), key=repr)
