"""Applies batches of events in one transaction: from the event log to the outbox."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from itertools import accumulate

from sqlalchemy import Connection

from worker.closing import close_groundless
from worker.core.events import ALIAS, MEMBER, Event, Quarantined, Rep, parse
from worker.core.flags import evaluation_date
from worker.core.merges import Claim, Key, claims_in
from worker.core.stats import Additions, Workspace, additions, earliest
from worker.evaluation import prepare
from worker.rulebook import OtherRules, Rulebook
from worker.store import (
    addressed,
    batches,
    claims,
    event_log,
    holdings,
    members,
    merges,
    rereading,
    sources,
    workspace,
)
from worker.store.batches import Counts, Rejected
from worker.store.fold import fold
from worker.store.holdings import NONE, Changes
from worker.store.merges import MustBeAlone
from worker.store.rebuilding import Rebuilt, rebuild
from worker.store.ties import calibrate
from worker.store.workspace import Kept

AT_ONCE = 125
"""Events that are read and sent to the log at a time."""


class IsDone(Exception):
    """A batch has been applied or parked before: what was begun is to be rolled back."""


class WasHeard(Exception):
    """Events that turned out to be conflicting duplicates, by their places, have been listened to:
    what they say of others is to have no effect either."""

    def __init__(self, conflicts: Mapping[int, Quarantined]) -> None:
        super().__init__()
        self.conflicts = conflicts


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it comes. Its events are decoded JSON values; `refused` came with them and had
    problems before it was an event. A `backfill` is history: no rules are evaluated, a sweep does
    that once, when it is all in. With `releasing` events are applied besides that have waited."""

    id: str
    events: Sequence[object]
    refused: Sequence[Quarantined] = ()
    backfill: bool = False
    releasing: bool = False


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What came of a batch. `alerts` is the number of outbox rows that its events led to,
    `announced` that of messages to webhooks. With `unreleased` it has said whose more events are
    than could be applied with it: `releasing.release` goes on with them. Of batches applied as one,
    the first has all of these."""

    counts: Counts
    rejected: tuple[Rejected, ...]
    alerts: int = 0
    announced: int = 0
    parked: str | None = None
    unreleased: bool = False


def apply(
    db: Connection,
    given: Sequence[Batch],
    book: Rulebook,
    now: datetime,
    conflicts: Mapping[int, Quarantined],
    *,
    alone: bool,
) -> list[BatchResult]:
    """Apply batches as one, and say what came of each; they are all history, or none is.

    `now` is the time of receipt. `conflicts` are known to be conflicting duplicates, by their
    places among all events. `alone` says that nothing else is being applied until this transaction
    ends.

    Raises:
        IsDone: one of them has been applied or parked before.
        MustBeAlone: they say what may only be said when nothing else is being applied.
        OtherRules: other rules are in force.
        WasHeard: there are more conflicting duplicates.
    """
    releasing = any(batch.releasing for batch in given)
    if releasing and not alone:
        raise MustBeAlone
    merges.take_turn(db, alone)
    kept = cache(workspace.ask(db))
    events = [one for batch in given for one in batch.events]
    heard = [None if place in conflicts else one for place, one in enumerate(events)]
    settled = members.settle(db, heard, now, alone)
    mailed = addressed.settle(
        db,
        settled.events,
        settled.accounts,
        now,
        alone,
        _held_anew(db, settled.left),
        backfill=given[0].backfill,
        releasing=releasing,
    )
    said = claims_in(_claiming(settled, now))
    news = claims.news(db, list(said.values())) if said else []
    if news and not alone:
        raise MustBeAlone
    reread = Rebuilt()
    if (left := settled.left | mailed.left) or news:
        reread = _reread(db, left, said, news, kept(), now)
    waiting = {*settled.waiting, *mailed.waiting}
    aside = waiting | conflicts.keys()
    order = sorted(
        (place for place in range(len(mailed.events)) if place not in aside),
        key=lambda place: (_key(mailed.events[place]), place < len(events)),  # what waited is first
    )
    known: Mapping[int, Event | Quarantined] = {
        **mailed.logged,
        **mailed.refused,
        **settled.refused,
    }

    def read(place: int) -> Event | Quarantined:
        return known.get(place) or parse(mailed.events[place], now, settled.accounts.get(place))

    merged = partial(_is_merged, bool(left or news), kept)
    logged = _log(db, order, read, merged)
    # Those beyond were released by what others say: they are listened to when they come.
    given_in_vain = {
        place: one
        for place, one in [*logged.conflicts.items(), *settled.conflicts()]
        if place < len(events) and _is_heard(events[place])
    }
    if given_in_vain:
        raise WasHeard(given_in_vain)
    bad = {**conflicts, **logged.conflicts, **logged.bad}
    added = logged.added
    if mailed.readings:
        added = additions(addressed.as_of_each(db, logged.fresh, mailed.readings, merged()))
    refused = [one for batch in given for one in batch.refused]
    if bad or refused:
        event_log.quarantine(db, [*bad.values(), *refused], now)
    alerts, announced = 0, 0
    if logged.fresh or reread.accounts:
        alerts, announced = _take_effect(db, added, kept(), book, now, given[0].backfill, reread)
    results = _results(given, [*order, *conflicts], logged.places, bad, waiting)
    results[0] = replace(
        results[0], alerts=alerts, announced=announced, unreleased=mailed.unreleased
    )
    if not batches.applied(db, [batch.id for batch in given], results, now):
        raise IsDone
    return results


def _is_merged(by_these: bool, kept: Callable[[], Kept]) -> bool:
    """Whether accounts or contacts have been merged: by the batches at hand, or ever."""
    return by_these or kept().merged


@dataclass(frozen=True, slots=True)
class _Logged:
    """The events that are new and their places, what they add, and by their places those with a
    problem, and conflicting duplicates."""

    fresh: Sequence[Event]
    places: Sequence[int]
    added: Additions
    bad: Mapping[int, Quarantined]
    conflicts: Mapping[int, Quarantined]


def _log(
    db: Connection,
    order: Sequence[int],
    read: Callable[[int], Event | Quarantined],
    merged: Callable[[], bool],
) -> _Logged:
    """Read the events at these places and log them, a part while the next is being read."""
    events: list[Event] = []
    places: list[int] = []
    bad: dict[int, Quarantined] = {}
    appending = []
    for start in range(0, len(order), AT_ONCE):
        begin = len(events)
        for place in order[start : start + AT_ONCE]:
            match read(place):
                case Event() as event:
                    events.append(event)
                    places.append(place)
                case Quarantined() as one:
                    bad[place] = one
        if merged():
            events[begin:] = merges.attributed(db, events[begin:])
        appending.append((begin, event_log.append(db, events[begin:])))
    added = additions(events)  # as if all were new, while the last of them are being logged
    fresh: list[Event] = []
    conflicts: dict[int, Quarantined] = {}
    for begin, appended in appending:
        new, found = appended()
        fresh += new
        conflicts |= {places[begin + index]: one for index, one in found.items()}
    if len(fresh) == len(events):
        return _Logged(fresh, places, added, bad, conflicts)
    known = set(map(id, fresh))
    fresh_at = [at for at, event in zip(places, events, strict=True) if id(event) in known]
    return _Logged(fresh, fresh_at, additions(fresh), bad, conflicts)


def _results(
    given: Sequence[Batch],
    taken: Sequence[int],
    fresh: Sequence[int],
    bad: Mapping[int, Quarantined],
    waiting: Collection[int],
) -> list[BatchResult]:
    """What came of each batch, by the places of the events that were taken in, of those that were
    new, of those that are in quarantine, and of those that wait. Events released by them all count
    as the last one's.
    """
    numbers = [number for number, batch in enumerate(given) for _ in batch.events]
    starts = list(accumulate((len(batch.events) for batch in given), initial=0))
    given_events = len(numbers)
    numbers += [len(given) - 1] * (1 + max(taken, default=0) - given_events)
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


def _key(raw: object) -> tuple[str, str]:
    """What events are logged in order of, everywhere: two batches that hold the same new ones then
    wait for each other, not deadlock."""
    if not isinstance(raw, dict):
        return "", ""
    return str(raw.get("source")), str(raw.get("id"))


def _held_anew(db: Connection, left: Collection[str]) -> Changes:
    """Let members who have left these accounts take along the addresses that they hold."""
    if not left:
        return NONE
    logged_as = merges.survivors_of(db, left)
    return holdings.remake(db, left, rereading.holding(db, logged_as))


def _is_heard(raw: object) -> bool:
    """Whether an event is listened to before it is logged, for what it says of others."""
    return isinstance(raw, dict) and (MEMBER in raw or ALIAS in raw or addressed.is_heard(raw))


def _claiming(settled: members.Settled, now: datetime) -> Iterator[Event]:
    """The events that say that two contacts are one."""
    for place, one in enumerate(settled.events):
        if isinstance(one, dict) and ALIAS in one and place not in settled.waiting:
            event = parse(one, now, settled.accounts.get(place))
            if isinstance(event, Event):
                yield event


def _reread(
    db: Connection,
    left: Iterable[str],
    said: Mapping[Key, Claim],
    news: Collection[Claim],
    kept: Kept,
    now: datetime,
) -> Rebuilt:
    """Bring what is known in line with what this batch says of earlier events: that members are of
    other accounts than these, and that contacts are one."""
    accounts = merges.survivors_of(db, left)
    accounts |= claims.concerned(db, news)
    claims.note(db, news, now)
    if not accounts:
        return Rebuilt()
    on = evaluation_date(kept.last_sweep_on, now)
    return rebuild(db, accounts, (), kept.half_life, on, now, said)


def _take_effect(
    db: Connection,
    add: Additions,
    kept: Kept,
    book: Rulebook,
    now: datetime,
    backfill: bool,
    reread: Rebuilt,
) -> tuple[int, int]:
    """Fold what the new events add, and evaluate the accounts that it changes, and those that were
    read anew; returns the numbers of alerts and of messages to webhooks."""
    if kept.rules not in (None, book.digest):
        raise OtherRules(kept.rules)
    if kept.half_life != book.ties.half_life:
        calibrate(db, book.ties.half_life)
    sources.note(db, add.delivered)
    on = evaluation_date(kept.last_sweep_on, now)
    began = kept.first_interaction_day
    folded = fold(db, add, book.ties.half_life, on, book.facts, began)
    changed = folded.accounts
    if reread.accounts:
        changed = sorted({*changed, *reread.accounts})
    if backfill or not changed:
        folded.rest()()
        return 0, 0
    world = Workspace(earliest(began, add.first_interaction_day), kept.gone_reps, book.ties)
    of_reps = any(isinstance(event.data, Rep) for event in add.attributes)
    ended = close_groundless(db, reread.left, on, book, now) if reread.left else None
    evaluation = prepare(db, changed, on, book, now, None if of_reps else world)
    finish = folded.rest()
    done = evaluation()
    finish()
    if ended is None:
        return done.alerts, done.announced
    return done.alerts + ended.alerts, done.announced + ended.announced
