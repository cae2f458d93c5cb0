"""Whose account a sender's users belong to, and the events that wait until somebody says so.

An event may name a member, in its extension attribute `tiewatchmember`. With a subject it says
that the member belongs to that account from then on; without one it is about the member's account,
whichever that is. Both lock the member's row, so that of the two neither overlooks the other.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from worker.core.events import MEMBER
from worker.store.dialect import execute_rows, in_our_order
from worker.store.tables import waiting_events

LONGEST_NAME = 300
"""Characters of a member's name, as of a source and of an event's id."""

_MEMBER = {"source": "text", "member": "text"}
Key = tuple[str, str]
"""(source, member): senders name their users independently of each other."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A batch whose events know their accounts. `waiting` are the places of those that do not yet;
    `released` are earlier ones that do now."""

    events: Sequence[Any]
    waiting: frozenset[int]
    released: Sequence[Any]


def settle(db: Connection, raw: Sequence[Any], now: datetime) -> Settled:
    """Give events that name a member instead of an account theirs; keep those that must wait.

    `raw` are decoded JSON values; what is no event is none of ours and stays as it is.
    """
    named = {place: key for place, one in enumerate(raw) if (key := _member(one)) is not None}
    if not named:
        return Settled(raw, frozenset(), ())
    told: dict[Key, tuple[str, str]] = {}
    for place, key in named.items():
        event = raw[place]
        if event.get("subject"):
            told[key] = max(told.get(key, ("", "")), (_stamp(event), str(event["subject"])))
    accounts = _remember(db, sorted(set(named.values())), told)
    events, waiting = list(raw), set()
    for place, key in named.items():
        if raw[place].get("subject"):
            continue
        if key in accounts:
            events[place] = raw[place] | {"subject": accounts[key]}
        else:
            waiting.add(place)
    _keep(db, [raw[place] for place in sorted(waiting)], now)
    released = _release(db, sorted(told.keys() & accounts.keys()), accounts)
    return Settled(events, frozenset(waiting), released)


def _member(one: Any) -> Key | None:
    if not isinstance(one, dict) or MEMBER not in one:
        return None
    source, member, id_ = one.get("source"), one[MEMBER], one.get("id")
    return (str(source), str(member)) if all(map(_is_name, (source, member, id_))) else None


def _is_name(value: Any) -> bool:
    """Whether it is text that can be stored, and looked up."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME or "\x00" in value:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _stamp(event: Mapping[str, Any]) -> str:
    """What decides which of two statements is the later one: the time, then the id."""
    try:
        moment = datetime.fromisoformat(str(event.get("time")))
        return f"{moment.timestamp():020.6f} {event.get('id')}"
    except (ValueError, OverflowError, OSError):
        return ""  # the event is refused where it is read


def _remember(
    db: Connection, keys: Sequence[Key], told: Mapping[Key, tuple[str, str]]
) -> dict[Key, str]:
    """Lock the members' rows, note what is later than what they say, and return their accounts."""
    rows = [(*key, *reversed(told.get(key, (None, None)))) for key in keys]
    found = execute_rows(
        db,
        f"""
        INSERT INTO members (source, member, account, stamp)
        SELECT source, member, account, stamp FROM {{rows}} WHERE true
        ORDER BY {in_our_order(db, "source", "member")}
        ON CONFLICT (source, member) DO UPDATE SET
            account = CASE WHEN excluded.stamp > coalesce(members.stamp, '')
                THEN excluded.account ELSE members.account END,
            stamp = CASE WHEN excluded.stamp > coalesce(members.stamp, '')
                THEN excluded.stamp ELSE members.stamp END
        RETURNING source, member, account
        """,
        _MEMBER | {"account": "text", "stamp": "text"},
        rows,
    )
    return {(source, member): account for source, member, account in found if account is not None}


def _keep(db: Connection, events: Sequence[Mapping[str, Any]], now: datetime) -> None:
    if not events:
        return
    columns = dict.fromkeys(("source", "id", "member", "body"), "text")
    rows = {
        (e["source"], e["id"]): (e["source"], e["id"], e[MEMBER], json.dumps(e), now)
        for e in events
    }
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


def _release(db: Connection, keys: Sequence[Key], accounts: Mapping[Key, str]) -> list[Any]:
    """Take out what waited for these members, each event now with its account."""
    if not keys:
        return []
    found = execute_rows(
        db,
        """
        DELETE FROM waiting_events WHERE (source, member) IN (SELECT source, member FROM {rows})
        RETURNING source, member, body
        """,
        _MEMBER,
        keys,
    )
    return [
        json.loads(body) | {"subject": accounts[source, member]} for source, member, body in found
    ]


def waiting(db: Connection) -> int:
    """How many events wait until somebody says whose their members are."""
    return db.scalar(select(func.count()).select_from(waiting_events)) or 0
