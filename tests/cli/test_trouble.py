"""What the user can put right is said in a line, with what to do, and exit status 2."""

import re
from datetime import date
from pathlib import Path

import pytest

from tests.cli.conftest import Ended, lines
from tests.pipeline import event, rows
from worker.store import tables

ON_THE_DATABASE = [["facts"], ["ties"], ["flags"], ["sweep"], ["deliver"], ["ingest", "-"]]
PROCESSES = [["worker"], ["scheduler"], ["up"]]
EVENT = lines(event("usage", date(2026, 2, 18))).encode()


def refused(done: Ended, said: str) -> None:
    """It failed with a short message that names no secret, and with nothing where results go."""
    assert (done.status, done.out) == (2, ""), done
    assert re.search(said, done.err), done.err
    assert "Traceback" not in done.err
    assert "s3cret" not in done.err
    assert len(done.err) < 1_500
    assert done.err.endswith("\n")


# The database


@pytest.mark.parametrize("command", [*ON_THE_DATABASE, *PROCESSES], ids=" ".join)
def test_a_database_that_is_not_migrated_says_what_to_run(tiewatch, folder, command):
    url = f"sqlite:///{folder}/empty.db"
    done = tiewatch(*command, stdin=EVENT, DATABASE_URL=url)
    refused(done, "The database has no tables yet: run 'tiewatch db upgrade'")


@pytest.mark.parametrize("command", [*ON_THE_DATABASE, *PROCESSES, ["db", "upgrade"]], ids=" ".join)
def test_a_database_that_cannot_be_reached_is_said_to_be(tiewatch, command):
    url = "postgresql://u:s3cret@127.0.0.1:1/x"
    done = tiewatch(*command, stdin=EVENT, DATABASE_URL=url)
    refused(done, "Connection refused.*TIEWATCH_DATABASE_URL")


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "u:s3cret@db/x",
        "postgresql://u:s3cret@db:port/x",
        "postgresql://u:s3cret@[::1/x",
        "postgresql://u:s3cret@127.0.0.1:1/x?nonsense=1",
        "mysql://u:s3cret@db/x",
        "nonsense://u:s3cret@db/x",
        "sqlite:////dev/null/x.db",
        "sqlite:///text.db",
        "sqlite:///.",
        "sqlite:///new.db?timeout=s3cret",
    ],
)
@pytest.mark.parametrize("command", [["facts", "--json"], ["db", "upgrade"]], ids=" ".join)
def test_a_database_url_that_is_none_is_refused_by_the_name_of_its_variable(
    tiewatch, folder, url, command
):
    (folder / "text.db").write_text("This is no database. " * 100)
    refused(tiewatch(*command, DATABASE_URL=url), "TIEWATCH_DATABASE_URL")


def test_a_wrong_password_is_not_printed(tiewatch, postgresql_url):
    url = postgresql_url.replace("postgres@", "nobody:s3cret@")
    refused(tiewatch("facts", DATABASE_URL=url), "The database cannot be used")


@pytest.mark.parametrize("home", ["taken", "taken/below", "/dev/null"])
def test_a_home_that_cannot_be_a_folder_is_said_to_be_none(tiewatch, folder, home):
    (folder / "taken").write_text("")
    refused(tiewatch("facts", "--json", HOME=home), "taken|/dev/null")


# The broker


@pytest.mark.parametrize(
    "url",
    [
        "redis://:s3cret@127.0.0.1:1/0",
        "redis://:s3cret@no-such-host.invalid/0",
        "amqp://u:s3cret@127.0.0.1:1//",
        "redis://:s3cret@127.0.0.1:port/0",
        "nonsense://u:s3cret@x/0",
        "u:s3cret@127.0.0.1:1",
    ],
)
def test_a_broker_that_cannot_be_reached_is_said_to_be_and_nothing_is_lost(
    tiewatch, folder, embedded, url
):
    (folder / "a.jsonl").write_bytes(EVENT)
    refused(tiewatch("ingest", "--json", "a.jsonl", BROKER_URL=url), "TIEWATCH_BROKER_URL")
    assert rows(embedded, tables.batches) == []
    done = tiewatch("doctor", "--connections", "--json", BROKER_URL=url)
    assert done.status == 1
    assert [one["ok"] for one in done.json] == [True, False]
    assert "s3cret" not in done.out + done.err


@pytest.mark.parametrize("command", [["worker"], ["scheduler"]], ids=" ".join)
def test_a_process_without_its_broker_says_so_and_ends(tiewatch, command):
    done = tiewatch(*command, BROKER_URL="redis://:s3cret@127.0.0.1:1/0")
    refused(done, "TIEWATCH_BROKER_URL")


