"""What a database holds, in a form in which two runs of the same events are equal."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, select

from worker.store.tables import flag_history, flags, metadata, outbox

Rows = list[tuple[Any, ...]]

_OF_THE_RUN = {
    *("batches", "rule_sets", "sweeps", "sweep_shards"),
    *("messages", "conversations", "slack_channels", "slack_users"),
}
"""Tables of how events came and of how people were told: the runs differ in that on purpose."""

_OTHERWISE = {"flag_history", "outbox"}
"""Tables that are compared without the numbers of their rows, which other rows have in them."""

_DIFFERS = {
    "quarantine.received_at",
    "flags.id",
    "workspace.rules",
    "workspace.delivery_at",
} | {f"{people}.stamps" for people in ("accounts", "contacts", "reps")}
"""Columns that tell with which batch an event came, and when; row numbers; the version of the
rules, which only workers put in force, and when they deliver next; what `_stamps` reads."""


def contents(engine: Engine) -> dict[str, Rows]:
    """Every table's rows, sorted, but for numbers and times that differ from run to run."""
    with engine.connect() as db:
        names = set(metadata.tables) - _OF_THE_RUN - _OTHERWISE
        found = {name: _rows(db, name) for name in names}
        found["stamps"] = _stamps(db)
        found["flag_history"] = _history(db)
        found["outbox"] = _alerts(db)
    return found


def difference(one: Mapping[str, Rows], other: Mapping[str, Rows]) -> dict[str, tuple[Rows, Rows]]:
    """By table, the first rows that only one of them has; empty if they are equal."""
    return {
        name: (
            [r for r in one[name] if r not in others][:5],
            [r for r in rows if r not in ours][:5],
        )
        for name, rows in other.items()
        if rows != one[name]
        for others, ours in [(set(rows), set(one[name]))]
    }


def _rows(db: Connection, name: str) -> Rows:
    table = metadata.tables[name]
    columns = [column for column in table.c if f"{name}.{column.name}" not in _DIFFERS]
    return _sorted(db.execute(select(*columns)))


def _stamps(db: Connection) -> Rows:
    """When each attribute was last set: an object whose keys come in order of arrival."""
    found = []
    for name in ("accounts", "contacts", "reps"):
        table = metadata.tables[name]
        for *key, stamps in db.execute(select(*table.primary_key.columns, table.c.stamps)):
            found.append((name, *key, json.dumps(json.loads(stamps or "{}"), sort_keys=True)))
    return _sorted(found)


def _history(db: Connection) -> Rows:
    of_move = [c for c in flag_history.c if c.name not in ("id", "flag", "at")]
    moves = select(flags.c.account, flags.c.rule, *of_move).join_from(flags, flag_history)
    return _sorted(db.execute(moves))


def _alerts(db: Connection) -> Rows:
    """The alerts, with the number of their flag taken out of them and of their keys."""
    found = []
    for key, account, body in db.execute(select(outbox.c.key, outbox.c.account, outbox.c.alert)):
        kind, subject, *rest = key.split("/")
        said = json.loads(body) | {"flag": None}
        found.append((kind, "" if kind == "flag" else subject, *rest, account, json.dumps(said)))
    return _sorted(found)


def _sorted(rows: Any) -> Rows:
    return sorted((tuple(row) for row in rows), key=repr)
