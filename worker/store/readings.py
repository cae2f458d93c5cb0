"""What events that name people by their addresses come to, by who holds those now."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from worker.core.events import ANY_ACCOUNT, Event, Quarantined, parse
from worker.core.identity import Reading, in_one_form, keys_of, read, reps_in
from worker.core.merges import people_in
from worker.core.sorting import NAMING
from worker.store import holdings
from worker.store.dialect import execute_rows
from worker.store.merges import of_today
from worker.store.waiting import undeciding


def as_event(raw: Any, received: datetime) -> Event | Quarantined:
    """One that names people by their addresses; its account is none if it is left to them."""
    of_people = raw.get("subject") is None and raw.get("type") in NAMING
    event = parse(raw, received, ANY_ACCOUNT if of_people else None)
    if isinstance(event, Quarantined):
        return event
    account = None if of_people else event.account
    return msgspec.structs.replace(event, account=account, data=in_one_form(event.data))


def readings(db: Connection, events: Sequence[tuple[Event, Any, Collection[str]]]) -> list[Reading]:
    """What each event comes to, given as it was sent and with the accounts it is logged as of."""
    keys: set[str] = set()
    for event, raw, _ in events:
        keys.update(reps_in(event.data))
        for one in people_in(event.data):
            keys.update(keys_of(one, undeciding(raw)))
    found = holdings.of(db, keys)
    holders = {(one.account, one.person) for held in found.values() for one in held}
    accounts = {account for account, _ in holders} | {event.account for event, _, _ in events}
    today = of_today(db, holders | {(account, "") for account in accounts if account})
    return [read(event, found, undeciding(raw), logged, today) for event, raw, logged in events]


def settling(raw: Any, reading: Reading) -> set[str]:
    """A word on which domains and addresses may settle whose the event is that is read so."""
    return {key for one in reading.disputed for key in keys_of(one, undeciding(raw))}


def logged_as(db: Connection, events: Sequence[Event]) -> dict[tuple[str, str], str]:
    """The accounts of those of the events that are in the log, by (source, id)."""
    if not events:
        return {}
    found = execute_rows(
        db,
        "SELECT e.source, e.id, e.account FROM {rows} "
        "JOIN events e ON e.source = r.source AND e.id = r.id",
        {"source": "text", "id": "text"},
        sorted({(one.source, one.id) for one in events}),
    )
    return {(source, id_): account or "" for source, id_, account in found}
