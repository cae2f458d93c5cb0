"""Events that wait until somebody says which account their members belong to.

They wait under the name that they came with. Once it is said, the members for whom events wait are
marked, until all of those are released: of very many each step takes out some.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from worker.core.events import ANY_ACCOUNT, Quarantined, parse
from worker.store import waiting
from worker.store.dialect import execute, execute_rows
from worker.store.tables import CLAIMED, waiting_events

Key = tuple[str, str]
"""(source, member): senders name their users independently of each other."""

_MEMBER = {"source": "text", "member": "text"}
_AWAITED = (
    "EXISTS (SELECT 1 FROM waiting_events w "
    "WHERE w.source = members.source AND w.member = members.member)"
)


class Released(NamedTuple):
    """Events that have been taken out, each with its member, and whether more of them wait."""

    events: Sequence[tuple[Key, Any]]
    more: bool


def keep(
    db: Connection, raw: Sequence[Any], untold: Mapping[int, Key], now: datetime
) -> dict[int, Quarantined]:
    """Keep the events at these places, which wait for the members given; of one (source, id) the
    first to arrive stands, see `conflicts`. Returns those that have a problem whosever they are.
    """
    refused: dict[int, Quarantined] = {}
    rows: dict[tuple[str, str], tuple[Any, ...]] = {}
    for place, (source, member) in sorted(untold.items()):
        read = parse(raw[place], now, ANY_ACCOUNT)
        if isinstance(read, Quarantined):
            refused[place] = read
        else:
            row = (source, read.id, member, json.dumps(raw[place]), now)
            rows.setdefault((source, read.id), row)
    if rows:
        columns = dict.fromkeys(("source", "id", "member", "body"), "text")
        execute_rows(
            db,
            """
            INSERT INTO waiting_events (source, id, member, body, received_at)
            SELECT source, id, member, body, received_at FROM {rows} WHERE true
            ON CONFLICT (source, id) DO NOTHING
            """,
            columns | {"received_at": "timestamptz"},
            [rows[key] for key in sorted(rows)],
        )
    return refused


def conflicts(db: Connection, events: Mapping[int, Any]) -> dict[int, Quarantined]:
    """Those of the events, by their places, of which another version waits."""
    return waiting.conflicts(db, waiting_events, events)


def claim(db: Connection, members: Collection[Key], backfill: bool) -> list[Key]:
    """Mark those of these members, and of their other names, for whom events wait; with `backfill`
    no rules are to be evaluated for those.

    Returns the ones to be released like that. If it has been said otherwise before, rules are.
    """
    marked = execute_rows(
        db,
        f"""
        WITH named AS (SELECT source, member FROM {{rows}})
        UPDATE members SET backfill = :backfill AND coalesce(backfill, true)
        WHERE (source, member) IN (
            SELECT source, member FROM named
            UNION ALL
            SELECT m.source, m.member FROM named n
            JOIN members m ON m.source = n.source AND m.root = n.member
        ) AND {_AWAITED}
        RETURNING source, member, backfill
        """,
        _MEMBER,
        sorted(members),
        backfill=backfill,
    )
    return [(source, member) for source, member, how in marked if bool(how) == backfill]


def claimed(db: Connection, backfill: bool) -> list[Key]:
    """Some of the members that are marked like that."""
    found = execute(
        db,
        "SELECT source, member FROM members "
        f"WHERE {CLAIMED.text} AND backfill = :backfill LIMIT :most",
        backfill=backfill,
        most=waiting.AT_ONCE,
    )
    return [(source, member) for source, member in found]


def release(db: Connection, members: Collection[Key]) -> Released:
    """Take out some of the events that wait for these members, who are marked until all are out."""
    if not members:
        return Released((), more=False)
    taken = execute_rows(
        db,
        """
        DELETE FROM waiting_events WHERE (source, id) IN (
            SELECT w.source, w.id FROM {rows}
            JOIN waiting_events w ON w.source = r.source AND w.member = r.member LIMIT :most
        ) RETURNING source, member, body
        """,
        _MEMBER,
        sorted(members),
        most=waiting.AT_ONCE,
    ).all()
    done = execute_rows(
        db,
        "UPDATE members SET backfill = NULL WHERE (source, member) IN "
        f"(SELECT source, member FROM {{rows}}) AND NOT {_AWAITED} RETURNING member",
        _MEMBER,
        sorted(members),
    ).all()
    events = [((source, member), json.loads(body)) for source, member, body in taken]
    return Released(events, more=len(done) < len(members))


def number(db: Connection) -> int:
    """How many events wait until somebody says whose their members are."""
    return db.scalar(select(func.count()).select_from(waiting_events)) or 0
