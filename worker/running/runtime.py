"""What a process works with: its database, the rules in force, where alerts go, the clock."""

import gc
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine

from worker.core.telling import Telling
from worker.core.webhooks import Webhooks
from worker.rulebooks.in_force import RulesInForce
from worker.rulebooks.rulebook import OtherRules, Rulebook, read_rulebook
from worker.rulefiles import RuleFilesRefused
from worker.settings import SettingsError, settings
from worker.shipped import rules_dir
from worker.slack.sender import SlackConfig
from worker.store.database import engine_for

Result = TypeVar("Result")


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
    """What the rules directory says now. Raises `RuleFilesRefused` if there is a problem in it."""
    return read_rulebook(rules_path())


@lru_cache(maxsize=1)
def _followed() -> RulesInForce:
    return RulesInForce(rules_path())


def rules_in_force() -> Rulebook:
    """The rules to evaluate with, which all workers share; they follow the rules directory.

    Raises `RuleFilesRefused` if they cannot be used and there were none before.
    """
    return _followed().now(engine(), clock())


def watch_rules(database: Engine) -> bool:
    """Put a change of the rules directory in force, for a process that does not evaluate.

    Whether there is something new to tell admins.
    """
    return _followed().watch(database, clock())


def with_rules_in_force(work: Callable[[Rulebook], Result]) -> Result:
    """What `work` returns, done over if the rules turn out not to be those in force."""
    try:
        return work(rules_in_force())
    except OtherRules:
        _followed().look_again()
        return work(rules_in_force())


def telling() -> Telling:
    """How people want to be told; gently, where rule files cannot be used and never could."""
    try:
        return rules_in_force().telling
    except RuleFilesRefused:
        return Telling()


def growth() -> frozenset[str]:
    """The ids of the rules that are of growth; none where rule files cannot be used."""
    try:
        return rules_in_force().rules.growth
    except RuleFilesRefused:
        return frozenset()


def webhooks() -> Webhooks | None:
    """Which other systems are told; None where rule files cannot be used and never could."""
    try:
        return rules_in_force().webhooks
    except RuleFilesRefused:
        return None


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
            admin_channel=ours.slack_admin_channel,
            apart=ours.slack_seconds_apart,
        )
    except ValueError as error:
        raise SettingsError(f"TIEWATCH_SLACK_BOT_TOKEN cannot be used: {error}") from error
