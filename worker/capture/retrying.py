"""Takes in again what is in quarantine, once a mapping or a rule of the sender's has been mended.

What came as another's message is mapped anew. What is applied leaves quarantine after that, in a
transaction of its own: should it not come to that, it is a duplicate the next time.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine

from worker.capture import hooks, segment
from worker.capture.taking import Taken, take
from worker.core.events import Quarantined
from worker.core.mapping import Capture
from worker.importing import faults
from worker.importing import taking as importing
from worker.intake.arrivals import BatchResult
from worker.running.decoding import value_of
from worker.store import quarantine
from worker.store.database import writing
from worker.store.quarantine import Kept

AT_ONCE = 200
"""Quarantined events that are taken in again in one batch."""

Ingest = Callable[[str, list[Any]], BatchResult]
"""Applies a batch of events under an id, as a worker does."""


@dataclass(frozen=True, slots=True)
class Retried:
    """What came of it: how many left quarantine, and how many are still in it."""

    taken_in: int = 0
    remain: int = 0

    def __add__(self, other: "Retried") -> "Retried":
        return Retried(self.taken_in + other.taken_in, self.remain + other.remain)


def retry(
    engine: Engine, entries: Iterable[Kept], capture: Capture, now: datetime, ingest: Ingest
) -> Iterator[Retried]:
    """Take entries in again, a batch at a time; what each batch came to."""
    for some in _parts(entries):
        events: list[Any] = []
        owners: list[str] = []
        done: list[str] = []
        for one in some:
            taken = again(one, capture, now)
            if taken.refused:
                continue
            done.append(one.id)
            events += taken.events
            owners += [one.id] * len(taken.events)
        bad: set[str] = set()
        if events:
            result = ingest(str(uuid4()), events)
            bad = {owners[rejected.index] for rejected in result.rejected}
        out = [id_ for id_ in done if id_ not in bad]
        with writing(engine) as db:
            quarantine.remove(db, out)
        yield Retried(len(out), len(some) - len(out))


def again(one: Kept, capture: Capture, now: datetime) -> Taken:
    """What an entry becomes now: its events, or its problems once more."""
    message, source = _read(one.body), one.source or ""
    if one.way == segment.WAY:
        return segment.take([message], source, capture, now, one.received_at)
    if one.way.startswith(hooks.WAY):
        hook = capture.hooks.get(one.way.removeprefix(hooks.WAY))
        if hook is None:  # there is no such hook any more
            return _still(one)
        people, sent_as = capture.people, one.event_id
        return hooks.take([message], source, hook, people, now, sent_as, one.received_at)
    if one.way.startswith(faults.WAY):
        mapping = capture.imports.get(one.way.removeprefix(faults.WAY))
        became = mapping and importing.again(one.body, source, mapping, capture.people, now)
        return Taken(list(became.events)) if became and not became.faults else _still(one)
    return take([message], source, capture.people, now)


def _still(one: Kept) -> Taken:
    return Taken(refused=[Quarantined(one.source, one.event_id, one.problems, one.body)])


def _parts(entries: Iterable[Kept]) -> Iterator[Sequence[Kept]]:
    part: list[Kept] = []
    for one in entries:
        part.append(one)
        if len(part) >= AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _read(body: str) -> Any:
    try:
        return value_of(body.encode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return body
