"""When Slack may be sent to: each channel's next turn, and pauses that Slack asks for.

Kept in the database, so that they hold for all processes.
"""

from datetime import datetime

from sqlalchemy import Connection, bindparam, select, text

from worker.store.tables import Instant, workspace


def pause(db: Connection, until: datetime) -> None:
    """Let nobody take a message before `until`, nor before the end of a pause that is longer."""
    db.execute(
        text(
            """
            INSERT INTO workspace (id, slack_paused_until) VALUES (1, :until)
            ON CONFLICT (id) DO UPDATE SET slack_paused_until = excluded.slack_paused_until
            WHERE workspace.slack_paused_until IS NULL
               OR workspace.slack_paused_until < excluded.slack_paused_until
            """
        ).bindparams(bindparam("until", type_=Instant)),
        {"until": until},
    )


def paused_until(db: Connection) -> datetime | None:
    """The end of the last pause that Slack asked for, which may be over."""
    return db.scalar(select(workspace.c.slack_paused_until))
