"""A worker that is killed while it sends repeats at most the one message in flight."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from celery import Celery
from sqlalchemy import Engine, func, select, update

from tests import slack_server
from tests.alerts import alert
from tests.crash.processes import until, workers
from tests.slack_server import SlackServer
from worker import planning
from worker.celery_app import DELIVER
from worker.store import messages, outbox
from worker.store.database import engine_for, writing
from worker.store.tables import messages as rows

pytestmark = [pytest.mark.crash, pytest.mark.timeout(180)]

ALERTS = 12
IN_FLIGHT = 5
"""The alert at which the worker is killed: Slack has it, nobody knows yet."""


@pytest.fixture
def engine(postgresql_url: str) -> Iterator[Engine]:
    engine = engine_for(postgresql_url)
    with writing(engine) as db:
        for number in range(1, ALERTS + 1):
            outbox.put(db, [(f"{number}", alert(account=f"account-{number}"))], datetime.now(UTC))
    planning.plan(engine, datetime.now(UTC))
    yield engine
    engine.dispose()


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with slack_server.slack_server() as server:
        yield server


def ask_for_delivery(broker_url: str) -> None:
    """As the scheduler does every minute."""
    with Celery(broker=broker_url, set_as_current=False) as app:
        app.send_task(DELIVER, queue=DELIVER)


def sent(engine: Engine) -> int:
    with engine.connect() as db:
        return db.scalar(select(func.count()).where(rows.c.state == messages.SENT)) or 0


@pytest.mark.parametrize("killed", ["child", "worker"])
def test_of_all_messages_only_the_one_in_flight_comes_twice(
    engine: Engine,
    slack: SlackServer,
    postgresql_url: str,
    broker_url: str,
    tmp_path: Path,
    killed: str,
) -> None:
    slack.next(*[slack_server.OK] * (IN_FLIGHT - 1), slack_server.hang(9))
    settings = {
        "TIEWATCH_SLACK_BOT_TOKEN": "xoxb-1",
        "TIEWATCH_SLACK_BASE_URL": slack.url,
        "TIEWATCH_SLACK_CHANNEL": "C1",
    }
    with workers(tmp_path, postgresql_url, broker_url, **settings) as running:
        worker = running.start(module="tests.crash.hurried")
        ask_for_delivery(broker_url)
        until(lambda: len(slack.requests) == IN_FLIGHT, running.logs)
        if killed == "child":
            for child in worker.children():
                child.kill()
        else:
            worker.end()
            running.start(module="tests.crash.hurried")
        ask_for_delivery(broker_url)
        until(lambda: sent(engine) == ALERTS - 1, running.logs)
        time.sleep(1)
        assert len(slack.posted) == ALERTS, "nobody touches the one in flight before its lease ends"

        with writing(engine) as db:  # as if its lease had run out
            db.execute(update(rows).values(leased_until=datetime.now(UTC)))
        ask_for_delivery(broker_url)
        until(lambda: sent(engine) == ALERTS, running.logs)
    posted = Counter(id_ for request in slack.posted for id_ in request.alert_ids)
    assert posted == Counter(dict.fromkeys(range(1, ALERTS + 1), 1) | {IN_FLIGHT: 2})
