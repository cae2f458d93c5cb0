"""Takes a batch of events in: one transaction from the event log to the outbox."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine

from worker.closing import close_groundless
from worker.core.events import ALIAS, MEMBER, Event, Quarantined, Rep, parse
from worker.core.merges import Claim, Key, claims_in
from worker.core.stats import Additions, Workspace, additions, earliest
from worker.evaluation import prepare
from worker.rulebook import OtherRules, Rulebook
from worker.store import (
    addressed,
    batches,
    claims,
    event_log,
    members,
    merges,
    sources,
    workspace,
)
from worker.store.batches import BatchState, Counts, Rejected
from worker.store.database import reading, writing
from worker.store.dialect import commit_without_waiting, pipelined
from worker.store.fold import fold
from worker.store.merges import MustBeAlone
from worker.store.rebuilding import Rebuilt, rebuild
from worker.store.ties import calibrate
from worker.store.workspace import Kept

MAX_STARTS = 5
"""Starts of a batch after which it is parked: one of its events may kill whoever takes it in."""


AT_ONCE = 125
"""Events that are read and sent to the log at a time."""


class TryAgain(Exception):
    """The batch could not be applied now; the same batch may be later."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What came of a batch. `alerts` is the number of outbox rows that its events led to,
    `announced` that of messages to webhooks."""

    counts: Counts
    rejected: tuple[Rejected, ...]
    alerts: int = 0
    announced: int = 0
    parked: str | None = None


def ingest(
    engine: Engine,
    batch: str,
    raw: Sequence[object],
    book: Rulebook,
    now: datetime,
    *,
    backfill: bool = False,
    again: bool = False,
    refused: Sequence[Quarantined] = (),
) -> BatchResult:
    """Apply a batch once, however often it comes: log, stats, facts, rules, flags, outbox.

    `raw` are decoded JSON values, `now` is the time of receipt. With `backfill` no rules are
    evaluated: a sweep does that once, when the whole history is in. `again` says that its message
    has been handed out before: its starts are then counted, and at more than `MAX_STARTS` without
    a result the batch is parked, whole. `refused` is what came with it and had problems before it
    was an event: it goes to quarantine as it came.

    Raises:
        OtherRules: other rules are in force; nothing was done.
        TryAgain: when it failed, and is not parked yet.
    """
    starts = 1
    try:
        if again:
            starts = _count_start(engine, batch, now)
        if starts > MAX_STARTS:
            return _park(engine, batch, raw, refused, "its worker died each time", now)
        return _begun_again(engine, batch, raw, refused, book, now, backfill)
    except _IsDone:
        return _result(engine, batch, len(raw))
    except (OtherRules, TryAgain):
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {error}"[:2_000]
        if starts >= MAX_STARTS:
            return _park(engine, batch, raw, refused, told, now)
        raise TryAgain(told) from error


class _IsDone(Exception):
    """The batch has been applied or parked before: what was begun is rolled back."""


class _WasHeard(Exception):
    """Events that turned out to be conflicting duplicates, by their places, have been listened to:
    what they say of others is to have no effect either."""

    def __init__(self, conflicts: Mapping[int, Quarantined]) -> None:
        super().__init__()
        self.conflicts = conflicts


def _begun_again(
    engine: Engine,
    batch: str,
    raw: Sequence[object],
    refused: Sequence[Quarantined],
    book: Rulebook,
    now: datetime,
    backfill: bool,
) -> BatchResult:
    """Apply a batch, begun again with what is found out on the way: that nobody else may be at work
    meanwhile, and which of its events are conflicting duplicates."""
    alone, conflicts = False, dict[int, Quarantined]()
    while True:
        try:
            with writing(engine) as db, nullcontext() if alone else pipelined(db):
                return _apply(db, batch, raw, refused, book, now, backfill, alone, conflicts)
        except MustBeAlone:
            alone = True
        except _WasHeard as found:
            conflicts |= found.conflicts


def _result(engine: Engine, batch: str, received: int) -> BatchResult:
    """What came of a batch that is done."""
    with reading(engine) as db:
        (row,) = batches.read(db, [batch])
    if row.state is BatchState.PARKED:
        return BatchResult(Counts(received), (), parked=row.error)
    return BatchResult(row.counts, row.rejected)


def _count_start(engine: Engine, batch: str, now: datetime) -> int:
    """Count one more start where it stays counted, should this process end with the batch."""
    with writing(engine) as db, pipelined(db):
        commit_without_waiting(db)
        return batches.count_start(db, batch, now)


def _apply(
    db: Connection,
    batch: str,
    raw: Sequence[object],
    refused: Sequence[Quarantined],
    book: Rulebook,
    now: datetime,
    backfill: bool,
    alone: bool,
    conflicts: Mapping[int, Quarantined],
) -> BatchResult:
    merges.take_turn(db, alone)
    asked = workspace.ask(db)
    given = len(raw)
    raw = [None if place in conflicts else one for place, one in enumerate(raw)]
    settled = members.settle(db, raw, now, alone)
    mailed = addressed.settle(db, settled.events, settled.accounts, now, alone)
    raw, waiting = mailed.events, settled.waiting | mailed.waiting
    said = claims_in(_claiming(settled, now))
    news = claims.news(db, list(said.values())) if said else []
    if news and not alone:
        raise MustBeAlone
    kept: Kept | None = None
    reread = Rebuilt()
    if (left := settled.left | mailed.left) or news:
        kept = asked()._replace(merged=True)
        reread = _reread(db, left, said, news, kept, now)
    events: list[Event] = []
    places: list[int] = []
    bad = dict(conflicts)
    appending = []
    order = sorted(
        (place for place in range(len(raw)) if place not in waiting and place not in conflicts),
        key=lambda place: _key(raw[place]),
    )
    for start in range(0, len(order), AT_ONCE):  # the database logs a part while we read the next
        begin = len(events)
        for place in order[start : start + AT_ONCE]:
            known = mailed.logged.get(place) or mailed.refused.get(place)
            match known or parse(raw[place], now, settled.accounts.get(place)):
                case Event() as event:
                    events.append(event)
                    places.append(place)
                case Quarantined() as one:
                    bad[place] = one
        kept = kept or asked()
        if kept.merged:
            events[begin:] = merges.attributed(db, events[begin:])
        appending.append((begin, event_log.append(db, events[begin:], batch)))
    add = additions(events)
    fresh: list[Event] = []
    found: dict[int, Quarantined] = {}
    for begin, appended in appending:
        new, conflicting = appended()
        fresh += new
        found |= {places[begin + index]: one for index, one in conflicting.items()}
    if heard := {place: one for place, one in found.items() if _is_heard(raw[place])}:
        raise _WasHeard(heard)
    bad |= found
    if mailed.readings:
        merged = kept is not None and kept.merged
        add = additions(addressed.as_of_each(db, fresh, mailed.readings, merged))
    elif len(fresh) < len(events):
        add = additions(fresh)
    if bad or refused:
        event_log.quarantine(db, [*bad.values(), *refused], batch, now)
    alerts, announced = 0, 0
    if kept is not None and (fresh or reread.accounts):
        alerts, announced = _take_effect(db, add, kept, book, now, backfill, reread)
    received = len(order) + len(conflicts)
    counts = Counts(
        received=received + len(refused),
        applied=len(fresh),
        duplicates=received - len(fresh) - len(bad),
        quarantined=len(bad) + len(refused),
    )
    rejected = [
        Rejected(i, one.source, one.id, one.problems) for i, one in sorted(bad.items()) if i < given
    ]
    if not batches.applied(db, batch, counts, rejected, now):
        raise _IsDone
    return BatchResult(counts, tuple(rejected), alerts, announced)


def _key(raw: object) -> tuple[str, str]:
    """What events are logged in order of, everywhere: two batches that hold the same new ones then
    wait for each other, not deadlock."""
    if not isinstance(raw, dict):
        return "", ""
    return str(raw.get("source")), str(raw.get("id"))


def _is_heard(raw: Any) -> bool:
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
    accounts = {merges.survivor_of(db, account) for account in left}
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


def evaluation_date(last_sweep_on: date | None, now: datetime) -> date:
    """Today, or the date of the last sweep if that is later: flags never go back in time."""
    return max(now.date(), last_sweep_on or now.date())


def _park(
    engine: Engine,
    batch: str,
    raw: Sequence[object],
    refused: Sequence[Quarantined],
    error: str,
    now: datetime,
) -> BatchResult:
    try:
        with writing(engine) as db:
            batches.park(db, batch, raw, error, now)
            if refused:
                event_log.quarantine(db, refused, batch, now)
    except Exception as trouble:
        raise TryAgain(f"{error}; it could not be parked: {trouble}") from trouble
    return BatchResult(Counts(len(raw)), (), parked=error)
