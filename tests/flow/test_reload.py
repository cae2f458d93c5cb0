"""Real workers whose rules are edited while they run."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.crash.processes import Workers, environment, publish, until, workers
from tests.pipeline import event, flags, rows
from tests.slack_server import slack_server
from tests.today import TODAY
from worker.rulebooks.in_force import LOOK_EVERY, SETTLED
from worker.store import tables
from worker.store.database import engine_for


def rules(*ids: str) -> str:
    """Rules that hold for every account without seats."""
    each = "  - {{id: {}, title: No seats, severity: low, when: {{licences: unknown}}}}\n"
    return "rules:\n" + "".join(each.format(id_) for id_ in ids)


def write(file: Path, text: str) -> None:
    file.with_suffix(".new").write_text(text)
    os.replace(file.with_suffix(".new"), file)


@contextmanager
def following(root: Path, database_url: str, broker_url: str, slack_url: str) -> Iterator[Workers]:
    """Workers to be, of a new rules directory with one rule in `a.yaml`."""
    root.mkdir()
    write(root / "a.yaml", rules("first"))
    with workers(
        root.parent,
        database_url,
        broker_url,
        TIEWATCH_RULES_DIR=str(root),
        TIEWATCH_SLACK_BOT_TOKEN="xoxb-1",
        TIEWATCH_SLACK_BASE_URL=slack_url,
        TIEWATCH_SLACK_CHANNEL="C-reps",
        TIEWATCH_SLACK_ADMIN_CHANNEL="C-admins",
    ) as running:
        yield running


def test_running_workers_follow_the_rules_and_survive_a_bad_file(
    tmp_path: Path, database_url: str, broker_url: str
) -> None:
    root, engine = tmp_path / "rules", engine_for(database_url)
    with slack_server() as slack, following(root, database_url, broker_url, slack.url) as running:
        running.start()
        running.start()

        def open_on(account: str) -> list[str]:
            """The rules open on an account of which the workers now hear for the first time."""
            batches = {
                f"{account}-{n}": [event("account", TODAY, account=account, name=f"{n}")]
                for n in range(4)
            }
            publish(broker_url, batches)
            until(
                lambda: {row["id"] for row in rows(engine, tables.batches)} >= batches.keys(),
                running.logs,
            )
            return flags(engine).get(account, [])

        assert open_on("before") == ["first"]
        write(root / "b.yaml", rules("second"))
        time.sleep(LOOK_EVERY)
        assert open_on("after") == ["first", "second"]
        write(root / "a.yaml", rules("first").replace("licences", "licenses"))
        write(root / "b.yaml", rules("third"))
        time.sleep(LOOK_EVERY)
        assert open_on("beside-a-bad-file") == ["first", "third"]
        assert flags(engine)["before"] == ["first"]

        def told() -> list[str]:
            return [r.body["text"] for r in slack.posted if r.body["channel"] == "C-admins"]

        until(lambda: bool(told()), running.logs)
        (text,) = told()
        assert text.startswith("The rules of a.yaml stay as they were: 1 problem")
    engine.dispose()


def test_a_mistake_is_told_and_a_change_taken_up_where_nothing_happens(
    tmp_path: Path, database_url: str, broker_url: str
) -> None:
    root, engine = tmp_path / "rules", engine_for(database_url)
    with slack_server() as slack, following(root, database_url, broker_url, slack.url) as running:
        running.start()
        env = environment({**running.env, "TIEWATCH_LOG_LEVEL": "info"})
        with subprocess.Popen(
            [sys.executable, "-m", "worker", "scheduler"],
            cwd=tmp_path,
            env=env,
            stderr=subprocess.PIPE,
        ) as scheduler:
            try:
                assert scheduler.stderr is not None
                while b"scheduler started" not in scheduler.stderr.readline():
                    assert scheduler.poll() is None
                time.sleep(LOOK_EVERY + SETTLED)  # it has seen the directory as it was
                write(root / "a.yaml", rules("first").replace("licences", "licenses"))
                write(root / "b.yaml", rules("second"))
                until(lambda: bool(slack.posted), running.logs, seconds=30)
                until(lambda: len(rows(engine, tables.rule_sets)) == 2, running.logs)
            finally:
                scheduler.kill()
    (request,) = slack.posted
    assert request.body["channel"] == "C-admins"
    assert request.body["text"].startswith("The rules of a.yaml stay as they were: 1 problem")
    engine.dispose()
