"""What other systems are told: messages from the transaction that decided on them until they have
arrived, where each system stands, and which facts it was told last.

A message is `waiting`, then `sent`, `failed`, or `dropped` if its webhook is no longer there. One
process at a time sends to a webhook, under a lease; that is what keeps an account's messages in
order. If that process dies, its lease runs out, and whatever it had not recorded is sent again.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, exists, func, or_, select, text, tuple_, update

from worker.core.units import Value
from worker.store.dialect import execute_among, execute_rows
from worker.store.tables import WAITING as IS_WAITING
from worker.store.tables import webhook_endpoints, webhook_facts, webhook_messages

WAITING = "waiting"
SENT = "sent"
FAILED = "failed"
DROPPED = "dropped"

_waiting = text(IS_WAITING.text)  # spelt out, so that PostgreSQL sees that its index will do


@dataclass(frozen=True, slots=True)
class New:
    """A message to put: `key` is its id for the receiver, `body` the very text that is signed."""

    key: str
    webhook: str
    account: str
    type: str
    body: str


@dataclass(frozen=True, slots=True)
class Row:
    """A message that is due; `attempts` are those before."""

    id: int
    key: str
    account: str
    body: str
    attempts: int


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


def put(db: Connection, new: Sequence[New], now: datetime) -> int:
    """Write messages, due at once; returns how many. An account's are sent in the order given."""
    if not new:
        return 0
    execute_rows(
        db,
        "INSERT INTO webhook_messages (key, webhook, account, type, body, created_at, due_at) "
        "SELECT key, webhook, account, type, body, :at, :at FROM {rows} WHERE true",
        dict.fromkeys(New.__slots__, "text"),
        [[getattr(one, name) for name in New.__slots__] for one in new],
        at=now,
    )
    return len(new)


def told_facts(
    db: Connection, accounts: Iterable[str]
) -> Callable[[], dict[tuple[str, str], dict[str, Value]]]:
    """Ask which facts of these accounts webhooks were told last; the function returned waits, and
    gives them by (webhook, account)."""
    found = execute_among(
        db, "SELECT webhook, account, facts FROM webhook_facts WHERE account {among}", accounts
    )
    return lambda: {(name, account): msgspec.json.decode(facts) for name, account, facts in found}


def keep_facts(db: Connection, told: Iterable[tuple[str, str, dict[str, Any]]]) -> None:
    """Keep what webhooks have now been told: (webhook, account, facts), all of them."""
    rows = [(name, account, msgspec.json.encode(facts).decode()) for name, account, facts in told]
    if rows:
        execute_rows(
            db,
            "INSERT INTO webhook_facts (webhook, account, facts) "
            "SELECT webhook, account, facts FROM {rows} WHERE true "
            "ON CONFLICT (webhook, account) DO UPDATE SET facts = excluded.facts",
            dict.fromkeys(("webhook", "account", "facts"), "text"),
            sorted(rows),
        )


def lease(db: Connection, webhook: str, now: datetime, until: datetime) -> bool:
    """Take a webhook for oneself, if something is due to it, and nobody else has it."""
    of = webhook_endpoints.c
    if not db.scalar(select(exists().where(*_due(webhook, now)))):
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


def next_up(db: Connection, webhook: str, now: datetime, most: int) -> list[Row]:
    """The messages that have been due longest, one of each account: the first that it has."""
    of, others = webhook_messages.c, webhook_messages.alias("others")
    first = (
        select(func.min(others.c.id))
        .where(
            others.c.webhook == of.webhook,
            others.c.account == of.account,
            text("others.state = 'waiting'"),
        )
        .scalar_subquery()
    )
    found = db.execute(
        select(*(of[name] for name in Row.__slots__))
        .where(*_due(webhook, now), of.id == first)
        .order_by(of.due_at, of.id)
        .limit(most)
    )
    return [Row(*row) for row in found]


def _due(webhook: str, now: datetime) -> tuple[Any, ...]:
    of = webhook_messages.c
    return of.webhook == webhook, text("webhook_messages.state = 'waiting'"), of.due_at <= now


def is_due(db: Connection, webhooks: Iterable[str], now: datetime) -> bool:
    """Whether a message is due to one of these that may be sent to now, by nobody else."""
    end = webhook_endpoints.c
    kept_back = db.scalars(
        select(end.webhook).where(
            or_(end.stopped_at.is_not(None), end.paused_until > now, end.leased_until > now)
        )
    )
    free = set(webhooks).difference(kept_back)
    return any(db.scalar(select(exists().where(*_due(name, now)))) for name in sorted(free))


def ended(
    db: Connection, rows: Sequence[Row], state: str, now: datetime, error: str | None = None
) -> None:
    """Record that messages have arrived, or that they were given up and why."""
    db.execute(
        update(webhook_messages)
        .where(webhook_messages.c.id.in_([row.id for row in rows]), _waiting)
        .values(state=state, ended_at=now, error=error, attempts=webhook_messages.c.attempts + 1)
    )


def put_back(db: Connection, row: Row, due_at: datetime, error: str) -> None:
    """Let a message wait, and those of its account behind it."""
    db.execute(
        update(webhook_messages)
        .where(webhook_messages.c.id == row.id, _waiting)
        .values(due_at=due_at, error=error, attempts=webhook_messages.c.attempts + 1)
    )


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


def drop_others(db: Connection, webhooks: Collection[str], now: datetime) -> int:
    """Drop what waits or was given up for other webhooks than these, unless it is of the last
    minute, and forget what they were told; how many."""
    ours = webhook_messages.c
    dropped = db.execute(
        update(webhook_messages)
        .where(
            ours.webhook.not_in(webhooks),
            ours.state.in_((WAITING, FAILED)),
            # What is newer may be of a webhook that this process has not read of yet.
            ours.created_at < now - timedelta(minutes=1),
        )
        .values(state=DROPPED, ended_at=now, error="its webhook is not in webhooks.yaml any more")
    ).rowcount
    for table in (webhook_endpoints, webhook_facts):
        kept = select(ours.webhook).where(_waiting)
        of = table.c.webhook
        db.execute(delete(table).where(of.not_in(webhooks), of.not_in(kept)))
    return dropped


def forget(db: Connection, before: datetime, given_up_before: datetime) -> None:
    """Forget messages that arrived before then, or were dropped; and, from their own time on, those
    that were given up. As long as one is kept, so is what its account was told besides: who
    resumes the webhook has to know whether it was overtaken."""
    of = webhook_messages.c
    refused = delete(webhook_messages).where(of.state == FAILED, of.ended_at < given_up_before)
    db.execute(refused)
    troubled = select(of.webhook, of.account).where(of.state == FAILED)
    db.execute(
        delete(webhook_messages).where(
            of.state.in_((SENT, DROPPED)),
            of.ended_at < before,
            tuple_(of.webhook, of.account).not_in(troubled),
        )
    )


def waiting(db: Connection) -> int:
    """How many messages wait, for all webhooks."""
    return db.scalar(select(func.count()).select_from(webhook_messages).where(_waiting)) or 0


def standings(db: Connection) -> dict[str, Standing]:
    """How each webhook stands of which there is something to tell, by name."""
    of, end = webhook_messages.c, webhook_endpoints.c
    found: dict[str, dict[str, Any]] = {}
    first = select(func.min(of.id)).where(_waiting).group_by(of.webhook)
    errors = dict(db.execute(select(of.webhook, of.error).where(of.id.in_(first))).all())
    for name, number, oldest in db.execute(
        select(of.webhook, func.count(), func.min(of.created_at))
        .where(_waiting)
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
