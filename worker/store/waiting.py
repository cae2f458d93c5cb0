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
from worker.store.dialect import execute, execute_among, execute_rows
from worker.store.event_log import bodies, conflict
from worker.store.tables import CLAIMED, waiting_keys, waiting_mails

AT_ONCE = 2_000
"""Events that are released in one transaction, of each kind: the time of a task is limited, and its
memory."""

_EVENT = {"source": "text", "id": "text"}
_IS_HELD = "EXISTS (SELECT 1 FROM holdings h WHERE h.key = {0}.key AND h.account <> '')"
_IS_AWAITED = f"EXISTS (SELECT 1 FROM waiting_keys w WHERE w.key = {{0}}.key) AND {_IS_HELD}"


class Waiting(NamedTuple):
    """An event with these addresses of which nobody has said whose they are."""

    body: Mapping[str, Any]
    is_logged: bool
    unknown: Sequence[str]


class Taken(NamedTuple):
    """An event that has waited for this domain or address; it may be logged as of others of its
    people."""

    key: str
    body: Any
    is_logged: bool


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


def claim(db: Connection, keys: Collection[str], backfill: bool) -> list[str]:
    """Note on which of these, that are held otherwise by now, events wait for a word: those are to
    be released, with `backfill` without rules being evaluated.

    Returns the ones to be released like that. If it has been said otherwise before, rules are.
    """
    execute(db, "DELETE FROM reread_accounts")
    found = execute_rows(
        db,
        f"""
        INSERT INTO claimed_keys (key, backfill) SELECT key, :backfill FROM {{rows}}
        WHERE {_IS_AWAITED.format("r")} OR EXISTS (SELECT 1 FROM disputes d WHERE d.key = r.key)
        ON CONFLICT (key) DO UPDATE
        SET backfill = claimed_keys.backfill AND excluded.backfill, looked = ''
        RETURNING key, backfill
        """,
        {"key": "text"},
        [(key,) for key in sorted(keys)],
        backfill=backfill,
    )
    return [key for key, how in found if bool(how) == backfill]


def claimed(db: Connection, backfill: bool) -> list[str]:
    """Some of the domains and addresses for which events are to be released like that."""
    found = execute(
        db,
        "SELECT key FROM claimed_keys WHERE backfill = :backfill LIMIT :most",
        backfill=backfill,
        most=AT_ONCE,
    )
    return [key for (key,) in found]


def next_step(db: Connection) -> bool | None:
    """Whether what is to be released next is so without rules being evaluated; None if nothing is
    to be released."""
    for backfill in (False, True):
        found = execute(
            db,
            "SELECT 1 FROM claimed_keys WHERE backfill = :backfill UNION ALL "
            f"SELECT 1 FROM members WHERE {CLAIMED.text} AND backfill = :backfill LIMIT 1",
            backfill=backfill,
        )
        if found.all():
            return backfill
    return None


def take_out(db: Connection, keys: Collection[str]) -> list[Taken]:
    """Take out some of the events that wait for one of these which an account holds."""
    found = execute_among(
        db,
        "SELECT q.source, q.id, q.key FROM waiting_keys q "
        f"WHERE q.key {{among}} AND {_IS_HELD.format('q')} LIMIT :most",
        sorted(keys),
        most=AT_ONCE,
    ).all()
    if not found:
        return []
    of = {(source, id_): key for source, id_, key in found}
    execute_rows(
        db,
        "DELETE FROM waiting_keys WHERE (source, id) IN (SELECT source, id FROM {rows})",
        _EVENT,
        sorted(of),
    )
    taken = execute_rows(
        db,
        "DELETE FROM waiting_mails WHERE (source, id) IN (SELECT source, id FROM {rows}) "
        "RETURNING source, id, body, is_logged",
        _EVENT,
        sorted(of),
    )
    return [
        Taken(of[source, id_], json.loads(body), bool(is_logged))
        for source, id_, body, is_logged in taken
    ]


def settle_claims(db: Connection, keys: Collection[str]) -> bool:
    """Forget those of these for which nothing is to be released any more; whether any is left."""
    done = execute_among(
        db,
        "DELETE FROM claimed_keys AS k WHERE k.key {among} "
        f"AND NOT ({_IS_AWAITED.format('k')}) AND NOT EXISTS "
        "(SELECT 1 FROM disputes d WHERE d.key = k.key AND d.digest > k.looked) RETURNING key",
        sorted(keys),
    ).all()
    return len(done) < len(keys)


def reread(db: Connection, accounts: Collection[str]) -> set[str]:
    """Those of these accounts whose events have all been read anew since holdings changed last."""
    found = execute_among(
        db, "SELECT account FROM reread_accounts WHERE account {among}", sorted(accounts)
    )
    return {account for (account,) in found}


def note_reread(db: Connection, accounts: Collection[str]) -> None:
    """Note that all events of these accounts are read anew in this transaction."""
    execute_rows(
        db,
        "INSERT INTO reread_accounts (account) SELECT account FROM {rows} WHERE true "
        "ON CONFLICT (account) DO NOTHING",
        {"account": "text"},
        [(account,) for account in sorted(accounts)],
    )


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
