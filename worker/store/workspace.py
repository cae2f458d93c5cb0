"""The workspace's one row: what holds for all accounts."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from worker.store.dialect import execute
from worker.store.tables import day_of, workspace


class Kept(NamedTuple):
    """What the workspace remembers: the half-life of the stored ties in days, the last sweep."""

    half_life: int
    last_sweep_on: date | None


def read(db: Connection) -> Kept:
    """What the workspace remembers."""
    ((half_life, last_sweep_on),) = execute(db, "SELECT half_life, last_sweep_on FROM workspace")
    return Kept(half_life, day_of(last_sweep_on))


def is_demo(db: Connection) -> bool:
    """Whether this is a demo's workspace, where messages may bring a time of their own."""
    return bool(db.execute(select(workspace.c.demo)).scalar())


def make_demo(db: Connection) -> None:
    """Declare this a demo's workspace."""
    db.execute(update(workspace).values(demo=True))
