"""The systems that are told: who sends to one, whether it may be sent to, and how it stands.

One process at a time sends to a webhook, under a lease; that is what keeps an account's messages in
order. If that process dies, its lease runs out, and whatever it had not recorded is sent again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, func, or_, select, update

from worker.store.dialect import execute_rows
from worker.store.tables import webhook_endpoints, webhook_messages
from worker.store.webhooks import FAILED, IS_WAITING, due


@dataclass(frozen=True, slots=True)
class Standing:
    """How a webhook stands: messages that wait, since when the oldest does, those that were given
    up with the last reason, until when it is left alone or since when for good, and why it is, or
    the oldest one waits."""

    webhook: str
    waiting: int = 0
    oldest: datetime | None = None
    failed: int = 0
    refused: str | None = None
    paused_until: datetime | None = None
    stopped_at: datetime | None = None
    error: str | None = None


def lease(db: Connection, webhook: str, now: datetime, until: datetime) -> bool:
    """Take a webhook for oneself, if something is due to it, and nobody else has it."""
    of = webhook_endpoints.c
    if not db.scalar(select(exists().where(*due(webhook, now)))):
        return False
    if db.scalar(select(of.webhook).where(of.webhook == webhook)) is None:
        execute_rows(
            db,
            "INSERT INTO webhook_endpoints (webhook) SELECT webhook FROM {rows} WHERE true "
            "ON CONFLICT (webhook) DO NOTHING",
            {"webhook": "text"},
            [(webhook,)],
        )
    free = update(webhook_endpoints).where(
        of.webhook == webhook,
        of.stopped_at.is_(None),
        or_(of.paused_until.is_(None), of.paused_until <= now),
        or_(of.leased_until.is_(None), of.leased_until <= now),
    )
    return db.execute(free.values(leased_until=until)).rowcount == 1


def release(db: Connection, webhook: str, until: datetime) -> None:
    """Let others have a webhook that was taken until then."""
    of = webhook_endpoints.c
    held = update(webhook_endpoints).where(of.webhook == webhook, of.leased_until == until)
    db.execute(held.values(leased_until=None))


def is_due(db: Connection, webhooks: Iterable[str], now: datetime) -> bool:
    """Whether a message is due to one of these that may be sent to now, by nobody else."""
    end = webhook_endpoints.c
    kept_back = db.scalars(
        select(end.webhook).where(
            or_(end.stopped_at.is_not(None), end.paused_until > now, end.leased_until > now)
        )
    )
    free = set(webhooks).difference(kept_back)
    return any(db.scalar(select(exists().where(*due(name, now)))) for name in sorted(free))


def is_well(db: Connection, webhook: str) -> None:
    """Note that it answers: what was before counts no more."""
    of = webhook_endpoints.c
    unwell = update(webhook_endpoints).where(of.webhook == webhook, of.failures > 0)
    db.execute(unwell.values(failures=0, error=None))


def pause(db: Connection, webhook: str, until: datetime, error: str, *, counted: bool) -> None:
    """Leave a webhook alone until then; `counted` as one more failure in a row."""
    of = webhook_endpoints.c
    db.execute(
        update(webhook_endpoints)
        .where(of.webhook == webhook)
        .values(paused_until=until, error=error, failures=of.failures + int(counted))
    )


def failures(db: Connection, webhook: str) -> int:
    """How many times in a row it has failed as a whole."""
    of = webhook_endpoints.c
    return db.scalar(select(of.failures).where(of.webhook == webhook)) or 0


def stop(db: Connection, webhook: str, now: datetime, error: str) -> None:
    """Send nothing there any more, until somebody resumes it."""
    of = webhook_endpoints.c
    running = update(webhook_endpoints).where(of.webhook == webhook, of.stopped_at.is_(None))
    db.execute(running.values(stopped_at=now, error=error))


def standings(db: Connection) -> dict[str, Standing]:
    """How each webhook stands of which there is something to tell, by name."""
    of, end = webhook_messages.c, webhook_endpoints.c
    found: dict[str, dict[str, Any]] = {}
    first = select(func.min(of.id)).where(IS_WAITING).group_by(of.webhook)
    errors = dict(db.execute(select(of.webhook, of.error).where(of.id.in_(first))).all())
    for name, number, oldest in db.execute(
        select(of.webhook, func.count(), func.min(of.created_at))
        .where(IS_WAITING)
        .group_by(of.webhook)
    ):
        found.setdefault(name, {}).update(waiting=number, oldest=oldest, error=errors.get(name))
    last = select(func.max(of.id)).where(of.state == FAILED).group_by(of.webhook)
    refused = dict(db.execute(select(of.webhook, of.error).where(of.id.in_(last))).all())
    for name, number in db.execute(
        select(of.webhook, func.count()).where(of.state == FAILED).group_by(of.webhook)
    ):
        found.setdefault(name, {}).update(failed=number, refused=refused.get(name))
    for row in db.execute(select(end.webhook, end.paused_until, end.stopped_at, end.error)):
        found.setdefault(row.webhook, {}).update(
            paused_until=row.paused_until,
            stopped_at=row.stopped_at,
            error=row.error or errors.get(row.webhook),
        )
    return {name: Standing(name, **values) for name, values in sorted(found.items())}
