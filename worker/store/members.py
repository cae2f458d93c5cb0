"""Whose account a sender's users belong to, and the events that wait until somebody says so.

An event may name a member, in its extension attribute `tiewatchmember`. With a subject it says
that the member belongs to that account from then on; without one it is about the member's account,
whichever that is. Both lock the member's row, so that of the two neither overlooks the other.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select, update

from worker.core.events import ALIAS, ANY_ACCOUNT, MEMBER, Event, Quarantined, parse
from worker.store.dialect import execute_rows, in_our_order
from worker.store.event_log import CONFLICT
from worker.store.merges import MustBeAlone
from worker.store.tables import members, waiting_events
from worker.store.waiting import conflicts

LONGEST_NAME = 300
"""Characters of a member's name, as of a source and of an event's id."""

LONGEST_ID = 200
"""Characters of the id of an account or a contact."""

"""Stands for the account while an event is checked of which it is to be found."""

_MEMBER = {"source": "text", "member": "text"}
Key = tuple[str, str]
"""(source, member): senders name their users independently of each other."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A batch, after its `events` those released that waited for it.

    `accounts` says whose those are that name a member instead, by their places; `waiting` are the
    places of those of which nobody has said it yet, `refused` those that must not wait. `left` are
    the accounts that members belonged to until now: what is theirs has to be read anew.
    """

    events: Sequence[Any]
    accounts: Mapping[int, str] = field(default_factory=dict)
    waiting: Collection[int] = frozenset()
    left: frozenset[str] = frozenset()
    refused: Mapping[int, Quarantined] = field(default_factory=dict)

    def conflicts(self) -> dict[int, Quarantined]:
        """Those refused, by their places, under whose source and id another one waits."""
        return {place: one for place, one in self.refused.items() if one.problems == (CONFLICT,)}


def settle(db: Connection, raw: Sequence[Any], now: datetime, alone: bool) -> Settled:
    """Find the accounts of events that name a member instead; keep those that must wait.

    `raw` are decoded JSON values; what is no event is none of ours and stays as it is.

    Raises:
        MustBeAlone: members belong to other accounts from now on, and others may be at work.
    """
    called = {place: key for place, one in enumerate(raw) if (key := _member(one)) is not None}
    if not called:
        return Settled(raw)
    same = {
        (key, other)
        for place, key in called.items()
        if (other := _alias(raw[place], key))
        and isinstance(parse(raw[place], now, ANY_ACCOUNT), Event)
    }
    keys = {*called.values(), *(other for _, other in same)}
    roots = _roots(db, keys)
    apart = {pair for pair in same if roots[pair[0]] != roots[pair[1]]}
    if apart and not alone:
        raise MustBeAlone
    parted = frozenset[str]()
    if apart:
        parted = _unite(db, sorted(apart))
        roots = _roots(db, keys)
    named = {place: roots[key] for place, key in called.items()}
    told: dict[Key, tuple[str, str]] = {}
    for place, key in named.items():
        event = raw[place]
        if _is_name(event.get("subject"), LONGEST_ID) and isinstance(parse(event, now), Event):
            told[key] = max(told.get(key, ("", "")), (_stamp(event), event["subject"]))
    accounts, left = _remember(db, sorted(set(named.values())), told)
    if left and not alone:
        raise MustBeAlone
    of_members = [place for place in named if not raw[place].get("subject")]
    untold = {place: named[place] for place in of_members if named[place] not in accounts}
    refused = _keep(db, raw, untold, now)
    united = {roots[key] for pair in apart for key in pair}
    released = _release(db, sorted((told.keys() | united) & accounts.keys()))
    found = {place: accounts[named[place]] for place in of_members if place not in untold}
    found |= {len(raw) + number: accounts[key] for number, (key, _) in enumerate(released)}
    events = [*raw, *(event for _, event in released)]
    return Settled(events, found, untold.keys() - refused.keys(), left | parted, refused)


def _member(one: Any) -> Key | None:
    if not isinstance(one, dict) or MEMBER not in one:
        return None
    source, member, id_ = one.get("source"), one[MEMBER], one.get("id")
    return (str(source), str(member)) if all(map(_is_name, (source, member, id_))) else None


def _alias(event: Mapping[str, Any], key: Key) -> Key | None:
    """The other name that an event says its member has."""
    alias = event.get(ALIAS)
    if event.get("type") != "contact" or not _is_name(alias, LONGEST_ID) or alias == key[1]:
        return None
    return key[0], str(alias)


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


def _roots(db: Connection, keys: Iterable[Key]) -> dict[Key, Key]:
    """The members under which these are kept: themselves, unless they turned out to be others."""
    of = {key: key for key in keys}
    found = execute_rows(
        db,
        "SELECT m.source, m.member, m.root FROM {rows} JOIN members m "
        "ON m.source = r.source AND m.member = r.member AND m.root IS NOT NULL",
        _MEMBER,
        sorted(of),
    )
    return of | {(source, member): (source, root) for source, member, root in found}


def _unite(db: Connection, pairs: Iterable[tuple[Key, Key]]) -> frozenset[str]:
    """Let the members of each pair be one: of the account that was told last of either. Returns
    the accounts that are theirs no more. Nobody else may be at work meanwhile."""
    left = set()
    for pair in pairs:
        one, other = (_roots(db, pair)[key] for key in pair)
        if one == other:
            continue
        _remember(db, sorted((one, other)), {})
        of = members.c
        kept, given_up = (
            db.execute(
                select(of.account, of.stamp).where(of.source == source, of.member == member)
            ).one()
            for source, member in (one, other)
        )
        last = max(kept, given_up, key=lambda told: told.stamp or "")
        left |= {told.account for told in (kept, given_up)} - {None, last.account}
        source, member = other
        db.execute(
            update(members)
            .where(of.source == source, or_(of.member == member, of.root == member))
            .values(root=one[1], account=None, stamp=None)
        )
        db.execute(
            update(members)
            .where(of.source == source, of.member == one[1])
            .values(account=last.account, stamp=last.stamp)
        )
        waits = waiting_events.c
        db.execute(
            update(waiting_events)
            .where(waits.source == source, waits.member == member)
            .values(member=one[1])
        )
    return frozenset(left)


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
        "SELECT m.source, m.member, k.account FROM {rows} "
        "JOIN members m ON m.source = r.source AND m.member = r.member "
        "JOIN members k ON k.source = m.source AND k.member = coalesce(m.root, m.member) "
        "WHERE k.account IS NOT NULL",
        _MEMBER,
        sorted(keys),
    )
    return {(source, member): account for source, member, account in found}


def _keep(
    db: Connection, raw: Sequence[Any], untold: Mapping[int, Key], now: datetime
) -> dict[int, Quarantined]:
    """Keep the events at these places, which wait for the members given.

    Returns those that have a problem whosever they are, and those of which another version waits.
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
    if not rows:
        return refused
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
    kept = {place: raw[place] for place in untold if place not in refused}
    return refused | conflicts(db, waiting_events, kept)


def _release(db: Connection, keys: Sequence[Key]) -> list[tuple[Key, Any]]:
    """Take out what waited for these members, each event with its member."""
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
    return [((source, member), json.loads(body)) for source, member, body in found]


def waiting(db: Connection) -> int:
    """How many events wait until somebody says whose their members are."""
    return db.scalar(select(func.count()).select_from(waiting_events)) or 0
