"""What `tiewatch gateway` and `slack listen` need before they run, and say if it is missing."""

import pytest

from tests.capture.workspace import Workspace
from worker.cli.processes import _parts
from worker.settings import settings

GATEWAY, LISTEN = ["gateway"], ["slack", "listen"]
BOTH = {"SLACK_BOT_TOKEN": "xoxb-s3cret", "SLACK_SIGNING_SECRET": "s3cret"}
ALL = BOTH | {"SLACK_APP_TOKEN": "xapp-s3cret"}


def refused(done, said: str) -> None:
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert "s3cret" not in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        (GATEWAY, "SLACK_BOT_TOKEN"),
        (LISTEN, "SLACK_APP_TOKEN"),
        (LISTEN, "SLACK_BOT_TOKEN"),
    ],
)
def test_a_secret_that_is_not_set_is_asked_for_by_name(tiewatch, command, missing):
    given = {name: value for name, value in ALL.items() if name != missing}
    refused(tiewatch(*command, **given), f"TIEWATCH_{missing} is not set: ")


@pytest.mark.parametrize("command", [GATEWAY, LISTEN])
def test_a_database_without_tables_is_not_served(tiewatch, folder, command):
    done = tiewatch(*command, DATABASE_URL=f"sqlite:///{folder}/empty.db", **ALL)
    refused(done, "run 'tiewatch db upgrade'")


@pytest.mark.parametrize(
    ("secrets", "parts"),
    [
        ({}, ["worker", "scheduler", "gateway"]),
        (BOTH, ["worker", "scheduler", "gateway"]),
        (ALL, ["worker", "scheduler", "gateway", "listener"]),
    ],
)
def test_up_runs_what_hears_slack_where_its_secret_is_set(folder, monkeypatch, secrets, parts):
    for name, value in secrets.items():
        monkeypatch.setenv(f"TIEWATCH_{name}", value)
    settings.cache_clear()
    assert list(_parts(8000)) == parts
    settings.cache_clear()


def test_a_token_that_slack_does_not_take_is_said_to_be_wrong(tiewatch, sqlite_url, broker_url):
    with Workspace().run() as slack:
        urls = {"DATABASE_URL": sqlite_url, "BROKER_URL": broker_url, "SLACK_BASE_URL": slack.url}
        refused(tiewatch(*LISTEN, **urls, **ALL), "TIEWATCH_SLACK_APP_TOKEN: invalid_auth.")


def test_a_slack_that_cannot_be_reached_is_said_to_be(tiewatch, sqlite_url, broker_url):
    urls = {"DATABASE_URL": sqlite_url, "BROKER_URL": broker_url}
    done = tiewatch(*LISTEN, **urls, **ALL, SLACK_BASE_URL="http://127.0.0.1:1/api/")
    refused(done, "no answer: ")
