"""Applies batches of events in one transaction: from the event log to the outbox."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from sqlalchemy import Connection

from worker.core.additions import Additions, additions, earliest
from worker.core.contents import Rep
from worker.core.events import Event, Quarantined
from worker.core.flags import evaluation_date
from worker.core.stats import Workspace
from worker.evaluating.closing import close_groundless
from worker.evaluating.evaluation import prepare
from worker.intake.arrivals import Batch, BatchResult, results_of
from worker.intake.listening import Heard, hear
from worker.rulebooks.rulebook import OtherRules, Rulebook
from worker.store import addressed, batches, event_log, merges, sources, workspace
from worker.store.fold import fold
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
    merges.take_turn(db, alone, merges.PATIENCE)
    kept = cache(workspace.ask(db))
    if alone:  # it may take long: known at once, no rule set is waited for in vain
        _see_in_force(kept(), book)
    heard = hear(db, given, conflicts, kept, now, alone)

    def merged() -> bool:
        return heard.say_more or kept().merged

    order = heard.order(conflicts)
    logged = _log(db, heard, order, now, merged)
    if in_vain := heard.in_vain(logged.conflicts):
        raise WasHeard(in_vain)
    bad = {**conflicts, **logged.conflicts, **logged.bad}
    added = logged.added
    if heard.readings:
        added = additions(addressed.as_of_each(db, logged.fresh, heard.readings, merged()))
    refused = [one for batch in given for one in batch.refused]
    if bad or refused:
        event_log.quarantine(db, [*bad.values(), *refused], now)
    alerts, announced = 0, 0
    if logged.fresh or heard.reread.accounts:
        alerts, announced = _take_effect(db, added, kept(), book, now, heard)
    results = results_of(
        given, [*order, *conflicts], logged.places, bad, heard.waiting, heard.words
    )
    results[0] = replace(
        results[0],
        alerts=alerts,
        announced=announced,
        unreleased=heard.unreleased,
        behind=heard.behind,
    )
    if not batches.applied(db, [batch.id for batch in given], results, now):
        raise IsDone
    return results


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
    db: Connection, heard: Heard, order: Sequence[int], now: datetime, merged: Callable[[], bool]
) -> _Logged:
    """Read the events at these places and log them, a part while the next is being read. `merged`
    says whether any accounts or contacts have been."""
    events: list[Event] = []
    places: list[int] = []
    bad: dict[int, Quarantined] = {}
    appending = []
    for start in range(0, len(order), AT_ONCE):
        begin = len(events)
        for place in order[start : start + AT_ONCE]:
            match heard.read(place, now):
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


def _see_in_force(kept: Kept, book: Rulebook) -> None:
    if kept.rules not in (None, book.digest):
        raise OtherRules(kept.rules)


def _take_effect(
    db: Connection,
    add: Additions,
    kept: Kept,
    book: Rulebook,
    now: datetime,
    heard: Heard,
) -> tuple[int, int]:
    """Fold what the new events add, and evaluate the accounts that it changes, and those that were
    read anew; returns the numbers of alerts and of messages to webhooks."""
    reread = heard.reread
    _see_in_force(kept, book)
    if kept.half_life != book.ties.half_life:
        calibrate(db, book.ties.half_life)
    sources.note(db, add.delivered)
    on = evaluation_date(kept.last_sweep_on, now)
    began = kept.first_interaction_day
    folded = fold(db, add, book.ties.half_life, on, book.facts, began)
    changed = folded.accounts
    if reread.accounts:
        changed = sorted({*changed, *reread.accounts})
    lost = reread.left - {*reread.put_off}
    ended = close_groundless(db, lost, on, book, now) if lost else None
    if heard.backfill or not changed:
        folded.rest()()
        return (ended.alerts, ended.announced) if ended else (0, 0)
    world = Workspace(earliest(began, add.first_interaction_day), kept.gone_reps, book.ties)
    of_reps = any(isinstance(event.data, Rep) for event in add.attributes)
    evaluation = prepare(db, changed, on, book, now, None if of_reps else world)
    finish = folded.rest()
    done = evaluation()
    finish()
    if ended is None:
        return done.alerts, done.announced
    return done.alerts + ended.alerts, done.announced + ended.announced
