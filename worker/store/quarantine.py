"""What is in quarantine, for whoever looks after it: by reason, one by one, and out of it."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from worker.store import disputes
from worker.store.tables import quarantine

CHUNK = 1_000
"""Rows read at once where all of them are."""

_VALUE = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\.\.\.)')
_GIVEN = re.compile(r", not (?:.*)$")


@dataclass(frozen=True, slots=True)
class Kept:
    """One event in quarantine. `way` says what its `body` is: an event, or another's message."""

    id: str
    source: str | None
    event_id: str | None
    problems: tuple[str, ...]
    body: str
    way: str
    received_at: datetime

    @property
    def reason(self) -> str:
        """Its problems without the values that differ from one event to the next."""
        return "; ".join(_GIVEN.sub("", _VALUE.sub("...", problem)) for problem in self.problems)


@dataclass(slots=True)
class Group:
    """The events with one reason; `example` is the id of the newest."""

    reason: str
    events: int
    sources: set[str]
    first: datetime
    last: datetime
    example: str

    def add(self, one: Kept) -> None:
        """Count one more."""
        self.events += 1
        self.sources.add(one.source or "?")
        self.first = min(self.first, one.received_at)
        if one.received_at >= self.last:
            self.last, self.example = one.received_at, one.id


def kept(db: Connection, source: str | None = None) -> Iterator[Kept]:
    """Everything in quarantine, of a source if one is given, in order of arrival."""
    asked = select(quarantine).order_by(quarantine.c.received_at, quarantine.c.digest)
    if source is not None:
        asked = asked.where(quarantine.c.source == source)
    for row in db.execute(asked, execution_options={"yield_per": CHUNK}):
        yield Kept(
            row.digest,
            row.source,
            row.event_id,
            tuple(json.loads(row.problems)),
            row.body,
            row.way,
            row.received_at,
        )


def groups(db: Connection, source: str | None = None) -> list[Group]:
    """What is in quarantine by reason, the most frequent first."""
    found: dict[str, Group] = {}
    for one in kept(db, source):
        if one.reason not in found:
            at = one.received_at
            found[one.reason] = Group(one.reason, 0, set(), at, at, one.id)
        found[one.reason].add(one)
    return sorted(found.values(), key=lambda group: (-group.events, group.reason))


def remove(db: Connection, ids: Sequence[str]) -> int:
    """Take events out of quarantine; how many were in it."""
    removed = 0
    for begin in range(0, len(ids), CHUNK):
        some = ids[begin : begin + CHUNK]
        removed += db.execute(delete(quarantine).where(quarantine.c.digest.in_(some))).rowcount
        disputes.forget(db, some)
    return removed
