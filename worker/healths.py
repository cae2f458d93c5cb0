"""Health scores of 30 days before: kept by the sweeps, and made anew where they are not.

The event path takes only what is kept, since a score of the past takes reading an account twice.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import Connection

from worker.core.facts import facts_of, reading_for
from worker.core.health import CHANGE, TREND_DAYS, Health, health_of
from worker.core.metrics import Metrics
from worker.core.stats import Workspace
from worker.store import health as health_store
from worker.store import stats as stats_store


def past_scores(
    db: Connection,
    accounts: Collection[str],
    on: date,
    workspace: Workspace,
    metrics: Metrics,
    *,
    keep: bool,
) -> dict[str, int | None]:
    """The scores of these accounts 30 days before a date; those made anew are kept, if wished."""
    digest, then = workspace.health.digest, on - timedelta(days=TREND_DAYS)
    found = health_store.ask_past(db, accounts, on, digest)()
    missing = [account for account in accounts if account not in found]
    if not missing:
        return found
    # What a silent source withholds today is no matter then; who was not there yet has no score.
    made: dict[str, int | None] = dict.fromkeys(missing)
    healths = on_day(db, missing, then, replace(workspace, withheld={}), metrics)
    made |= {account: health.score for account, health in healths.items()}
    if keep:
        health_store.keep(db, made, then, digest)
    return found | made


def on_day(
    db: Connection, accounts: Collection[str], on: date, workspace: Workspace, metrics: Metrics
) -> dict[str, Health]:
    """The health of those of these accounts that were there at the end of a day."""
    day, settings = on.toordinal(), workspace.health
    reading, half_life = reading_for(settings.facts, metrics), workspace.ties.half_life
    read = stats_store.read(db, accounts, on, half_life, reading, metrics)
    return {
        account: health_of(facts_of(stats, day, workspace, metrics), settings)
        for account, stats in read.items()
        if stats.first_day is not None and stats.first_day <= day
    }


def keep_scores(
    db: Connection, scores: Mapping[str, int | None], on: date, workspace: Workspace
) -> None:
    """Keep the scores that a sweep found, and forget those that are too old."""
    health_store.keep(db, scores, on, workspace.health.digest)
    health_store.forget(db, scores, on)


def is_asked(facts: Collection[str]) -> bool:
    """Whether the change of health is among these facts."""
    return CHANGE in facts
