"""Health scores of 30 days before: kept by the sweeps, and made anew where they are not.

The event path takes only what is kept, since a score of the past takes reading an account twice.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import Connection

from worker.core.conditions import Facts
from worker.core.facts import facts_of_all, reading_for
from worker.core.health import CHANGE, HEALTH, Health, health_of
from worker.core.metrics import Metrics
from worker.core.stats import Workspace
from worker.core.trends import TREND_DAYS
from worker.rulebooks.rulebook import Rulebook
from worker.store import health as health_store
from worker.store import stats as stats_store


def ask_past(
    db: Connection, accounts: Collection[str], on: date, book: Rulebook, *, sweeping: bool
) -> Callable[[Workspace], Mapping[str, int | None]]:
    """Ask for the health scores of 30 days before, if a rule looks at how they have changed.

    A sweep makes those anew that are not kept, once.
    """
    if not (book.health.parts and is_asked(book.facts)):
        return lambda world: {}
    if sweeping:
        return lambda world: past_scores(db, accounts, on, world, book.metrics, keep=True)
    found = health_store.ask_past(db, accounts, on, book.health.digest)
    return lambda world: found()


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
    begun = [
        stats for stats in read.values() if stats.first_day is not None and stats.first_day <= day
    ]
    found = facts_of_all(begun, day, workspace, metrics)
    return {
        stats.account: health_of(facts, settings) for stats, facts in zip(begun, found, strict=True)
    }


def keep_scores(db: Connection, facts: Mapping[str, Facts], on: date, workspace: Workspace) -> None:
    """Keep the scores that a sweep found among the accounts' facts; forget those too old."""
    found = {account: of[HEALTH] for account, of in facts.items()}
    scores = {a: score for a, score in found.items() if score is None or isinstance(score, int)}
    health_store.keep(db, scores, on, workspace.health.digest)
    health_store.forget(db, scores, on)


def is_asked(facts: Collection[str]) -> bool:
    """Whether the change of health is among these facts."""
    return CHANGE in facts
