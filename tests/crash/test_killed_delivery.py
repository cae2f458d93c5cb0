"""A worker that is killed while it sends neither loses what it was sending, nor says it twice."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from celery import Celery
from sqlalchemy import Engine, func, select, update

from tests import slack_server
from tests.alerts import alert
from tests.crash.processes import until, workers
from tests.deliveries import tell
from tests.slack_server import SlackServer
from worker.celery_app import DELIVER
from worker.delivering.delivery import LEASE
from worker.store import messages
from worker.store.database import engine_for, writing
from worker.store.tables import messages as rows

pytestmark = [pytest.mark.crash, pytest.mark.timeout(180)]

ALERTS = 12
IN_FLIGHT = 5
"""The alert at which the worker is killed: Slack has it, nobody knows yet."""

LONGER_THAN_IT_TAKES = timedelta(seconds=3)
"""Whoever lives has sent what it holds before."""


@pytest.fixture
def engine(postgresql_url: str) -> Iterator[Engine]:
    engine = engine_for(postgresql_url)
    of_accounts = (alert(account=f"account-{number}") for number in range(ALERTS))
    tell(engine, *of_accounts, at=datetime.now(UTC))
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


def number(engine: Engine, state: str) -> int:
    with engine.connect() as db:
        return db.scalar(select(func.count()).where(rows.c.state == state)) or 0


@pytest.mark.parametrize("killed", ["child", "worker"])
def test_what_was_on_its_way_is_found_in_slack_and_not_sent_again(
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
        "TIEWATCH_SLACK_SECONDS_APART": "0",
    }
    with workers(tmp_path, postgresql_url, broker_url, **settings) as running:
        worker = running.start(module="tests.crash.hurried")
        ask_for_delivery(broker_url)
        until(lambda: len(slack.requests) >= IN_FLIGHT, running.logs)
        if killed == "child":
            for child in worker.children():
                child.kill()
        else:
            worker.end()
            running.start(module="tests.crash.hurried")
        ask_for_delivery(broker_url)
        until(lambda: number(engine, messages.WAITING) == 0, running.logs)
        assert number(engine, messages.SENDING) >= 1, "nobody touches what is on its way"

        def all_sent() -> bool:
            now = datetime.now(UTC)
            with writing(engine) as db:  # as if the leases of the dead had run out
                held = rows.c.state == messages.SENDING
                of_the_dead = rows.c.leased_until < now + LEASE - LONGER_THAN_IT_TAKES
                db.execute(update(rows).where(held, of_the_dead).values(leased_until=now))
            ask_for_delivery(broker_url)
            return number(engine, messages.SENT) == ALERTS

        until(all_sent, running.logs)
    posted = Counter(id_ for request in slack.posted for id_ in request.alert_ids)
    assert posted == Counter(range(1, ALERTS + 1))
    assert slack.asked("conversations.history")
