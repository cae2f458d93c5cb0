"""Who is who in Slack."""

from sqlalchemy import Connection, select

from worker.store.tables import reps


def slack_user(db: Connection, rep: str | None) -> str | None:
    """The Slack user of a rep who has not left, if there is one."""
    return db.scalar(select(reps.c.slack_user).where(reps.c.rep == rep, reps.c.gone.is_not(True)))
