"""Attributes of accounts, contacts and reps: read, merged field by field, and written back."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection

from worker.core.attributes import merge
from worker.core.events import Event
from worker.store.dialect import Rows, execute_rows, in_our_order

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
        "region": "text",
    },
    "contact": dict.fromkeys(("name", "title", "level", "role", "function", "emails"), "text")
    | {"gone": "boolean"},
    "rep": dict.fromkeys(("name", "email", "slack_user", "timezone", "manager"), "text")
    | {"gone": "boolean"},
}
_KEYS = {"account": ("account",), "contact": ("account", "contact"), "rep": ("rep",)}


def ask_attributes(db: Connection, events: Sequence[Event]) -> Callable[[], None]:
    """Ask for what these account, contact and rep events are about, whose rows must be there.

    The function returned waits for it, and sets what the events say, whatever order they come in.
    """
    asked = []
    for kind in ("account", "contact", "rep"):
        by_key: dict[tuple[str, ...], list[Event]] = defaultdict(list)
        for event in events:
            if event.type == kind:
                by_key[tuple(_key_part(event, part) for part in _KEYS[kind])].append(event)
        if by_key:
            asked.append((kind, by_key, _lock(db, kind, sorted(by_key))))

    def answer() -> None:
        for kind, by_key, found in asked:
            _update(db, kind, by_key, found)

    return answer


def _lock(db: Connection, kind: str, keys: Sequence[tuple[str, ...]]) -> Rows:
    parts = _KEYS[kind]
    match = " AND ".join(f"t.{part} = r.{part}" for part in parts)
    locking = "FOR UPDATE OF t" if db.dialect.name == "postgresql" else ""
    return execute_rows(
        db,
        f"SELECT {', '.join(f't.{name}' for name in (*parts, 'stamps', *_FIELDS[kind]))} "
        f"FROM {{rows}} JOIN {kind}s t ON {match} "
        f"ORDER BY {in_our_order(db, *(f't.{part}' for part in parts))} {locking}",
        dict.fromkeys(parts, "text"),
        keys,
    )


def _update(
    db: Connection, kind: str, by_key: Mapping[tuple[str, ...], list[Event]], found: Rows
) -> None:
    parts, fields = _KEYS[kind], _FIELDS[kind]
    rows = []
    for row in found:
        key = tuple(row[: len(parts)])
        stamps = msgspec.json.decode(row[len(parts)] or "{}")
        changed: dict[str, Any] = {}
        for event in by_key[key]:
            merge(changed, stamps, event)
        values = dict(zip(fields, row[len(parts) + 1 :], strict=True))
        values |= {_STORED_AS.get(field, field): _stored(field, v) for field, v in changed.items()}
        rows.append((*key, msgspec.json.encode(stamps).decode(), *values.values()))
    updates = ", ".join(f"{name} = r.{name}" for name in ("stamps", *fields))
    execute_rows(
        db,
        f"UPDATE {kind}s SET {updates} FROM {{rows}} "
        f"WHERE {' AND '.join(f'{kind}s.{part} = r.{part}' for part in parts)}",
        dict.fromkeys(parts, "text") | {"stamps": "text"} | fields,
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
