"""The event log: every event once, as it came, and the bad ones beside it."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select

from worker.core.events import Event, Quarantined, same_content
from worker.store.dialect import execute_rows
from worker.store.tables import quarantine as quarantine_table

CONFLICT = (
    "a conflicting duplicate: an event with this source and id, but other content, is there already"
)

_COLUMNS = {
    "source": "text",
    "id": "text",
    "type": "text",
    "time": "timestamptz",
    "account": "text",
    "body": "text",
}
_KEY = {"source": "text", "id": "text"}


def append(
    db: Connection, events: Sequence[Event], batch: str
) -> tuple[list[Event], dict[int, Quarantined]]:
    """Log the events that are new. Of one (source, id) the first to arrive stands.

    Returns the new events, and the conflicting duplicates by their index in `events`. What is in
    neither is a duplicate.
    """
    first: dict[tuple[str, str], Event] = {}
    again: list[int] = []
    for index, event in enumerate(events):
        if first.setdefault((event.source, event.id), event) is not event:
            again.append(index)
    # In one order everywhere: two batches that hold the same new events then wait, not deadlock.
    keys = sorted(first)
    inserted = _insert(db, [first[key] for key in keys], batch)
    fresh = [event for key, event in first.items() if key in inserted]
    again += [
        i for i, e in enumerate(events) if (e.source, e.id) not in inserted and i not in again
    ]
    return fresh, _conflicts(db, events, again) if again else {}


def quarantine(db: Connection, bad: Sequence[Quarantined], batch: str, now: datetime) -> None:
    """Keep what could not be applied, whole, once however often it comes."""
    columns = dict.fromkeys(("digest", "source", "event_id", "problems", "body", "batch"), "text")
    rows = {
        (
            hashlib.sha256(one.body.encode("utf-8", "backslashreplace")).hexdigest(),
            one.source,
            one.id,
            msgspec.json.encode(one.problems).decode(),
            _storable(one.body),
            batch,
            now,
        )
        for one in bad
    }
    execute_rows(
        db,
        """
        INSERT INTO quarantine (digest, source, event_id, problems, body, batch, received_at)
        SELECT digest, source, event_id, problems, body, batch, received_at
        FROM {rows} WHERE true ORDER BY digest
        ON CONFLICT (digest) DO NOTHING
        """,
        columns | {"received_at": "timestamptz"},
        list(rows),
    )


def _insert(db: Connection, events: Sequence[Event], batch: str) -> set[tuple[str, str]]:
    rows = [(e.source, e.id, e.type, e.time, e.account, e.body) for e in events]
    done = execute_rows(
        db,
        """
        INSERT INTO events (source, id, type, time, account, batch, body)
        SELECT source, id, type, time, account, :batch, body FROM {rows} WHERE true
        ON CONFLICT (source, id) DO NOTHING RETURNING source, id
        """,
        _COLUMNS,
        rows,
        batch=batch,
    )
    return {(source, id_) for source, id_ in done}


def _conflicts(
    db: Connection, events: Sequence[Event], again: Sequence[int]
) -> dict[int, Quarantined]:
    keys = sorted({(events[i].source, events[i].id) for i in again})
    found = execute_rows(
        db,
        "SELECT e.source, e.id, e.body FROM {rows} "
        "JOIN events e ON e.source = r.source AND e.id = r.id",
        _KEY,
        keys,
    )
    stored = {(source, id_): body for source, id_, body in found}
    return {
        i: Quarantined(events[i].source, events[i].id, (CONFLICT,), events[i].body)
        for i in again
        if not same_content(stored[events[i].source, events[i].id], events[i].body)
    }


def _storable(body: str) -> str:
    """PostgreSQL text holds neither NUL nor half a surrogate pair."""
    return body.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def quarantined(db: Connection, limit: int) -> list[tuple[str, int]]:
    """(problems, number of events) of what is in quarantine, the most frequent first."""
    found = db.execute(
        select(quarantine_table.c.problems, func.count())
        .group_by(quarantine_table.c.problems)
        .order_by(func.count().desc(), quarantine_table.c.problems)
        .limit(limit)
    )
    return [("; ".join(msgspec.json.decode(problems)), number) for problems, number in found]
