"""Events that have waited for too long to be told whose they are: they go to quarantine.

Of those that are in the log as of some of their people nothing is lost, so that they wait on.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, true

from worker.core.events import Quarantined
from worker.store import event_log
from worker.store.dialect import execute, execute_rows
from worker.store.tables import UNLOGGED, waiting_events, waiting_mails

AT_ONCE = 1_000
"""Events that are looked at in one transaction."""

_EVENT = {"source": "text", "id": "text"}


def are_there(db: Connection, before: datetime) -> bool:
    """Whether any have waited since before that time."""
    waits = (waiting_events, true()), (waiting_mails, ~waiting_mails.c.is_logged)
    return any(
        db.scalar(select(of.c.id).where(of.c.received_at < before, which).limit(1)) is not None
        for of, which in waits
    )


def give_up(db: Connection, longest: timedelta, now: datetime) -> int:
    """Put some of the events that have waited for longer into quarantine; how many those were.

    Nobody else may be at work meanwhile (`merges.take_turn`).
    """
    before = now - longest
    days = f"{longest.days} days" if longest.days != 1 else "1 day"
    bad = [*_of_members(db, before, days), *_of_addresses(db, before, days)]
    if bad:
        event_log.quarantine(db, bad, now)
    return len(bad)


def _of_members(db: Connection, before: datetime, days: str) -> Iterator[Quarantined]:
    for source, id_, body, member in _taken(db, "waiting_events", before, "true", "member"):
        reason = (
            f"it has waited for {days}, and no event has said which account user "
            f"{json.dumps(member)} belongs to: send one, then 'tiewatch quarantine retry'"
        )
        yield Quarantined(source, id_, (reason,), body)


def _of_addresses(db: Connection, before: datetime, days: str) -> Iterator[Quarantined]:
    taken = _taken(db, "waiting_mails", before, UNLOGGED.text)
    awaited = _awaited(db, [(source, id_) for source, id_, _ in taken])
    for source, id_, body in taken:
        named = " or ".join(map(json.dumps, sorted(awaited[source, id_])))
        reason = (
            f"it has waited for {days}, and nobody has said whose {named} is: let an account have "
            "it among its 'domains' or a contact among its 'emails', then 'tiewatch quarantine "
            "retry'"
        )
        yield Quarantined(source, id_, (reason,), body)


def _taken(
    db: Connection, table: str, before: datetime, which: str, *more: str
) -> Sequence[tuple[Any, ...]]:
    """Take out some that have waited since before then: their source, id, body, and `more`."""
    columns = ", ".join(("source", "id", "body", *more))
    return execute(
        db,
        f"DELETE FROM {table} WHERE (source, id) IN (SELECT source, id FROM {table} "
        f"WHERE {which} AND received_at < :before ORDER BY received_at LIMIT :most) "
        f"RETURNING {columns}",
        before=before,
        most=AT_ONCE,
    ).all()


def _awaited(db: Connection, events: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """What each of these has waited for; it does so no more."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    rows = execute_rows(
        db,
        "DELETE FROM waiting_keys WHERE (source, id) IN (SELECT source, id FROM {rows}) "
        "RETURNING source, id, key, nearest",
        _EVENT,
        events,
    )
    for source, id_, key, nearest in rows:
        if nearest:
            found[source, id_].append(key)
    return found