def test_without_the_embedded_queue_it_says_how_to_get_one(tiewatch, folder, monkeypatch):
    monkeypatch.setattr("worker.running.embedded.importlib.util.find_spec", lambda _name: None)
    (folder / "a.jsonl").write_bytes(EVENT)
    done = tiewatch("ingest", "a.jsonl")
    refused(done, r"tiewatch\[embedded\].*TIEWATCH_BROKER_URL")


# The rules

RULES = [["facts"], ["ties"], ["sweep"], ["ingest", "--direct", "-"], ["worker"], ["up"]]


@pytest.mark.parametrize("command", RULES, ids=" ".join)
def test_rules_that_cannot_be_used_are_shown_with_file_line_and_column(tiewatch, folder, command):
    (folder / "rules").mkdir()
    (folder / "rules" / "a.yaml").write_text("rules:\n  - {id: x, titel: X}\n")
    (folder / "rules" / "ties.yaml").write_text("half_life: soon\n")
    done = tiewatch(*command, stdin=EVENT)
    refused(done, "The rules cannot be used")
    assert re.search(r"rules/a.yaml:2:\d+: .*'titel'", done.err)
    assert re.search(r"rules/ties.yaml:1:12: ", done.err)


def test_rules_that_cannot_be_used_take_nothing_in(tiewatch, folder, embedded):
    (folder / "rules").mkdir()
    refused(tiewatch("ingest", "--direct", "-", stdin=EVENT), "no file here")
    assert rows(embedded, tables.events) == []


@pytest.mark.parametrize("kind", ["missing", "file", "empty"])
def test_a_rules_folder_that_is_none_is_named(tiewatch, folder, kind):
    path = folder / "mine"
    if kind == "file":
        path.write_text("rules: no\n")
    if kind == "empty":
        path.mkdir()
    refused(tiewatch("sweep", RULES_DIR=path), "mine")


# Other settings


@pytest.mark.parametrize(
    ("command", "name", "value"),
    [
        (["facts"], "SWEEP_HOUR", "24"),
        (["worker"], "WORKER_PROCESSES", "none"),
        (["scheduler"], "SWEEP_TIMEZONE", "Mars/Olympus"),
        (["scheduler"], "SWEEP_TIMEZONE", "../etc/passwd"),
        (["scheduler"], "LOG_LEVEL", "loud"),
        (["facts"], "DATABASE_URL_FILE", "/no/such/file"),
        (["deliver"], "SLACK_BOT_TOKEN_FILE", "/no/such/file"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tiewatch, monkeypatch, command, name, value):
    monkeypatch.setattr("worker.scheduler.run", lambda *_: None)  # what must not be reached
    refused(tiewatch(*command, **{name: value}), f"TIEWATCH_{name}")


def test_an_unknown_queue_is_refused_with_the_ones_there_are(tiewatch):
    refused(tiewatch("worker", "--queue", "nonsense"), "'nonsense'.*tiewatch.ingest")


def test_empty_variables_count_as_not_set(tiewatch, folder):
    empty = ("DATABASE_URL", "BROKER_URL", "RULES_DIR", "SLACK_BOT_TOKEN", "HOME", "SWEEP_HOUR")
    done = tiewatch("facts", "--json", **dict.fromkeys(empty, " "))
    assert (done.status, done.json) == (0, [])
    assert (folder / ".tiewatch" / "tiewatch.db").is_file()


@pytest.mark.parametrize("whose", ["BROKER_URL", "BROKER_WRITE_URL", "BROKER_READ_URL"])
def test_the_settings_of_other_programs_are_not_ours(tiewatch, monkeypatch, valkey_server, whose):
    monkeypatch.setenv(f"CELERY_{whose}", "redis://127.0.0.1:1/0")
    done = tiewatch("doctor", "--connections", "--json", BROKER_URL=valkey_server)
    (broker,) = [one for one in done.json if one["subject"] == "broker"]
    assert broker["ok"]
    assert broker["detail"].replace(":**@", "") == valkey_server


def test_a_secret_comes_from_its_file(tiewatch, folder):
    file = folder / "url"
    file.write_text(f"sqlite:///{folder}/mine.db\n")
    assert tiewatch("db", "upgrade", DATABASE_URL_FILE=file).status == 0
    assert (folder / "mine.db").is_file()
    assert not (folder / ".tiewatch").exists()


def test_nothing_is_written_but_under_the_current_folder(tiewatch, folder):
    home = Path.home()
    assert tiewatch("facts").status == 0
    assert [path.name for path in folder.iterdir()] == [".tiewatch"]
    assert list(home.iterdir()) == []
