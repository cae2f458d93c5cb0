"""Reads the event log: what came, as about the accounts and contacts that it is about today."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, select, text

from worker.core.events import MEMBER, Event, parse
from worker.store import members
from worker.store.dialect import execute_among, in_our_order
from worker.store.merges import attributed
from worker.store.tables import events as log
from worker.store.tables import moment_of

CHUNK = 2_000
"""Events read at once: a log may be larger than memory."""


def telling(db: Connection, accounts: Iterable[str], before: datetime) -> dict[str, list[Event]]:
    """The account, survey and outcome events of these accounts dated before a time, by account and
    in order of time, of those at one time by id and source."""
    rows = execute_among(
        db,
        "SELECT time, body FROM events WHERE type IN ('account', 'survey', 'outcome') "
        "AND account {among} AND time < :before",
        accounts,
        before=before,
    )
    found: dict[str, list[Event]] = defaultdict(list)
    for event in _read(db, [(moment_of(moment), body) for moment, body in rows]):
        found[event.account or ""].append(event)
    for events in found.values():
        events.sort(key=lambda event: (event.time, event.id, event.source))
    return found


def everything(db: Connection, before: datetime) -> Iterator[Event]:
    """Every event dated before a time, in order of time, of those at one time by id and source."""
    query = select(log.c.time, log.c.body).where(log.c.time < before)
    query = query.order_by(log.c.time, text(in_our_order(db, "id", "source")))
    for rows in _parts(db, query):
        yield from _read(db, rows)


class Logged(NamedTuple):
    """An event of the log: the account that it is logged as of, the event as it was sent, and as
    one of the account and the contacts that it is about today."""

    account: str
    sent: Event
    event: Event


def of_accounts(db: Connection, accounts: Collection[str]) -> Iterator[list[Logged]]:
    """Part by part, in order of time, the events that are logged as of these accounts."""
    query = select(log.c.time, log.c.body, log.c.account).where(log.c.account.in_(accounts))
    for rows in _parts(db, query.order_by(log.c.time)):
        sent = _as_sent(db, [(moment, body) for moment, body, _ in rows])
        stored = (account for *_, account in rows)
        yield list(map(Logged, stored, sent, attributed(db, sent)))


def _parts(db: Connection, query: Select[Any]) -> Iterator[Sequence[Sequence[Any]]]:
    yield from db.execute(query, execution_options={"yield_per": CHUNK}).partitions()


def _read(db: Connection, rows: Sequence[Sequence[Any]]) -> list[Event]:
    """Events from (time, body), about whom they are today."""
    return attributed(db, _as_sent(db, rows))


def _as_sent(db: Connection, rows: Sequence[Sequence[Any]]) -> list[Event]:
    """Events from (time, body). Whose they are that leave it to others, their members say."""
    read = [(moment, msgspec.json.decode(body)) for moment, body in rows]
    of_members = {(raw["source"], raw[MEMBER]) for _, raw in read if _leaves_it_to_members(raw)}
    accounts = members.accounts_of(db, of_members) if of_members else {}
    return [
        _event(
            moment,
            raw,
            accounts[raw["source"], raw[MEMBER]] if _leaves_it_to_members(raw) else None,
        )
        for moment, raw in read
    ]


def _leaves_it_to_members(raw: dict[str, Any]) -> bool:
    return MEMBER in raw and not raw.get("subject")


def _event(moment: datetime, raw: object, account: str | None) -> Event:
    event = parse(raw, received=moment, account=account)
    assert isinstance(event, Event), f"in the log, and yet {event}"
    return event
