"""Events that wait until somebody says whose the people are that they name by address."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, func, select

from worker.core.events import Quarantined, same_content
from worker.core.identity import keys_of
from worker.core.problems import as_json
from worker.core.sorting import SHARED
from worker.store.dialect import execute_among, execute_rows
from worker.store.event_log import CONFLICT
from worker.store.tables import waiting_keys, waiting_mails

_EVENT = {"source": "text", "id": "text"}


class Waiting(NamedTuple):
    """An event with these addresses of which nobody has said whose they are."""

    body: Mapping[str, Any]
    is_logged: bool
    unknown: Sequence[str]


class Released(NamedTuple):
    """What has waited: events that come to the log now, and those logged as of others already."""

    new: Sequence[Any]
    logged: Sequence[Any]


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
    found = execute_rows(
        db,
        f"SELECT w.source, w.id, w.body FROM {{rows}} JOIN {table.name} w "
        "ON w.source = r.source AND w.id = r.id",
        _EVENT,
        sorted({(one["source"], one["id"]) for one in events.values()}),
    )
    stored = {(source, id_): body for source, id_, body in found}
    return {
        place: Quarantined(one["source"], one["id"], (CONFLICT,), as_json(one))
        for place, one in events.items()
        if (body := stored.get((one["source"], one["id"]))) is not None
        and not same_content(body, as_json(one))
    }


def release(db: Connection, keys: Collection[str]) -> Released:
    """Take out what waited for somebody to hold these."""
    if not keys:
        return Released((), ())
    events = execute_among(
        db, "SELECT DISTINCT source, id FROM waiting_keys WHERE key {among}", sorted(keys)
    ).all()
    found = execute_rows(
        db,
        "DELETE FROM waiting_mails WHERE (source, id) IN (SELECT source, id FROM {rows}) "
        "RETURNING body, is_logged",
        _EVENT,
        events,
    ).all()
    execute_rows(
        db,
        "DELETE FROM waiting_keys WHERE (source, id) IN (SELECT source, id FROM {rows})",
        _EVENT,
        events,
    )
    bodies = [(json.loads(body), bool(is_logged)) for body, is_logged in found]
    return Released(
        [body for body, is_logged in bodies if not is_logged],
        [body for body, is_logged in bodies if is_logged],
    )


def counted(db: Connection, limit: int) -> tuple[int, list[tuple[str, int]]]:
    """How many events wait until somebody says whose their people are, and the domains (for free
    mail, the addresses) that most of them wait for, with their number."""
    of, number = waiting_keys.c, func.count()
    found = db.execute(
        select(of.key, number)
        .where(of.nearest)
        .group_by(of.key)
        .order_by(number.desc(), of.key)
        .limit(limit)
    ).all()
    total = db.scalar(select(func.count()).select_from(waiting_mails)) or 0
    return total, [(key, count) for key, count in found]
