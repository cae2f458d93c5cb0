"""Settings: from variables and from the files they name; secrets stay secret."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url

from worker.settings import Settings, SettingsError
from worker.settings import settings as cached

SECRETS = (
    "DATABASE_URL",
    "BROKER_URL",
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Settings]:
    """The settings that these variables give, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TIEWATCH_")]:
        monkeypatch.delenv(name)

    def read(**variables: str | Path) -> Settings:
        for name, value in variables.items():
            monkeypatch.setenv(f"TIEWATCH_{name}", str(value))
        return cached.__wrapped__()

    return read


def test_with_nothing_set_all_is_embedded_under_the_current_folder(settings, tmp_path):
    found = settings()
    assert str(found.database) == f"sqlite:///{tmp_path}/.tiewatch/tiewatch.db"
    assert found.broker is None
    assert found.slack_bot_token is None
    assert found.rules_dir is None


def test_each_variable_has_its_embedded_default_on_its_own(settings):
    url = "postgresql://u:p@db/tiewatch"
    found = settings(DATABASE_URL=url)
    assert (found.database, found.broker) == (url, None)
    found = settings(DATABASE_URL="", BROKER_URL="redis://queue/0")
    assert str(found.database).startswith("sqlite:///")
    assert found.broker == "redis://queue/0"


@pytest.mark.parametrize("empty", ["", " ", "\t\n"])
def test_an_empty_variable_counts_as_not_set(settings, empty):
    found = settings(
        DATABASE_URL=empty,
        BROKER_URL=empty,
        SWEEP_HOUR=empty,
        SLACK_BOT_TOKEN=empty,
        SLACK_BASE_URL=empty,
        RULES_DIR=empty,
        HOME=empty,
        DATABASE_URL_FILE=empty,
    )
    assert found == settings()
    assert found.sweep_hour == 6
    assert found.slack_base_url == "https://slack.com/api/"


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_may_come_from_a_file(settings, tmp_path, name):
    file = tmp_path / "secret"
    file.write_text("  s3cret-é\n\n", encoding="utf-8")
    value = getattr(settings(**{f"{name}_FILE": file}), name.lower())
    assert value.get_secret_value() == "s3cret-é"


def test_a_variable_goes_before_the_file(settings, tmp_path):
    file = tmp_path / "secret"
    file.write_text("redis://from-file/0")
    found = settings(BROKER_URL="redis://variable/0", BROKER_URL_FILE=file)
    assert found.broker == "redis://variable/0"
    assert settings(BROKER_URL="", BROKER_URL_FILE=file).broker == "redis://from-file/0"


def test_an_empty_file_counts_as_not_set(settings, tmp_path):
    file = tmp_path / "secret"
    file.write_text("\n")
    found = settings(DATABASE_URL_FILE=file, SLACK_BOT_TOKEN_FILE=file)
    assert str(found.database).startswith("sqlite:///")
    assert found.slack_bot_token is None


@pytest.mark.parametrize("kind", ["missing", "folder", "binary"])
def test_a_file_that_cannot_be_read_is_named_with_its_variable(settings, tmp_path, kind):
    file = tmp_path / "secret"
    if kind == "folder":
        file.mkdir()
    if kind == "binary":
        file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="TIEWATCH_SLACK_BOT_TOKEN_FILE") as caught:
        settings(SLACK_BOT_TOKEN_FILE=file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SWEEP_HOUR", "24"),
        ("SWEEP_HOUR", "-1"),
        ("SWEEP_HOUR", "six-s3cret"),
        ("WORKER_PROCESSES", "0"),
        ("WORKER_PROCESSES", "1.5"),
        ("LOG_LEVEL", "s3cret"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_the_name_of_its_variable(settings, name, value):
    with pytest.raises(SettingsError, match=f"TIEWATCH_{name}") as caught:
        settings(**{name: value})
    assert "s3cret" not in str(caught.value)


def test_secrets_are_not_shown(settings):
    found = settings(**dict.fromkeys(SECRETS, "redis://:s3cret@x/0"))
    assert "s3cret" not in f"{found!r} {found} {found.model_dump_json()}"


def test_variables_that_tiewatch_does_not_know_are_no_trouble(settings):
    assert settings(NONSENSE="1", TEST_DATABASE_URL="x") == settings()


@pytest.mark.parametrize("folder", ["a b", "é", "100%", "c#", "what?", "x@y:z"])
def test_the_embedded_database_is_in_its_folder_whatever_that_is_called(
    settings, tmp_path, monkeypatch, folder
):
    monkeypatch.chdir((tmp_path / folder).parent)
    (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / folder)
    database = make_url(settings().database).database
    assert database == str(tmp_path / folder / ".tiewatch" / "tiewatch.db")
