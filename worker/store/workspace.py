"""The workspace's one row: what holds for all accounts."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from worker.store.tables import workspace


class Kept(NamedTuple):
    """What the workspace remembers: the half-life of the stored ties in days, the last sweep."""

    half_life: int
    last_sweep_on: date | None


def read(db: Connection) -> Kept:
    """What the workspace remembers."""
    return Kept(*db.execute(select(workspace.c.half_life, workspace.c.last_sweep_on)).one())


def is_demo(db: Connection) -> bool:
    """Whether this is a demo's workspace, where messages may bring a time of their own."""
    return bool(db.execute(select(workspace.c.demo)).scalar())


def make_demo(db: Connection) -> None:
    """Declare this a demo's workspace."""
    db.execute(update(workspace).values(demo=True))
