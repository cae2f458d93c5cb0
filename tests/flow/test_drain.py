"""How fast what waits leaves: as fast as Slack allows, by real workers, and no faster."""

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from celery import Celery
from sqlalchemy import Engine

from tests import slack_server
from tests.alerts import alert
from tests.crash.processes import until, workers
from tests.slack_server import SlackServer
from worker.celery_app import DELIVER
from worker.core.bundles import Kind
from worker.store import backlog, messages
from worker.store.database import writing
from worker.store.messages import New

pytestmark = pytest.mark.timeout(180)

CHANNELS = 20
ALERTS = 1_000
APART = 0.5
"""Seconds between two messages to a channel: Slack's one, made short."""


@pytest.fixture
def engine(postgresql_engine: Engine) -> Engine:
    return postgresql_engine


def put(engine: Engine, alerts: int, channels: int) -> None:
    """Alerts of an account each, to channels in turn."""
    now = datetime.now(UTC)
    new = []
    for n in range(alerts):
        to = messages.channel(f"C{n % channels:02}")
        one = alert(account=f"account-{n}")
        body = msgspec.json.encode(one).decode()
        bundle = messages.account_bundle(one.account)
        new.append(New(f"{n}/{to}", to, one.account, bundle, Kind.ALERT, body, now))
    with writing(engine) as db:
        messages.put(db, new, now)


def drain(
    engine: Engine, url: str, broker_url: str, folder: Path, slack: SlackServer, apart: float
) -> None:
    """Have real workers deliver all that waits."""
    settings = {
        "TIEWATCH_SLACK_BOT_TOKEN": "xoxb-1",
        "TIEWATCH_SLACK_BASE_URL": slack.url,
        "TIEWATCH_SLACK_CHANNEL": "C1",
        "TIEWATCH_SLACK_SECONDS_APART": f"{apart}",
    }
    with workers(folder, url, broker_url, **settings) as running:
        running.start()
        with Celery(broker=broker_url, set_as_current=False) as app:
            for _ in range(3):  # as when several batches have raised alerts
                app.send_task(DELIVER, queue=DELIVER)

        def over() -> bool:
            time.sleep(0.2)
            with engine.connect() as db:
                return backlog.unsent(db) == 0

        until(over, running.logs, 120)


def waits(number: int, slack: SlackServer) -> float:
    """The seconds that so many waits of `APART` take on this machine, from the first message on.

    On an idle one that is their sum; a busy one wakes everybody late who waits, workers as well.
    """
    until(lambda: bool(slack.posted))
    began = time.monotonic()
    for _ in range(number):
        time.sleep(APART)
    return time.monotonic() - began


def test_a_thousand_alerts_leave_at_the_pace_that_slack_allows(
    engine, postgresql_url, broker_url, tmp_path
):
    put(engine, ALERTS, CHANNELS)
    with slack_server.slack_server(APART) as slack, ThreadPoolExecutor(1) as beside:
        limit = beside.submit(waits, ALERTS // CHANNELS, slack)
        drain(engine, postgresql_url, broker_url, tmp_path, slack, APART)
    assert len(slack.posted) == len(slack.requests) == ALERTS, "none was too fast for Slack"
    arrived = defaultdict(list)
    for request in slack.posted:
        arrived[request.body["channel"]].append(request.at)
    assert {len(times) for times in arrived.values()} == {ALERTS // CHANNELS}
    began = min(times[0] for times in arrived.values())
    took = max(times[-1] for times in arrived.values()) - began + APART
    allowed = limit.result()
    print(f"{ALERTS / took:.1f} a second, {allowed / took:.1%} of what is allowed")
    assert allowed / took > 0.95


def test_a_pause_that_slack_asks_for_holds_for_all_processes(
    engine, postgresql_url, broker_url, tmp_path
):
    put(engine, 60, 60)
    with slack_server.slack_server() as slack:
        slack.next(*[slack_server.OK] * 20, slack_server.slow_down("3"))
        drain(engine, postgresql_url, broker_url, tmp_path, slack, 1.0)
    assert len(slack.posted) == 60
    paused = next(request.at for request in slack.requests if not request.posted)
    after = sorted(request.at - paused for request in slack.requests if request.at > paused)
    under_way = [waited for waited in after if waited < 3]
    assert len(under_way) < 16, "only what was on its way already"
    assert all(waited < 0.5 for waited in under_way)
    assert 3 <= after[len(under_way)] < 5, "and on it goes when the pause is over"
