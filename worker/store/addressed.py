"""Events that name people by their addresses: whose they are, and those that wait to be told.

Part of an event's people may be known and part not: then it is applied as of those, and waits for
the others besides. What holdings change is read anew (`rebuilding.rebuild`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from worker.core.events import MEMBER, Event, Quarantined, parse, same_content
from worker.core.identity import Reading, combined
from worker.core.problems import as_json
from worker.core.sorting import NAMING, by_email
from worker.store import disputes, holdings, waiting
from worker.store.dialect import execute_rows
from worker.store.event_log import conflict, digest
from worker.store.holdings import NONE, Changes
from worker.store.merges import attributed, survivors_of
from worker.store.readings import as_event, logged_as, readings, settling
from worker.store.released import Released, release
from worker.store.tables import waiting_mails
from worker.store.waiting import Waiting

_EVENT = {"source": "text", "id": "text"}
_HOLDERS = ("account", "contact", "rep")
_HELD = ("domains", "emails", "email")


@dataclass(slots=True)
class Settled:
    """A batch, after its `events` those released that waited for what it says.

    By their places: `logged` are those that name people by their addresses, for the log;
    `waiting` those of whose people nothing is known, `refused` those with a problem. `readings`
    say what those logged come to for each account, by (source, id). What is of the accounts in
    `left` has to be read anew. `words` are the places of the events that those released have waited
    for, none where it is not one of them. With `unreleased` there is more that waited, for the next
    step. `disputed` is by what it may be settled whose those are that are refused for that.
    """

    events: Sequence[Any]
    logged: dict[int, Event] = field(default_factory=dict)
    readings: dict[tuple[str, str], list[Event]] = field(default_factory=dict)
    waiting: set[int] = field(default_factory=set)
    refused: dict[int, Quarantined] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    words: Sequence[int | None] = ()
    unreleased: bool = False
    disputed: dict[int, set[str]] = field(default_factory=dict)


def settle(
    db: Connection,
    raw: Sequence[Any],
    members: Mapping[int, str],
    now: datetime,
    alone: bool,
    moved: Changes = NONE,
    *,
    backfill: bool = False,
    releasing: bool = False,
) -> Settled:
    """Find the accounts of events that name people by their addresses; keep those that must wait.

    `raw` are decoded JSON values, `members` the accounts of those that name a member, by place.
    `moved` is what is held otherwise since members have gone to other accounts. With `backfill` no
    rules are evaluated for what is released; with `releasing` that is what has waited for a word
    that came before.

    Raises:
        MustBeAlone: others hold domains or addresses from now on, and batches may be at work.
    """
    told, mailed = [], []
    for place, one in enumerate(raw):  # a quick look: there are neither in most batches
        if not isinstance(one, dict):
            continue
        if names_by_email(one):
            mailed.append(place)
        elif _says_what_is_held(one):
            told.append(place)
    settled = Settled(raw)
    if not told and not mailed and not moved.keys and not releasing:
        return settled
    said = {place: parse(raw[place], now, members.get(place)) for place in told}
    events = {place: one for place, one in said.items() if isinstance(one, Event)}
    changes = moved | holdings.note(db, list(events.values()), alone)
    keys: Sequence[str] = ()
    if changes.keys:
        settled.left |= holdings.concerned(db, changes) | disputes.accounts_of(db, changes.keys)
        holdings.forget_addresses_of_reps(db, changes)
        keys = waiting.claim(db, changes.keys, backfill)
    elif releasing:
        keys = waiting.claimed(db, backfill)
    _take_over(db, settled, release(db, keys, events, now))
    mailed = [*range(len(raw), len(settled.events)), *mailed]  # what waited has come first
    if to_wait := list(_read_new(db, settled, mailed, now)):
        waiting.keep(db, to_wait, now)
    _refuse_other_versions(db, settled, [place for place in mailed if place < len(raw)])
    refused = settled.refused
    disputes.note(db, {digest(refused[place]): keys for place, keys in settled.disputed.items()})
    return settled


def _take_over(db: Connection, settled: Settled, released: Released) -> None:
    settled.events = [*settled.events, *released.events]
    settled.words = released.words
    settled.left |= released.left
    settled.unreleased = released.more
    if released.more:
        waiting.note_reread(db, survivors_of(db, settled.left))


def _read_new(
    db: Connection, settled: Settled, places: Sequence[int], now: datetime
) -> Iterator[Waiting]:
    """Read what comes for the first time."""
    asked: list[tuple[Event, Any, Collection[str]]] = []
    read_at: list[int] = []
    standing: dict[tuple[str, str], str] = {}
    for place in places:
        match as_event(settled.events[place], now):
            case Event() as event:
                first = standing.setdefault((event.source, event.id), event.body)
                if not same_content(first, event.body):
                    settled.refused[place] = conflict(event.source, event.id, event.body)
                    continue
                asked.append((event, settled.events[place], ()))
                read_at.append(place)
            case Quarantined() as bad:
                settled.refused[place] = bad
    told = readings(db, asked)
    untold = [event for (event, *_), one in zip(asked, told, strict=True) if not _is_told(one)]
    logged = logged_as(db, untold)
    for place, (event, raw, _), reading in zip(read_at, asked, told, strict=True):
        account = logged.get((event.source, event.id))
        if account is not None:  # it has been applied, and is a duplicate
            settled.logged[place] = msgspec.structs.replace(event, account=account)
            continue
        if reading.problems:
            problems = tuple(reading.problems)
            settled.refused[place] = Quarantined(event.source, event.id, problems, as_json(raw))
            if reading.disputed:
                settled.disputed[place] = settling(raw, reading)
            continue
        if reading.events:
            account = min(reading.events)
            settled.logged[place] = msgspec.structs.replace(event, account=account)
            parts = list(reading.events.values())
            settled.readings.setdefault((event.source, event.id), parts)
        else:
            settled.waiting.add(place)
        if reading.unknown:
            yield Waiting(raw, bool(reading.events), reading.unknown)


def _is_told(reading: Reading) -> bool:
    """Whether it can be applied, if only as of some of its people."""
    return bool(reading.events) and not reading.problems


def _refuse_other_versions(db: Connection, settled: Settled, places: Sequence[int]) -> None:
    """Let the first version of an event stand, where it waits: the others go to quarantine."""
    came = {place: settled.events[place] for place in places if place not in settled.refused}
    for place, refused in waiting.conflicts(db, waiting_mails, came).items():
        settled.refused[place] = refused
        settled.disputed.pop(place, None)
        settled.waiting.discard(place)
        settled.logged.pop(place, None)


def as_of_each(
    db: Connection,
    fresh: Sequence[Event],
    read: Mapping[tuple[str, str], Sequence[Event]],
    merged: bool,
) -> list[Event]:
    """New events, those with a reading as what it says, one for each account.

    The log names one account; the others are kept beside it. `merged` says whether any accounts or
    contacts have been.
    """
    found: list[Event] = []
    further: list[tuple[str, str, str]] = []
    for event in fresh:
        parts = read.get((event.source, event.id))
        if parts is None:
            found.append(event)
            continue
        now = combined(attributed(db, parts)) if merged else parts
        found += now
        further += [
            (one.source, one.id, one.account)
            for one in now
            if one.account is not None and one.account != event.account
        ]
    share(db, further)
    return found


def share(db: Connection, further: Sequence[tuple[str, str, str]]) -> None:
    """Keep (source, id, account) of events that are of more accounts than the log names."""
    if further:
        execute_rows(
            db,
            "INSERT INTO shared_events (source, id, account) "
            "SELECT source, id, account FROM {rows} WHERE true ON CONFLICT DO NOTHING",
            _EVENT | {"account": "text"},
            sorted(further),
        )


def names_by_email(one: Any) -> bool:
    """Whether a decoded event is to be read by its people's addresses: it is about people, and not
    a member's."""
    return by_email(one) and MEMBER not in one and one.get("type") in NAMING


def is_heard(one: Mapping[str, Any]) -> bool:
    """Whether a decoded event is looked at here: it names people by their addresses, or says whose
    domains and addresses are."""
    return names_by_email(one) or _says_what_is_held(one)


def _says_what_is_held(one: Mapping[str, Any]) -> bool:
    content = one.get("data")
    return (
        one.get("type") in _HOLDERS
        and isinstance(content, dict)
        and not content.keys().isdisjoint(_HELD)
    )
