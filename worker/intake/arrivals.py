"""Batches as they arrive, and what came of each when several are applied as one."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from worker.core.events import Quarantined
from worker.store.batches import Counts, Rejected


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it comes. Its events are decoded JSON values; `refused` came with them and had
    problems before it was an event. A `backfill` is history: no rules are evaluated, a sweep does
    that once, when it is all in. With `releasing` it has none of its own: events are applied that
    have waited, and whether those are history is found out with them. With `catching_up` an account
    is made anew that is behind (`store.behind`), however large it is."""

    id: str
    events: Sequence[object]
    refused: Sequence[Quarantined] = ()
    backfill: bool = False
    releasing: bool = False
    catching_up: bool = False


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What came of a batch. `alerts` is the number of outbox rows that its events led to,
    `announced` that of messages to webhooks. With `unreleased` it has said whose more events are
    than could be applied with it: `releasing.release` goes on with them; with `behind` that
    accounts are to be made anew: `catching_up.catch_up` does. Of batches applied as one, the first
    has all of these."""

    counts: Counts
    rejected: tuple[Rejected, ...]
    alerts: int = 0
    announced: int = 0
    parked: str | None = None
    unreleased: bool = False
    behind: bool = False


def results_of(
    given: Sequence[Batch],
    taken: Sequence[int],
    fresh: Sequence[int],
    bad: Mapping[int, Quarantined],
    waiting: Collection[int],
    words: Sequence[int | None],
) -> list[BatchResult]:
    """What came of each batch, by the places of the events that were taken in, of those that were
    new, of those that are in quarantine, and of those that wait.

    Events that were released, of whom `words` says the places of the events that they had waited
    for, count for the batch of that; for the last one where it is none of theirs.
    """
    numbers = [number for number, batch in enumerate(given) for _ in batch.events]
    starts = list(accumulate((len(batch.events) for batch in given), initial=0))
    given_events = len(numbers)
    for word in words:  # which may have been released itself, before
        numbers.append(len(given) - 1 if word is None else numbers[word])
    received = Counter(map(numbers.__getitem__, taken))
    applied = Counter(map(numbers.__getitem__, fresh))
    rejected: list[list[Rejected]] = [[] for _ in given]
    quarantined = Counter(map(numbers.__getitem__, bad))
    waits = Counter(numbers[place] for place in waiting if place < given_events)
    for place, one in sorted(bad.items()):
        if place < given_events:
            number = numbers[place]
            index = place - starts[number]
            rejected[number].append(Rejected(index, one.source, one.id, one.problems))
    return [
        BatchResult(
            Counts(
                received=received[number] + len(batch.refused),
                applied=applied[number],
                duplicates=received[number] - applied[number] - quarantined[number],
                quarantined=quarantined[number] + len(batch.refused),
                waiting=waits[number],
            ),
            tuple(rejected[number]),
        )
        for number, batch in enumerate(given)
    ]
