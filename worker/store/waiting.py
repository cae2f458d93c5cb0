"""Events that wait until somebody says whose the people are that they name by address."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, func, select

from worker.core.events import Quarantined, same_content
from worker.core.identity import keys_of
from worker.core.problems import as_json
from worker.core.sorting import SHARED
from worker.store.dialect import execute, execute_among, execute_rows
from worker.store.event_log import bodies, conflict
from worker.store.tables import claimed_keys, waiting_keys, waiting_mails

AT_ONCE = 2_000
"""Events that have waited and come to the log in one transaction: the time of a task is limited,
and its memory. Those that are in the log already, as of others of their people, are read at once.
"""

_EVENT = {"source": "text", "id": "text"}
_IS_HELD = "EXISTS (SELECT 1 FROM holdings h WHERE h.key = k.key AND h.account <> '')"


class Waiting(NamedTuple):
    """An event with these addresses of which nobody has said whose they are."""

    body: Mapping[str, Any]
    is_logged: bool
    unknown: Sequence[str]


def undeciding(raw: Mapping[str, Any]) -> list[str]:
    """The domains that say nothing of an account, as the event was told on its way in."""
    return str(raw.get(SHARED, "")).split(",")


def keep(db: Connection, events: Sequence[Waiting], now: datetime) -> None:
    """Let these wait; of one (source, id) the first to arrive stands, see `conflicts`."""
    rows: dict[tuple[str, str], Waiting] = {}
    for one in events:
        rows.setdefault((one.body["source"], one.body["id"]), one)
    inserted = execute_rows(
        db,
        """
        INSERT INTO waiting_mails (source, id, body, is_logged, received_at)
        SELECT source, id, body, is_logged, received_at FROM {rows} WHERE true
        ON CONFLICT (source, id) DO NOTHING RETURNING source, id
        """,
        _EVENT | {"body": "text", "is_logged": "boolean", "received_at": "timestamptz"},
        [(*key, json.dumps(one.body), one.is_logged, now) for key, one in sorted(rows.items())],
    )
    keys: dict[tuple[str, str, str], bool] = {}
    for source, id_ in inserted:
        one = rows[source, id_]
        for address in one.unknown:
            of_it = keys_of(address, undeciding(one.body))
            for place, key in enumerate(of_it):
                keys[key, source, id_] = place == min(1, len(of_it) - 1)
    execute_rows(
        db,
        """
        INSERT INTO waiting_keys (key, source, id, nearest)
        SELECT key, source, id, nearest FROM {rows} WHERE true
        ON CONFLICT (key, source, id) DO NOTHING
        """,
        {"key": "text"} | _EVENT | {"nearest": "boolean"},
        [(*key, nearest) for key, nearest in sorted(keys.items())],
    )


def conflicts(db: Connection, table: Table, events: Mapping[int, Any]) -> dict[int, Quarantined]:
    """Those of the events, by their places, under whose source and id another one waits in the
    table: the first to arrive stands, and these are told that they conflict with it."""
    if not events:
        return {}
    stored = bodies(db, table, {(one["source"], one["id"]) for one in events.values()})
    return {
        place: conflict(one["source"], one["id"], as_json(one))
        for place, one in events.items()
        if (body := stored.get((one["source"], one["id"]))) is not None
        and not same_content(body, as_json(one))
    }


def claim(db: Connection, keys: Collection[str], backfill: bool) -> None:
    """Note which of these accounts hold by now while events wait for them: those are to be
    released, with `backfill` without rules being evaluated."""
    execute_among(
        db,
        "INSERT INTO claimed_keys (key, backfill) "
        "SELECT DISTINCT k.key, :backfill FROM waiting_keys k "
        f"WHERE k.key {{among}} AND {_IS_HELD} ON CONFLICT (key) DO UPDATE "
        "SET backfill = claimed_keys.backfill AND excluded.backfill",
        sorted(keys),
        backfill=backfill,
    )


def claimed(db: Connection) -> bool | None:
    """Whether all that is to be released is so without rules being evaluated; None if nothing is
    to be released."""
    found = list(db.scalars(select(claimed_keys.c.backfill).distinct()))
    return all(found) if found else None


def release(db: Connection) -> list[Any]:
    """Take out some of the events that come to the log now, one of their people being known."""
    return _take_out(db, "NOT w.is_logged")


def release_logged(db: Connection) -> Iterator[list[Any]]:
    """Take out, part by part, all events that are in the log already, as of others of their people,
    and of which a further one is known. What of a part is to wait on must be kept before the next.
    """
    while part := _take_out(db, "w.is_logged"):
        yield part


def _take_out(db: Connection, of: str) -> list[Any]:
    events = execute(
        db,
        "SELECT w.source, w.id FROM claimed_keys k JOIN waiting_keys q ON q.key = k.key "
        "JOIN waiting_mails w ON w.source = q.source AND w.id = q.id "
        f"WHERE {of} AND {_IS_HELD} LIMIT :most",
        most=AT_ONCE,
    ).all()
    if not events:
        return []
    execute_rows(
        db,
        "DELETE FROM waiting_keys WHERE (source, id) IN (SELECT source, id FROM {rows})",
        _EVENT,
        events,
    )
    taken = execute_rows(
        db,
        "DELETE FROM waiting_mails WHERE (source, id) IN (SELECT source, id FROM {rows}) "
        "RETURNING body",
        _EVENT,
        events,
    )
    return [json.loads(body) for (body,) in taken]


def settle_claims(db: Connection) -> bool:
    """Forget the claims for which nothing waits any more; whether any is left."""
    execute(
        db,
        "DELETE FROM claimed_keys AS k WHERE NOT EXISTS "
        f"(SELECT 1 FROM waiting_keys q WHERE q.key = k.key) OR NOT {_IS_HELD}",
    )
    return bool(execute(db, "SELECT 1 FROM claimed_keys LIMIT 1").all())


def counted(db: Connection, limit: int) -> tuple[int, list[tuple[str, int]]]:
    """How many events wait until somebody says whose their people are, and the domains (for free
    mail, the addresses) that most of them wait for, with their number."""
    of, events = waiting_keys.c, func.count()
    found = db.execute(
        select(of.key, events)
        .where(of.nearest)
        .group_by(of.key)
        .order_by(events.desc(), of.key)
        .limit(limit)
    ).all()
    return number(db), [(key, count) for key, count in found]


def number(db: Connection) -> int:
    """How many events wait until somebody says whose their people are."""
    return db.scalar(select(func.count()).select_from(waiting_mails)) or 0


def applied_in_part(db: Connection) -> int:
    """How many of them are in the log, as of those of their people who are known."""
    logged = select(func.count()).select_from(waiting_mails).where(waiting_mails.c.is_logged)
    return db.scalar(logged) or 0
