"""Batches that wait for the broker to return: bounded, and handed on in order."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select

from worker.store.tables import spool


class SpoolFull(Exception):
    """The spool holds as much as it may."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """A batch in the spool; `payload` is what its message would have carried."""

    id: int
    batch: str
    payload: Mapping[str, Any]


def add(
    db: Connection, batch: str, payload: Mapping[str, Any], most_bytes: int, now: datetime
) -> None:
    """Keep a batch until the broker is back; one that is there already is left as it is.

    Two processes that add at a time may each fill the last place, so that the spool holds at most
    one batch a process more than `most_bytes`.

    Raises:
        SpoolFull: it would hold more than `most_bytes`.
    """
    text = json.dumps(payload)
    if held(db).bytes + len(text) > most_bytes:
        raise SpoolFull(f"the spool may hold {most_bytes:,} bytes")
    if db.scalar(select(spool.c.id).where(spool.c.batch == batch)) is None:
        db.execute(
            spool.insert().values(batch=batch, payload=text, bytes=len(text), spooled_at=now)
        )


@dataclass(frozen=True, slots=True)
class Held:
    """How much the spool holds, and since when."""

    batches: int
    bytes: int
    since: datetime | None


def held(db: Connection) -> Held:
    """What is in the spool."""
    columns = func.count(), func.coalesce(func.sum(spool.c.bytes), 0), func.min(spool.c.spooled_at)
    batches, size, since = db.execute(select(*columns)).one()
    return Held(batches, int(size), since)


def oldest(db: Connection) -> Spooled | None:
    """The batch that has waited longest, locked until the transaction ends: who else asks for it
    waits, so that batches leave in order."""
    found = db.execute(select(spool).order_by(spool.c.id).limit(1).with_for_update()).first()
    return None if found is None else Spooled(found.id, found.batch, json.loads(found.payload))


def remove(db: Connection, id_: int) -> None:
    """Forget a batch that the broker has taken."""
    db.execute(delete(spool).where(spool.c.id == id_))
