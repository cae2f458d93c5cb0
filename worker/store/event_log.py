"""Writes the event log: every event once, as it came, and the bad ones beside it."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Table, func, select

from worker.core.events import AS_EVENT, Event, Quarantined, same_content
from worker.core.problems import storable
from worker.store.dialect import Rows, execute_rows
from worker.store.tables import events as events_table
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


Appended = tuple[list[Event], dict[int, Quarantined]]
"""The new events, and the conflicting duplicates by their index in the events given."""


def append(db: Connection, events: Sequence[Event]) -> Callable[[], Appended]:
    """Log the events that are new. Of one (source, id) the first to arrive stands.

    The function returned waits until that is done; an event in neither of its results is a
    duplicate.
    """
    first: dict[tuple[str, str], Event] = {}
    for event in events:
        first.setdefault((event.source, event.id), event)
    # In one order everywhere: two batches that hold the same new events then wait, not deadlock.
    done = _insert(db, [first[key] for key in sorted(first)])
    return lambda: _appended(db, events, first, done)


def _appended(
    db: Connection, events: Sequence[Event], first: Mapping[tuple[str, str], Event], done: Rows
) -> Appended:
    inserted = set(done)
    if len(inserted) == len(events):
        return list(events), {}
    fresh = [event for key, event in first.items() if key in inserted]
    new = set(map(id, fresh))
    again = [index for index, event in enumerate(events) if id(event) not in new]
    return fresh, _conflicts(db, events, again)


def quarantine(db: Connection, bad: Sequence[Quarantined], now: datetime) -> None:
    """Keep what could not be applied, whole, once however often it comes."""
    columns = dict.fromkeys(("digest", "source", "event_id", "problems", "body", "way"), "text")
    rows = {
        (
            digest(one),
            one.source and storable(one.source),
            one.id and storable(one.id),
            msgspec.json.encode([storable(told) for told in one.problems]).decode(),
            storable(one.body),
            one.way,
            now,
        )
        for one in bad
    }
    execute_rows(
        db,
        """
        INSERT INTO quarantine (digest, source, event_id, problems, body, way, received_at)
        SELECT digest, source, event_id, problems, body, way, received_at
        FROM {rows} WHERE true ORDER BY digest
        ON CONFLICT (digest) DO NOTHING
        """,
        columns | {"received_at": "timestamptz"},
        list(rows),
    )


def digest(one: Quarantined) -> str:
    """What an event is known by in quarantine.

    Of a message that is no event, its source is a part, since another's may read the same, and its
    id, which may stand outside of it: two webhooks that read the same are two.
    """
    way = "" if one.way == AS_EVENT else f"{one.way}\n{one.source}\n{one.id}\n"
    return hashlib.sha256(f"{way}{one.body}".encode("utf-8", "backslashreplace")).hexdigest()


def _insert(db: Connection, events: Sequence[Event]) -> Rows:
    return execute_rows(
        db,
        """
        INSERT INTO events (source, id, type, time, account, body)
        SELECT source, id, type, time, account, body FROM {rows} WHERE true
        ON CONFLICT (source, id) DO NOTHING RETURNING source, id
        """,
        _COLUMNS,
        [(e.source, e.id, e.type, e.time, e.account, e.body) for e in events],
    )


def _conflicts(
    db: Connection, events: Sequence[Event], again: Sequence[int]
) -> dict[int, Quarantined]:
    stored = bodies(db, events_table, {(events[i].source, events[i].id) for i in again})
    return {
        i: conflict(events[i].source, events[i].id, events[i].body)
        for i in again
        if not same_content(stored[events[i].source, events[i].id], events[i].body)
    }


def bodies(
    db: Connection, table: Table, keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """What the table holds of events, by (source, id): the JSON of those that are in it."""
    found = execute_rows(
        db,
        f"SELECT e.source, e.id, e.body FROM {{rows}} JOIN {table.name} e "
        "ON e.source = r.source AND e.id = r.id",
        _KEY,
        sorted(keys),
    )
    return {(source, id_): body for source, id_, body in found}


def conflict(source: str, id_: str, body: str) -> Quarantined:
    """An event that another one with its source and id has come before."""
    return Quarantined(source, id_, (CONFLICT,), body)


def quarantined(db: Connection, limit: int) -> list[tuple[str, int]]:
    """(problems, number of events) of what is in quarantine, the most frequent first."""
    found = db.execute(
        select(quarantine_table.c.problems, func.count())
        .group_by(quarantine_table.c.problems)
        .order_by(func.count().desc(), quarantine_table.c.problems)
        .limit(limit)
    )
    return [("; ".join(msgspec.json.decode(problems)), number) for problems, number in found]
