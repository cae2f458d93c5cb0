"""The health score as sweeps found it, for telling how it has changed since; until an event comes
late that would have changed it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import Connection

from worker.core.trends import TREND_DAYS
from worker.store.dialect import execute, execute_among, execute_rows

KEPT_DAYS = 2 * TREND_DAYS
"""Days after which a score is not asked for any more."""


def ask_past(
    db: Connection, accounts: Iterable[str], on: date, settings: str
) -> Callable[[], dict[str, int | None]]:
    """Ask for the scores of 30 days before, as these settings (a digest) made them.

    The function returned waits for them: by account, None for one that had no score.
    """
    found = execute_among(
        db,
        "SELECT account, score FROM health_days "
        "WHERE account {among} AND day = :day AND settings = :settings",
        accounts,
        day=on.toordinal() - TREND_DAYS,
        settings=settings,
    )
    return lambda: dict(found.all())


def keep(db: Connection, scores: Mapping[str, int | None], on: date, settings: str) -> None:
    """Keep the scores of a day, in place of those kept of it before."""
    execute_rows(
        db,
        "INSERT INTO health_days (account, day, score, settings) "
        "SELECT account, :day, score, :settings FROM {rows} WHERE true "
        "ON CONFLICT (account, day) DO UPDATE SET "
        "score = excluded.score, settings = excluded.settings",
        {"account": "text", "score": "int"},
        sorted(scores.items()),
        day=on.toordinal(),
        settings=settings,
    )


def forget_between(db: Connection, first: int, end: int | None) -> None:
    """Forget the scores of all accounts from a day (an ordinal) on, up to, not including, `end`."""
    last = {} if end is None else {"end": end}
    until = "" if end is None else " AND day < :end"
    execute(db, f"DELETE FROM health_days WHERE day >= :first{until}", first=first, **last)


def forget_of(db: Connection, changed: Sequence[tuple[str, int]]) -> None:
    """Forget the scores of some accounts, each from a day (an ordinal) on."""
    execute_rows(
        db,
        "DELETE FROM health_days WHERE (account, day) IN (SELECT h.account, h.day FROM {rows} "
        "JOIN health_days h ON h.account = r.account AND h.day >= r.day)",
        {"account": "text", "day": "int"},
        changed,
    )


def forget(db: Connection, accounts: Iterable[str], on: date) -> None:
    """Forget what nobody asks for any more, as of a day."""
    execute_among(
        db,
        "DELETE FROM health_days WHERE account {among} AND day < :day",
        accounts,
        day=on.toordinal() - KEPT_DAYS,
    )
