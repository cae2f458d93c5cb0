"""When Slack may be sent to: each channel's next turn, and pauses that Slack asks for.

Kept in the database, so that they hold for all processes.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, or_, select, text, update

from worker.store.tables import Instant, slack_channels, workspace

LATE = 0.75
"""Slack allows a short burst: of two messages, the second may come so much of a turn early."""


def turn(db: Connection, channel: str, now: datetime, apart: timedelta) -> bool:
    """Take the channel's turn, if it has come: the next one is `apart` later.

    Turns keep a beat: one that is taken late, by up to `LATE` of `apart`, does not move those after
    it. So what waits leaves as fast as it may, however long it takes to see that a turn has come.
    """
    if not apart or db.execute(_TURN_LONG_DUE, _moments(channel, now, apart)).rowcount:
        return True
    of = slack_channels.c
    next_at = db.scalar(select(of.next_at).where(of.channel == channel).with_for_update())
    if next_at is None or next_at > now:
        return False
    due = update(slack_channels).where(of.channel == channel)
    db.execute(due.values(next_at=next_at + apart))
    return True


_TURN_LONG_DUE = text(
    """
    INSERT INTO slack_channels (channel, next_at) VALUES (:channel, :next)
    ON CONFLICT (channel) DO UPDATE SET next_at = excluded.next_at
    WHERE slack_channels.next_at <= :late
    """
).bindparams(bindparam("next", type_=Instant), bindparam("late", type_=Instant))


def _moments(channel: str, now: datetime, apart: timedelta) -> dict[str, str | datetime]:
    return {"channel": channel, "next": now + apart, "late": now - LATE * apart}


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


def claim(db: Connection, at: datetime, now: datetime) -> bool:
    """Whether the caller is to see that deliveries go on at `at`: nobody else will by then.

    Else everyone who found something waiting would come back for it, and ever more of them.
    """
    of = workspace.c
    claimed = update(workspace).where(
        or_(of.delivery_at.is_(None), of.delivery_at <= now, of.delivery_at > at)
    )
    return db.execute(claimed.values(delivery_at=at)).rowcount > 0
