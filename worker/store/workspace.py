"""The workspace's one row: what holds for all accounts."""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from worker.store.dialect import execute
from worker.store.tables import IN_FORCE, day_of, workspace


class Kept(NamedTuple):
    """What holds for all accounts: the half-life of the stored ties in days, the last sweep, the
    digest of the rules in force, the day of the first interaction (an ordinal), whether anything
    has been merged, and the reps who have left."""

    half_life: int
    last_sweep_on: date | None
    rules: str | None
    first_interaction_day: int | None
    merged: bool
    gone_reps: frozenset[str]


def ask(db: Connection) -> Callable[[], Kept]:
    """Ask what the workspace remembers; the function returned waits for the answer."""
    found = execute(
        db,
        "SELECT half_life, last_sweep_on, rules, first_interaction_day, "
        f"EXISTS (SELECT 1 FROM account_merges WHERE {IN_FORCE.text}) "
        f"OR EXISTS (SELECT 1 FROM contact_merges WHERE {IN_FORCE.text}), reps.rep "
        "FROM workspace LEFT JOIN reps ON reps.gone",
    )

    def answer() -> Kept:
        rows = found.all()
        half_life, last_sweep_on, rules, first_interaction_day, merged, _ = rows[0]
        gone = frozenset(rep for *_, rep in rows if rep is not None)
        swept = day_of(last_sweep_on)
        return Kept(half_life, swept, rules, first_interaction_day, bool(merged), gone)

    return answer


def is_demo(db: Connection) -> bool:
    """Whether this is a demo's workspace, where messages may bring a time of their own."""
    return bool(db.execute(select(workspace.c.demo)).scalar())


def make_demo(db: Connection) -> None:
    """Declare this a demo's workspace."""
    db.execute(update(workspace).values(demo=True))
