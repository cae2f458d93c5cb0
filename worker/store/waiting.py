"""Events that wait until somebody says whose the people are that they name by address."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from worker.core.identity import keys_of
from worker.core.sorting import SHARED
from worker.store.dialect import execute_among, execute_rows
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
    """Let these wait."""
    if not events:
        return
    rows = {
        (one.body["source"], one.body["id"]): (json.dumps(one.body), one.is_logged)
        for one in events
    }
    execute_rows(
        db,
        """
        INSERT INTO waiting_mails (source, id, body, is_logged, received_at)
        SELECT source, id, body, is_logged, received_at FROM {rows} WHERE true
        ON CONFLICT (source, id) DO NOTHING
        """,
        _EVENT | {"body": "text", "is_logged": "boolean", "received_at": "timestamptz"},
        [(*key, *row, now) for key, row in sorted(rows.items())],
    )
    keys: dict[tuple[str, str, str], bool] = {}
    for one in events:
        for address in one.unknown:
            of_it = keys_of(address, undeciding(one.body))
            for place, key in enumerate(of_it):
                nearest = place == min(1, len(of_it) - 1)
                keys[key, one.body["source"], one.body["id"]] = nearest
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
