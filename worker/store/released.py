"""Takes out what has waited for a word on domains and addresses, once there is one: some of it in
each step, in the transaction that applies it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from worker.core.events import Event
from worker.core.identity import Holder, held_by
from worker.store import disputes, holdings, waiting
from worker.store.disputes import Disputed
from worker.store.readings import as_event, logged_as, readings, settling
from worker.store.waiting import Waiting


@dataclass(slots=True)
class Released:
    """Events that have waited, to be applied now.

    `words` are the places of the events that they have waited for, none where those have come
    before. What is of the accounts in `left` has to be read anew, for events that are in the log as
    of others of their people. With `more` further ones wait, for the next step.
    """

    events: Sequence[Any] = ()
    words: Sequence[int | None] = ()
    left: set[str] = field(default_factory=set)
    more: bool = False


def release(
    db: Connection, keys: Collection[str], said: Mapping[int, Event], now: datetime
) -> Released:
    """Take out some of what waits for these domains and addresses, which are claimed
    (`waiting.claim`); `said` has, by their places, the events that say what is held."""
    if not keys:
        return Released()
    released = Released()
    taken = waiting.take_out(db, keys)
    if logged := [one.body for one in taken if one.is_logged]:
        waiting.keep(db, list(_read_again(db, released, logged, now)), now)
    found = [(one.key, one.body) for one in taken if not one.is_logged]
    found += [(one.key, one.raw) for one in _settled(db, keys, now)]
    if found:
        word = _words(db, keys, said)
        released.events = [raw for _, raw in found]
        released.words = [word.get(key) for key, _ in found]
    released.more = waiting.settle_claims(db, keys)
    return released


def _read_again(
    db: Connection, released: Released, logged: Sequence[Any], now: datetime
) -> Iterator[Waiting]:
    """See whose those are by now that have been logged as of some of their people; accounts that
    have all been read anew since that was said need not be so again."""
    events = [(event, raw) for raw in logged if isinstance(event := as_event(raw, now), Event)]
    found = readings(db, [(event, raw, ()) for event, raw in events])
    accounts = logged_as(db, [event for event, _ in events])
    done = waiting.reread(db, set(accounts.values()).union(*(one.events for one in found)))
    disputed: set[tuple[str, str]] = set()
    for (event, raw), reading in zip(events, found, strict=True):
        account = accounts[event.source, event.id]
        # Each of them: one that had the event before may have further people in it now.
        if not {account, *reading.events} <= done:
            released.left |= reading.events.keys()
        disputed |= {(key, account) for key in settling(raw, reading)}
        if reading.unknown:
            yield Waiting(raw, True, reading.unknown)
    disputes.note_accounts(db, disputed)


def _settled(db: Connection, keys: Collection[str], now: datetime) -> list[Disputed]:
    """Take out of quarantine some of what is disputed no more since there was a word on these."""
    found: list[tuple[Disputed, Event]] = []
    unreadable = set()
    for one in disputes.look(db, keys):
        event = as_event(one.raw, now)
        if isinstance(event, Event):
            found.append((one, event))
        else:  # what events may say has changed
            unreadable.add(one.digest)
    told = readings(db, [(event, one.raw, ()) for one, event in found])
    done: list[Disputed] = []
    problems: dict[str, Sequence[str]] = {}
    remain: dict[str, set[str]] = {}
    for (one, _), reading in zip(found, told, strict=True):
        if reading.problems:
            problems[one.digest] = reading.problems
            remain[one.digest] = settling(one.raw, reading)
        else:
            done.append(one)
    disputes.forget(db, unreadable)
    disputes.take_out(db, {one.digest for one in done})
    disputes.note(db, remain)
    disputes.tell_anew(db, problems)
    return done


def _words(db: Connection, keys: Collection[str], said: Mapping[int, Event]) -> dict[str, int]:
    """By domain or address the place of the event that names it, or else, of one that is given up,
    of its holder's."""
    by_key: dict[str, int] = {}
    by_holder: dict[Holder, int] = {}
    for place, event in said.items():
        if (held := held_by(event.data)) is not None:
            person, named = held
            by_key |= dict.fromkeys(named, place)
            by_holder[event.account or "", person] = place
    for key, known in holdings.of(db, set(keys) - by_key.keys()).items():
        for one in known:
            if (giving_up := by_holder.get((one.account, one.person))) is not None:
                by_key[key] = giving_up
    return by_key
