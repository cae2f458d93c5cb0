"""The workspace's one row: what holds for all accounts."""

from sqlalchemy import Connection, select, update

from worker.store.tables import workspace


def is_demo(db: Connection) -> bool:
    """Whether this is a demo's workspace, where messages may bring a time of their own."""
    return bool(db.execute(select(workspace.c.demo)).scalar())


def make_demo(db: Connection) -> None:
    """Declare this a demo's workspace."""
    db.execute(update(workspace).values(demo=True))
