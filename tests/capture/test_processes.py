"""`tiewatch gateway` and `tiewatch slack listen`: real processes that Slack talks to."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest
from sqlalchemy import Engine, text, update

from tests.capture.conftest import RULES
from tests.capture.sockets import Socket
from tests.capture.workspace import SECRET, Person, Workspace, wait_until
from tests.pipeline import event, meeting, rows, rulebook, take_in
from worker.running.embedded import free_port
from worker.store import tables
from worker.store.database import engine_for, writing

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def flag(engine: Engine, tmp_path: Path) -> int:
    """A flag that is open today, on an account of Sam's."""
    return raised(engine, tmp_path)


def raised(engine: Engine, folder: Path) -> int:
    today = datetime.now(UTC).date()
    take_in(
        engine,
        rulebook(folder, RULES),
        today,
        event("rep", today, account=None, rep="sam", name="Sam Ito", slack_user="USAM"),
        event("account", today - timedelta(6), name="Acme", owner="sam"),
        meeting(today - timedelta(6)),
    )
    return next(int(f["id"]) for f in rows(engine, tables.flags) if f["rule"] == "silence")


def state(engine: Engine) -> str:
    return next(f["state"] for f in rows(engine, tables.flags) if f["rule"] == "silence")


@contextmanager
def running(
    folder: Path, engine: Engine, slack: Workspace, broker: str, *command: str
) -> Iterator[subprocess.Popen[bytes]]:
    """The process, with the settings that it needs; it must end well when it is told to."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TIEWATCH_")}
    env = ours | {
        "PYTHONPATH": str(ROOT),
        "TIEWATCH_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "TIEWATCH_BROKER_URL": broker,
        "TIEWATCH_RULES_DIR": str(folder / "rules"),
        "TIEWATCH_SLACK_BOT_TOKEN": "xoxb-1",
        "TIEWATCH_SLACK_APP_TOKEN": "xapp-1",
        "TIEWATCH_SLACK_SIGNING_SECRET": SECRET,
        "TIEWATCH_SLACK_BASE_URL": slack.url,
    }
    log = folder / "process.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "worker", *command],
            cwd=folder,
            env=env,
            stdout=output,
            stderr=output,
        )
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0, log.read_text()
        finally:
            process.kill()
            process.wait()
    said = log.read_text()
    assert "xoxb-1" not in said
    assert "xapp-1" not in said
    assert SECRET not in said
    assert "Traceback" not in said


def is_up(port: int) -> bool:
    try:
        connection = HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False


def test_the_gateway_takes_clicks_and_finishes_what_it_acknowledged_when_it_is_stopped(
    engine, slack, flag, tmp_path, broker_url
):
    port = free_port()
    serve = ("gateway", "--port", str(port))
    with running(tmp_path, engine, slack, broker_url, *serve) as process:
        wait_until(lambda: is_up(port), seconds=60)
        sam = Person(port, "USAM", datetime.now(UTC), slack)
        with busy(engine):
            assert sam.press(f"acknowledge/{flag}").status == 200
            process.send_signal(signal.SIGTERM)
            if engine.dialect.name == "postgresql":
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(2)
        assert process.wait(30) == 0
    assert state(engine) == "acknowledged"


@contextmanager
def busy(engine: Engine) -> Iterator[None]:
    """Something else works on the account, which in SQLite would leave no room for a click."""
    with writing(engine) as db:
        if engine.dialect.name == "postgresql":
            db.execute(text("SELECT 1 FROM accounts FOR UPDATE"))
            yield
    if engine.dialect.name != "postgresql":
        yield


def test_a_click_that_was_answered_counts_although_the_gateway_is_killed_before_the_work(
    postgresql_url, slack, tmp_path, broker_url
):
    engine = engine_for(postgresql_url)
    id_ = raised(engine, tmp_path)
    port = free_port()
    serve = ("gateway", "--port", str(port))

    def clicked_and_killed() -> None:
        with running(tmp_path, engine, slack, broker_url, *serve) as process:
            wait_until(lambda: is_up(port), seconds=60)
            sam = Person(port, "USAM", datetime.now(UTC), slack)
            assert sam.press(f"acknowledge/{id_}").status == 200
            process.kill()

    with busy(engine), pytest.raises(AssertionError):  # it does not end well
        clicked_and_killed()
    assert state(engine) == "open"
    with writing(engine) as db:  # twenty seconds later
        db.execute(update(tables.slack_clicks).values(leased_until=datetime.now(UTC)))
    with running(tmp_path, engine, slack, broker_url, *serve):
        wait_until(lambda: state(engine) == "acknowledged", seconds=60)
        wait_until(lambda: rows(engine, tables.slack_clicks) == [])
    (kept,) = rows(engine, tables.flag_answers)
    assert (kept["rep"], kept["action"]) == ("sam", "acknowledge")
    engine.dispose()


def test_a_listener_takes_what_comes_over_its_socket_and_opens_another_when_asked_to(
    engine, slack, flag, tmp_path, broker_url
):
    sam = Person(0, "USAM", datetime.now(UTC), slack)
    with (
        Socket().run() as socket,
        running(tmp_path, engine, slack, broker_url, "slack", "listen"),
    ):
        slack.socket_url = socket.url
        click = sam.click(f"acknowledge/{flag}", at="1.1")
        who = {"user": {"id": "USAM"}, "team": {"id": "T1"}}
        socket.send("e1", "interactive", click | who)
        wait_until(lambda: "e1" in socket.answers)
        wait_until(lambda: state(engine) == "acknowledged")
        socket.send("e2", "interactive", click | who)
        wait_until(lambda: "e2" in socket.answers)
        slack.made("respond", 2)
        assert len(rows(engine, tables.flag_answers)) == 1
        socket.replace()
        wait_until(lambda: socket.opened > 1, seconds=60)
        command = {
            "command": "/tiewatch",
            "text": "mine",
            "user_id": "USAM",
            "team_id": "T1",
            "response_url": slack.response_url,
            "trigger_id": "trigger",
        }
        socket.send("e3", "slash_commands", command)
        wait_until(lambda: "e3" in socket.answers)
        assert "No contact for 6 days" in slack.made("respond", 3)[-1].said
