"""Whose account a sender's users belong to, and the events that wait until somebody says so.

An event may name a member, in its extension attribute `tiewatchmember`. With a subject it says
that the member belongs to that account from then on; without one it is about the member's account,
whichever that is. Both lock the member's row, so that of the two neither overlooks the other.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from worker.core.events import MEMBER
from worker.store.dialect import execute_rows, in_our_order
from worker.store.merges import MustBeAlone
from worker.store.tables import waiting_events

LONGEST_NAME = 300
"""Characters of a member's name, as of a source and of an event's id."""

LONGEST_ACCOUNT = 200
"""Characters of an account's id."""

_MEMBER = {"source": "text", "member": "text"}
Key = tuple[str, str]
"""(source, member): senders name their users independently of each other."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A batch, after its `events` those released that waited for it.

    `accounts` says whose those are that name a member instead, by their places; `waiting` are the
    places of those of which nobody has said it yet. `left` are the accounts that members belonged
    to until now: what is theirs has to be read anew.
    """

    events: Sequence[Any]
    accounts: Mapping[int, str]
    waiting: frozenset[int]
    left: frozenset[str]


def settle(db: Connection, raw: Sequence[Any], now: datetime, alone: bool) -> Settled:
    """Find the accounts of events that name a member instead; keep those that must wait.

    `raw` are decoded JSON values; what is no event is none of ours and stays as it is.

    Raises:
        MustBeAlone: members belong to other accounts from now on, and others may be at work.
    """
    named = {place: key for place, one in enumerate(raw) if (key := _member(one)) is not None}
    if not named:
        return Settled(raw, {}, frozenset(), frozenset())
    told: dict[Key, tuple[str, str]] = {}
    for place, key in named.items():
        event = raw[place]
        if _is_name(event.get("subject"), LONGEST_ACCOUNT):
            told[key] = max(told.get(key, ("", "")), (_stamp(event), event["subject"]))
    accounts, left = _remember(db, sorted(set(named.values())), told)
    if left and not alone:
        raise MustBeAlone
    of_members = [place for place in named if not raw[place].get("subject")]
    waiting = frozenset(place for place in of_members if named[place] not in accounts)
    _keep(db, [raw[place] for place in sorted(waiting)], now)
    released = _release(db, sorted(told.keys() & accounts.keys()))
    found = {place: accounts[named[place]] for place in of_members if place not in waiting}
    found |= {
        len(raw) + number: accounts[event["source"], event[MEMBER]]
        for number, event in enumerate(released)
    }
    return Settled([*raw, *released], found, waiting, left)


def _member(one: Any) -> Key | None:
    if not isinstance(one, dict) or MEMBER not in one:
        return None
    source, member, id_ = one.get("source"), one[MEMBER], one.get("id")
    return (str(source), str(member)) if all(map(_is_name, (source, member, id_))) else None


def _is_name(value: Any, longest: int = LONGEST_NAME) -> bool:
    """Whether it is text that can be stored, and looked up."""
    if not isinstance(value, str) or not 0 < len(value) <= longest or "\x00" in value:
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
) -> tuple[dict[Key, str], frozenset[str]]:
    """Lock the members' rows, note what is later than what they say; returns their accounts, and
    the accounts that are theirs no more."""
    rows = [(*key, *reversed(told.get(key, (None, None)))) for key in keys]
    later = "excluded.stamp > coalesce(members.stamp, '')"
    found = execute_rows(
        db,
        f"""
        INSERT INTO members (source, member, account, stamp)
        SELECT source, member, account, stamp FROM {{rows}} WHERE true
        ORDER BY {in_our_order(db, "source", "member")}
        ON CONFLICT (source, member) DO UPDATE SET
            account = CASE WHEN {later} THEN excluded.account ELSE members.account END,
            stamp = CASE WHEN {later} THEN excluded.stamp ELSE members.stamp END,
            was = CASE WHEN {later} AND excluded.account <> members.account
                THEN members.account END
        RETURNING source, member, account, was
        """,
        _MEMBER | {"account": "text", "stamp": "text"},
        rows,
    ).all()
    accounts = {(source, member): account for source, member, account, _ in found if account}
    return accounts, frozenset(was for *_, was in found if was is not None)


def accounts_of(db: Connection, keys: Iterable[Key]) -> dict[Key, str]:
    """The accounts that these members belong to, of those of whom somebody has said it."""
    found = execute_rows(
        db,
        "SELECT m.source, m.member, m.account FROM {rows} JOIN members m "
        "ON m.source = r.source AND m.member = r.member AND m.account IS NOT NULL",
        _MEMBER,
        sorted(keys),
    )
    return {(source, member): account for source, member, account in found}


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


def _release(db: Connection, keys: Sequence[Key]) -> list[Any]:
    """Take out what waited for these members."""
    if not keys:
        return []
    found = execute_rows(
        db,
        """
        DELETE FROM waiting_events WHERE (source, member) IN (SELECT source, member FROM {rows})
        RETURNING body
        """,
        _MEMBER,
        keys,
    )
    return [json.loads(body) for (body,) in found]


def waiting(db: Connection) -> int:
    """How many events wait until somebody says whose their members are."""
    return db.scalar(select(func.count()).select_from(waiting_events)) or 0
