"""Attributes of accounts, contacts and reps: read, merged field by field, and written back."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection

from worker.core.attributes import merge
from worker.core.events import Event
from worker.store.dialect import execute_rows, in_our_order

_STORED_AS = {"left": "gone", "renewal_date": "renewal_day"}
_FIELDS = {
    "account": {
        "name": "text",
        "segment": "text",
        "owner": "text",
        "seats": "bigint",
        "mrr": "float8",
        "currency": "text",
        "renewal_day": "int",
        "lifecycle": "text",
        "domains": "text",
        "timezone": "text",
        "parent": "text",
    },
    "contact": dict.fromkeys(("name", "title", "level", "role", "function", "emails"), "text")
    | {"gone": "boolean"},
    "rep": dict.fromkeys(("name", "email", "slack_user", "timezone", "manager"), "text")
    | {"gone": "boolean"},
}
_KEYS = {"account": ("account",), "contact": ("account", "contact"), "rep": ("rep",)}


def fold_attributes(db: Connection, events: Sequence[Event]) -> None:
    """Set what these account, contact and rep events say, whatever order they come in.

    The rows of those that they are about must be there.
    """
    for kind in ("account", "contact", "rep"):
        of_kind = [event for event in events if event.type == kind]
        if of_kind:
            _fold_kind(db, kind, of_kind)


def _fold_kind(db: Connection, kind: str, events: Sequence[Event]) -> None:
    table, key, fields = f"{kind}s", _KEYS[kind], _FIELDS[kind]
    by_key: dict[tuple[str, ...], list[Event]] = defaultdict(list)
    for event in events:
        by_key[tuple(_key_part(event, part) for part in key)].append(event)
    keys = dict.fromkeys(key, "text")
    given = sorted(by_key)
    match = " AND ".join(f"t.{part} = r.{part}" for part in key)
    locking = "FOR UPDATE OF t" if db.dialect.name == "postgresql" else ""
    found = execute_rows(
        db,
        f"SELECT {', '.join(f't.{name}' for name in (*key, 'stamps', *fields))} "
        f"FROM {{rows}} JOIN {table} t ON {match} "
        f"ORDER BY {in_our_order(db, *(f't.{part}' for part in key))} {locking}",
        keys,
        given,
    )
    rows = []
    for row in found:
        name = tuple(row[: len(key)])
        stamps = msgspec.json.decode(row[len(key)] or "{}")
        changed: dict[str, Any] = {}
        for event in by_key[name]:
            merge(changed, stamps, event)
        values = dict(zip(fields, row[len(key) + 1 :], strict=True))
        values |= {_STORED_AS.get(field, field): _stored(field, v) for field, v in changed.items()}
        rows.append((*name, msgspec.json.encode(stamps).decode(), *values.values()))
    updates = ", ".join(f"{name} = r.{name}" for name in ("stamps", *fields))
    execute_rows(
        db,
        f"UPDATE {table} SET {updates} FROM {{rows}} "
        f"WHERE {' AND '.join(f'{table}.{part} = r.{part}' for part in key)}",
        keys | {"stamps": "text"} | fields,
        rows,
    )


def _key_part(event: Event, part: str) -> str:
    return str(event.account if part == "account" else getattr(event.data, part))


def _stored(field: str, value: Any) -> Any:
    """A value as its column holds it: a date as its ordinal, a list as JSON."""
    if value is None:
        return None
    if field == "renewal_date":
        return date.fromisoformat(value).toordinal()
    return msgspec.json.encode(value).decode() if isinstance(value, list) else value
