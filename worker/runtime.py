"""What a process works with: its database, the rules in force, where alerts go, the clock."""

import gc
import os
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine

from worker.evaluation import Rulebook, read_rulebook
from worker.settings import SettingsError, settings
from worker.shipped import rules_dir
from worker.slack.sender import SlackConfig
from worker.store.database import engine_for


def clock() -> datetime:
    """The one clock of tiewatch."""
    return datetime.now(UTC)


def engine() -> Engine:
    """The database engine of this process; a forked one makes its own."""
    return _engine(os.getpid())


@lru_cache(maxsize=1)
def _engine(_process: int) -> Engine:
    return engine_for(settings().database)


@lru_cache(maxsize=1)
def rulebook() -> Rulebook:
    """The rules in force in this process. Raises `RuleFilesRefused` if they cannot be used."""
    return read_rulebook(rules_path())


def rules_path() -> Path:
    """The rules directory: the one set, else `./rules`, else the shipped one."""
    local = Path("rules")
    return settings().rules_dir or (local if local.is_dir() else rules_dir())


def collect_less_often() -> None:
    """Suit Python's garbage collector to batches, which make many objects and hardly a cycle.

    What is loaded by now stays: looking through it again and again took a fifth of a sweep's time.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def slack() -> SlackConfig:
    """Where alerts go. Raises `SettingsError` for a token that cannot be one."""
    ours = settings()
    token = ours.slack_bot_token
    try:
        return SlackConfig(
            token=token.get_secret_value() if token else None,
            base_url=ours.slack_base_url,
            channel=ours.slack_channel,
        )
    except ValueError as error:
        raise SettingsError(f"TIEWATCH_SLACK_BOT_TOKEN cannot be used: {error}") from error
