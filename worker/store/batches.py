"""Batches of events on their way: how often one was started, what came of it, and the parked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, select, update

from worker.store.dialect import execute, execute_rows
from worker.store.tables import batches


class BatchState(StrEnum):
    """Where a batch stands."""

    STARTED = "started"
    APPLIED = "applied"
    PARKED = "parked"


class Rejected(msgspec.Struct, frozen=True):
    """One event of a batch that was quarantined; `index` is its place in the batch."""

    index: int
    source: str | None
    id: str | None
    problems: tuple[str, ...]

    def __str__(self) -> str:
        """As an error says it: `quarantined crm/4711: 'direction' is missing: ...`."""
        return f"quarantined {self.source or '?'}/{self.id or '?'}: {'; '.join(self.problems)}"


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a batch's events.

    Received is what was applied, a duplicate or quarantined, with events that were released
    because of the batch; `waiting` are its further ones, of which nobody has said whose they are.
    """

    received: int = 0
    applied: int = 0
    duplicates: int = 0
    quarantined: int = 0
    waiting: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.received + other.received,
            self.applied + other.applied,
            self.duplicates + other.duplicates,
            self.quarantined + other.quarantined,
            self.waiting + other.waiting,
        )


_COUNTS = ("received", "applied", "duplicates", "quarantined", "waiting")


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch's row: how far it is, how often it was started, and what came of it."""

    id: str
    state: BatchState
    starts: int
    counts: Counts
    rejected: tuple[Rejected, ...]
    error: str | None


def count_start(db: Connection, id_: str, now: datetime) -> int:
    """Count one more start of a batch that has come before; how many there were, with this one.

    The first start of all leaves no row if it comes to nothing. A batch that is done stays as it
    is, and counts as started for the first time.
    """
    counted = execute(
        db,
        """
        INSERT INTO batches (id, state, starts, started_at) VALUES (:id, 'started', 2, :now)
        ON CONFLICT (id) DO UPDATE SET starts = batches.starts + 1 WHERE batches.state = 'started'
        RETURNING starts
        """,
        id=id_,
        now=now,
    ).all()
    return int(counted[0][0]) if counted else 1


def take_back_start(db: Connection, id_: str) -> None:
    """Count a start less, one that has come to nothing through no fault of the batch."""
    db.execute(
        update(batches)
        .where(batches.c.id == id_, batches.c.state == BatchState.STARTED)
        .values(starts=batches.c.starts - 1)
    )


class Result(Protocol):
    """What came of a batch, as far as it is kept."""

    @property
    def counts(self) -> Counts:
        """What became of its events."""

    @property
    def rejected(self) -> Sequence[Rejected]:
        """Those that were quarantined."""


def applied(db: Connection, ids: Sequence[str], results: Sequence[Result], now: datetime) -> bool:
    """Record what came of batches, in the transaction that applies them.

    False if one of them has been applied or parked before: what was done must then be rolled back.
    """
    columns = {"id": "text", **dict.fromkeys(_COUNTS, "integer"), "problems": "text"}
    recorded = execute_rows(
        db,
        """
        INSERT INTO batches (id, state, starts, started_at, finished_at,
            received, applied, duplicates, quarantined, waiting, problems)
        SELECT id, 'applied', 1, :now, :now,
            received, applied, duplicates, quarantined, waiting, problems
        FROM {rows} WHERE true ORDER BY id
        ON CONFLICT (id) DO UPDATE SET state = 'applied', finished_at = excluded.finished_at,
            received = excluded.received, applied = excluded.applied,
            duplicates = excluded.duplicates, quarantined = excluded.quarantined,
            waiting = excluded.waiting, problems = excluded.problems, payload = NULL, error = NULL
        WHERE batches.state = 'started'
        RETURNING id
        """,
        columns,
        [
            (id_, *attrgetter(*_COUNTS)(one.counts), _kept(one.rejected))
            for id_, one in zip(ids, results, strict=True)
        ],
        now=now,
    )
    return len(recorded.all()) == len(ids)


def _kept(rejected: Sequence[Rejected]) -> str | None:
    return msgspec.json.encode(rejected).decode() if rejected else None


def park(db: Connection, id_: str, events: Sequence[Any], error: str, now: datetime) -> None:
    """Put a batch aside, whole, with what went wrong last."""
    db.execute(
        update(batches)
        .where(batches.c.id == id_, batches.c.state != BatchState.APPLIED)
        .values(
            state=BatchState.PARKED,
            finished_at=now,
            error=error,
            payload=json.dumps(events),
        )
    )


def parked_events(db: Connection) -> list[tuple[str, list[Any]]]:
    """Ids and events of the parked batches, oldest first."""
    found = db.execute(
        select(batches.c.id, batches.c.payload)
        .where(batches.c.payload.is_not(None))
        .order_by(batches.c.started_at)
    ).all()
    return [(id_, json.loads(payload)) for id_, payload in found]


def restart(db: Connection, id_: str) -> None:
    """Let a parked batch start again. It keeps its events, and counts as parked, until applied."""
    db.execute(
        update(batches)
        .where(batches.c.id == id_, batches.c.state == BatchState.PARKED)
        .values(state=BatchState.STARTED, starts=0, finished_at=None)
    )


def read(db: Connection, ids: Sequence[str]) -> list[Batch]:
    """The rows of those batches that have been started."""
    found = db.execute(select(batches).where(batches.c.id.in_(ids))).mappings()
    return [_batch(dict(row)) for row in found]


def _batch(row: Mapping[str, Any]) -> Batch:
    return Batch(
        row["id"],
        BatchState(row["state"]),
        row["starts"],
        Counts(*(row[name] or 0 for name in _COUNTS)),
        tuple(msgspec.json.decode(row["problems"] or "[]", type=list[Rejected])),
        row["error"],
    )


def parked(db: Connection) -> Sequence[tuple[str, str | None]]:
    """Ids of the parked batches and what went wrong with each."""
    found = db.execute(
        select(batches.c.id, batches.c.error)
        .where(batches.c.payload.is_not(None))
        .order_by(batches.c.started_at)
    )
    return [(id_, error) for id_, error in found]
