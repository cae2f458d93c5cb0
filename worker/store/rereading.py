"""Reads the event log: what came, as about the accounts and contacts that it is about today."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, and_, select, text, union_all

from worker.core.events import MEMBER, Event, parse
from worker.core.identity import combined
from worker.store import addressed, members
from worker.store.dialect import execute_among, execute_rows, in_our_order
from worker.store.merges import attributed
from worker.store.readings import as_event, readings
from worker.store.tables import events as log
from worker.store.tables import moment_of
from worker.store.tables import shared_events as shared

CHUNK = 2_000
"""Events read at once: a log may be larger than memory."""


def telling(db: Connection, accounts: Iterable[str], before: datetime) -> dict[str, list[Event]]:
    """The account, survey and outcome events of these accounts dated before a time, by account and
    in order of time, of those at one time by id and source."""
    rows = execute_among(
        db,
        "SELECT time, body, account FROM events WHERE type IN ('account', 'survey', 'outcome') "
        "AND account {among} AND time < :before",
        accounts,
        before=before,
    )
    found: dict[str, list[Event]] = defaultdict(list)
    told = [(moment_of(moment), body, account) for moment, body, account in rows]
    for event in chain.from_iterable(_read(db, told)):
        found[event.account or ""].append(event)
    for events in found.values():
        events.sort(key=lambda event: (event.time, event.id, event.source))
    return found


def everything(db: Connection, before: datetime) -> Iterator[Event]:
    """Every event dated before a time, in order of time, of those at one time by id and source."""
    query = select(log.c.time, log.c.body, log.c.account).where(log.c.time < before)
    query = query.order_by(log.c.time, text(in_our_order(db, "id", "source")))
    for rows in _parts(db, query):
        yield from chain.from_iterable(_read(db, rows))


def holding(db: Connection, accounts: Collection[str]) -> Iterator[Event]:
    """The events that say which domains and addresses are held, of those logged as of these
    accounts: as they were sent, about accounts that may have been merged since."""
    query = select(log.c.time, log.c.body, log.c.account).where(
        log.c.account.in_(accounts), log.c.type.in_(("account", "contact"))
    )
    for rows in _parts(db, query):
        known_by_ids = [row for row in rows if not addressed.names_by_email(_decoded(row[1]))]
        yield from chain.from_iterable(_as_sent(db, known_by_ids))


class Logged(NamedTuple):
    """An event of the log: the accounts that it is logged as of, the one in the log first, and
    what it comes to, one for each account that it is of: as it was `sent`, and as of the account
    and the contacts that it is about today."""

    accounts: Sequence[str]
    sent: Sequence[Event]
    events: Sequence[Event]


def of_accounts(db: Connection, accounts: Collection[str]) -> Iterator[list[Logged]]:
    """Part by part, in order of time, the events that are logged as of these accounts."""
    columns = (log.c.time, log.c.body, log.c.account, log.c.source, log.c.id)
    theirs = select(shared.c.source, shared.c.id).where(shared.c.account.in_(accounts)).distinct()
    keys = theirs.subquery()
    of_others = select(*columns).join(
        keys, and_(log.c.source == keys.c.source, log.c.id == keys.c.id)
    )
    query = union_all(
        select(*columns).where(log.c.account.in_(accounts)),
        of_others.where(log.c.account.not_in(accounts)),
    )
    for rows in _parts(db, query.order_by("time")):
        further = _further_accounts(db, [(source, id_) for *_, source, id_ in rows])
        names = [(account, *further.get((source, id_), ())) for _, _, account, source, id_ in rows]
        told = [(row[0], row[1], *logged) for row, logged in zip(rows, names, strict=True)]
        sent = _as_sent(db, told)
        yield list(map(Logged, names, sent, _of_today(db, sent)))


def _further_accounts(
    db: Connection, events: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    rows = execute_rows(
        db,
        "SELECT s.source, s.id, s.account FROM {rows} JOIN shared_events s "
        "ON s.source = r.source AND s.id = r.id",
        {"source": "text", "id": "text"},
        events,
    )
    for source, id_, account in rows:
        found[source, id_].append(account)
    return found


def _parts(db: Connection, query: Any) -> Iterator[Sequence[Sequence[Any]]]:
    yield from db.execute(query, execution_options={"yield_per": CHUNK}).partitions()


def _read(db: Connection, rows: Sequence[Sequence[Any]]) -> list[list[Event]]:
    """What each of (time, body, account...) comes to, about whom it is today; see `_as_sent`."""
    return _of_today(db, _as_sent(db, rows))


def _of_today(db: Connection, sent: Sequence[Sequence[Event]]) -> list[list[Event]]:
    flat = iter(attributed(db, [event for events in sent for event in events]))
    return [combined(next(flat) for _ in events) for events in sent]


def _as_sent(db: Connection, rows: Sequence[Sequence[Any]]) -> list[list[Event]]:
    """What each of (time, body, account...) comes to, given with the accounts that it is logged as
    of. Whose they are that leave it to others, their members or their people's addresses say."""
    read = [(moment, _decoded(body), logged) for moment, body, *logged in rows]
    of_members = {(raw["source"], raw[MEMBER]) for _, raw, _ in read if _leaves_it_to_members(raw)}
    accounts = members.accounts_of(db, of_members) if of_members else {}
    found = [
        [
            _event(
                moment,
                raw,
                accounts[raw["source"], raw[MEMBER]] if _leaves_it_to_members(raw) else None,
            )
        ]
        for moment, raw, _ in read
    ]
    places = [place for place, (_, raw, _) in enumerate(read) if addressed.names_by_email(raw)]
    if places:
        told = readings(db, [(found[place][0], *read[place][1:]) for place in places])
        for place, reading in zip(places, told, strict=True):
            found[place] = list(reading.events.values())
    return found


def _decoded(body: str) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:  # half a surrogate pair, which an event may have in an unread key
        return json.loads(body)


def _leaves_it_to_members(raw: dict[str, Any]) -> bool:
    return MEMBER in raw and not raw.get("subject")


def _event(moment: datetime, raw: object, account: str | None) -> Event:
    event = (
        as_event(raw, moment)
        if addressed.names_by_email(raw)
        else parse(raw, received=moment, account=account)
    )
    assert isinstance(event, Event), f"in the log, and yet {event}"
    return event
