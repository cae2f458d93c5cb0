"""Reads the event log: what came, as about the accounts and contacts that it is about today."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, and_, select, text, union_all

from worker.core.contents import Content
from worker.core.events import Event
from worker.core.identity import combined
from worker.core.logged import UNREAD, Envelope, envelope_of, read
from worker.store import members
from worker.store.dialect import execute_among, execute_rows, in_our_order, member_of
from worker.store.merges import attributed
from worker.store.readings import as_event, readings, settling
from worker.store.tables import events as log
from worker.store.tables import moment_of
from worker.store.tables import shared_events as shared

CHUNK = 2_000
"""Events read at once: a log may be larger than memory."""

_COLUMNS = (log.c.time, log.c.type, log.c.body, log.c.account)


def telling(db: Connection, accounts: Iterable[str], before: datetime) -> dict[str, list[Event]]:
    """The account, survey and outcome events of these accounts dated before a time, by account and
    in order of time, of those at one time by id and source."""
    rows = execute_among(
        db,
        "SELECT time, type, body, account FROM events "
        "WHERE type IN ('account', 'survey', 'outcome') AND account {among} AND time < :before",
        accounts,
        before=before,
    )
    found: dict[str, list[Event]] = defaultdict(list)
    told = [(moment_of(moment), *row) for moment, *row in rows]
    for event in chain.from_iterable(_read(db, told)):
        found[event.account or ""].append(event)
    for events in found.values():
        events.sort(key=lambda event: (event.time, event.id, event.source))
    return found


def everything(db: Connection, before: datetime) -> Iterator[Event]:
    """Every event dated before a time, in order of time, of those at one time by id and source."""
    query = select(*_COLUMNS).where(log.c.time < before)
    query = query.order_by(log.c.time, text(in_our_order(db, "id", "source")))
    for rows in _parts(db, query):
        yield from chain.from_iterable(_read(db, rows))


def holding(db: Connection, accounts: Collection[str]) -> Iterator[Event]:
    """The events that say which domains and addresses are held, of those logged as of these
    accounts: as they were sent, about accounts that may have been merged since."""
    query = select(*_COLUMNS).where(
        log.c.account.in_(accounts), log.c.type.in_(("account", "contact"))
    )
    for rows in _parts(db, query):
        known_by_ids = [one for one in map(_opened, rows) if not one.envelope.names_by_email]
        yield from chain.from_iterable(one.events for one in _as_sent(db, known_by_ids))


class Logged(NamedTuple):
    """An event of the log: the accounts that it is logged as of, the one in the log first, and
    what it comes to, one for each account that it is of: as it was `sent`, and as of the account
    and the contacts that it is about today. A word on the domains and addresses in `settling` may
    settle whose it is besides."""

    accounts: Sequence[str]
    sent: Sequence[Event]
    events: Sequence[Event]
    settling: Collection[str]


def of_accounts(
    db: Connection, accounts: Collection[str], whole: bool = True
) -> Iterator[list[Logged]]:
    """Part by part, in order of time, the events that are logged as of these accounts.

    Without `whole`, content is read only where it takes part in whom an event is about, and is
    `UNREAD` else: that takes a third of the time.
    """
    ids = msgspec.json.encode(sorted(accounts)).decode()  # as one, of which there may be any number
    among = member_of(db, "ids")
    theirs = select(shared.c.source, shared.c.id).where(text(f"shared_events.account {among}"))
    keys = theirs.distinct().subquery()
    of_others = select(*_COLUMNS).join(
        keys, and_(log.c.source == keys.c.source, log.c.id == keys.c.id)
    )
    query = union_all(
        select(*_COLUMNS).where(text(f"events.account {among}")),
        of_others.where(text(f"NOT events.account {among}")),
    )
    for rows in _parts(db, query.order_by("time").params(ids=ids)):
        opened = _with_all_accounts(db, [_opened(row, whole) for row in rows])
        sent = _as_sent(db, opened)
        events = _of_today(db, sent)
        yield [
            Logged(one.logged, was.events, now, was.settling)
            for one, was, now in zip(opened, sent, events, strict=True)
        ]


def sizes_of(db: Connection, accounts: Collection[str], most: int) -> dict[str, int]:
    """How many events are logged as of each of these accounts, also those that are of others too,
    counted up to `most`."""
    found = execute_rows(
        db,
        "SELECT r.account, (SELECT count(*) FROM "
        "(SELECT 1 FROM events e WHERE e.account = r.account "
        "UNION ALL SELECT 1 FROM shared_events s WHERE s.account = r.account LIMIT :most) AS found)"
        " FROM {rows}",
        {"account": "text"},
        [(account,) for account in sorted(accounts)],
        most=most,
    )
    return dict(found.all())


class _Sent(NamedTuple):
    """What an event comes to as it was sent, and by what it may be settled whose it is besides."""

    events: Sequence[Event]
    settling: Collection[str] = ()


class _Opened(NamedTuple):
    """An event of the log, its body, and the accounts that it is logged as of."""

    moment: datetime
    body: str
    envelope: Envelope
    content: Content
    logged: Sequence[str]


def _opened(row: Sequence[Any], whole: bool = True) -> _Opened:
    moment, type_, body, account = row
    if whole:
        return _Opened(moment, body, *read(body, type_, moment), (account,))
    envelope = envelope_of(body)
    if envelope.tiewatchalias:
        return _opened(row)
    return _Opened(moment, body, envelope, UNREAD, (account,))


def _with_all_accounts(db: Connection, opened: list[_Opened]) -> list[_Opened]:
    """The same, with the further accounts of events whose people are of several."""
    mails = [place for place, one in enumerate(opened) if one.envelope.names_by_email]
    if not mails:
        return opened
    keys = [(opened[place].envelope.source, opened[place].envelope.id) for place in mails]
    further = _further_accounts(db, keys)
    for place, key in zip(mails, keys, strict=True):
        one = opened[place]
        opened[place] = one._replace(logged=(*one.logged, *further.get(key, ())))
    return opened


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
    """What each of (time, type, body, account) comes to, about whom it is today; see `_as_sent`."""
    return _of_today(db, _as_sent(db, list(map(_opened, rows))))


def _of_today(db: Connection, sent: Sequence[_Sent]) -> list[list[Event]]:
    flat = iter(attributed(db, [event for one in sent for event in one.events]))
    return [
        [next(flat)] if len(one.events) == 1 else combined(next(flat) for _ in one.events)
        for one in sent
    ]


def _as_sent(db: Connection, opened: Sequence[_Opened]) -> list[_Sent]:
    """What each comes to. Whose they are that leave it to others, their members or their people's
    addresses say."""
    named = {
        (one.envelope.source, one.envelope.tiewatchmember)
        for one in opened
        if one.envelope.leaves_it_to_members
    }
    accounts = members.accounts_of(db, named) if named else {}
    found = [_Sent((_event(one, accounts),)) for one in opened]
    mails = [place for place, one in enumerate(opened) if one.envelope.names_by_email]
    if mails:
        read_as = [_mail(opened[place]) for place in mails]
        told = zip(mails, read_as, readings(db, read_as), strict=True)
        for place, (_, raw, _), reading in told:
            found[place] = _Sent(list(reading.events.values()), settling(raw, reading))
    return found


def _event(one: _Opened, accounts: Mapping[tuple[str, str], str]) -> Event:
    envelope = one.envelope
    account = envelope.subject
    if envelope.leaves_it_to_members:
        account = accounts[envelope.source, envelope.tiewatchmember]
    return envelope.event(one.body, one.moment, account, one.content)


def _mail(one: _Opened) -> tuple[Event, Any, Sequence[str]]:
    """An event that names people by their addresses, as it was sent, and its accounts."""
    try:
        raw = msgspec.json.decode(one.body)
    except msgspec.DecodeError:  # half a surrogate pair, which an event may have in an unread key
        raw = json.loads(one.body)
    event = as_event(raw, one.moment)
    assert isinstance(event, Event), f"in the log, and yet {event}"
    return event, raw, one.logged
