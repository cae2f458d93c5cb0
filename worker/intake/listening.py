"""Listens to what events say of others, before they are logged: whose members, addresses and
domains are, and that contacts are one. What is known is brought in line with it, and what waited
for it is released."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from worker.core.events import ALIAS, MEMBER, Event, Quarantined, parse
from worker.core.flags import evaluation_date
from worker.core.merges import Claim, Key, claims_in
from worker.intake.arrivals import Batch
from worker.store import addressed, behind, claims, holdings, members, merges, rereading, waiting
from worker.store.behind import Behind
from worker.store.holdings import NONE, Changes
from worker.store.merges import MustBeAlone
from worker.store.rebuilding import Rebuilt, rebuild
from worker.store.workspace import Kept

REREAD_AT_ONCE = 100_000
"""Events that are read anew with a batch at most: the time of its task is limited. Accounts of more
are made anew by themselves."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The `events` of batches, after the `given` number of theirs those released that waited.

    By their places: `accounts` of those that name a member, `known` are those that are read
    already, `waiting` those that must wait, and `refused` those of which another version waits.
    `readings` say what events come to for each account that they are of, by (source, id). What is
    known was `reread` as far as they `say_more` of it than was known. `words` are the places of the
    events that those released have waited for, as far as those are among them. With `backfill` all
    of them are history. With `unreleased` there is more that has waited, with `behind` there are
    accounts that are to be made anew.
    """

    events: Sequence[Any]
    given: int
    accounts: Mapping[int, str]
    known: Mapping[int, Event | Quarantined]
    waiting: Collection[int]
    refused: Mapping[int, Quarantined]
    readings: Mapping[tuple[str, str], Sequence[Event]]
    reread: Rebuilt
    say_more: bool
    words: Sequence[int | None]
    backfill: bool
    unreleased: bool
    behind: bool

    def order(self, aside: Collection[int]) -> list[int]:
        """The places of those to be logged, in the order in which they are; without those put
        `aside`, and those that wait."""
        return sorted(
            (p for p in range(len(self.events)) if p not in self.waiting and p not in aside),
            key=lambda p: (_key(self.events[p]), p < self.given),  # what waited is first
        )

    def read(self, place: int, now: datetime) -> Event | Quarantined:
        """The event at a place, or what is wrong with it."""
        known = self.known.get(place)
        return known or parse(self.events[place], now, self.accounts.get(place))

    def in_vain(self, conflicts: Mapping[int, Quarantined]) -> dict[int, Quarantined]:
        """Those of the conflicting duplicates that have been listened to. What was released has
        been so when it came."""
        return {
            place: one
            for place, one in {**conflicts, **self.refused}.items()
            if place < self.given and _is_heard(self.events[place])
        }


def hear(
    db: Connection,
    given: Sequence[Batch],
    conflicts: Collection[int],
    kept: Callable[[], Kept],
    now: datetime,
    alone: bool,
) -> Heard:
    """Listen to the events of batches, but not to those known to be conflicting duplicates, by
    their places among all of them.

    Raises:
        MustBeAlone: they say what may only be said when nothing else is being applied.
    """
    releasing = any(batch.releasing for batch in given)
    catching_up = any(batch.catching_up for batch in given)
    if (releasing or catching_up) and not alone:
        raise MustBeAlone
    late = behind.take(db) if catching_up else None
    backfill = _is_history(db, given[0], late)
    events = [one for batch in given for one in batch.events]
    to_hear = [None if place in conflicts else one for place, one in enumerate(events)]
    settled = members.settle(db, to_hear, now, alone, backfill=backfill, releasing=releasing)
    mailed = addressed.settle(
        db,
        settled.events,
        settled.accounts,
        now,
        alone,
        _held_anew(db, settled.left),
        backfill=backfill,
        releasing=releasing,
    )
    said = claims_in(_claiming(settled, now))
    news = claims.news(db, list(said.values())) if said else []
    if news and not alone:
        raise MustBeAlone
    left = settled.left | mailed.left | ({late.account} if late else set())
    say_more = bool(left or news)
    reread = Rebuilt()
    if say_more:
        most = None if catching_up else REREAD_AT_ONCE
        reread = _reread(db, left, said, news, kept(), now, most)
        if late and late.lost:
            lost = reread.left | merges.survivors_of(db, [late.account])
            reread = replace(reread, left=lost)
        behind.note(db, reread.put_off, reread.left, backfill, now)
    return Heard(
        events=mailed.events,
        given=len(events),
        accounts=settled.accounts,
        known={**mailed.logged, **mailed.refused, **settled.refused},
        waiting={*settled.waiting, *mailed.waiting},
        refused=settled.conflicts(),
        readings=mailed.readings,
        reread=reread,
        say_more=say_more,
        words=[*settled.words, *mailed.words],
        backfill=backfill,
        unreleased=settled.unreleased
        or mailed.unreleased
        or (releasing and waiting.next_step(db) is not None),
        behind=bool(reread.put_off or (catching_up and behind.listed(db))),
    )


def _is_history(db: Connection, first: Batch, late: Behind | None) -> bool:
    """Whether what is applied is history: what waited and who is behind say so themselves."""
    if first.releasing:
        return bool(waiting.next_step(db))
    return late.backfill if late else first.backfill


def _key(raw: object) -> tuple[str, str]:
    """What events are logged in order of, everywhere: two batches that hold the same new ones then
    wait for each other, not deadlock."""
    if not isinstance(raw, dict):
        return "", ""
    return str(raw.get("source")), str(raw.get("id"))


def _held_anew(db: Connection, left: Collection[str]) -> Changes:
    """Let members who have left these accounts take along the addresses that they hold.

    Events of such members may still be logged as of an account that is behind.
    """
    if not left:
        return NONE
    late = (account for account, _ in behind.listed(db))
    logged_as = merges.survivors_of(db, {*left, *late})
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
    most: int | None,
) -> Rebuilt:
    """Bring what is known in line with what this batch says of earlier events: that members are of
    other accounts than these, and that contacts are one. What is more than `most` events is put
    off."""
    accounts = merges.survivors_of(db, left)
    accounts |= claims.concerned(db, news)
    claims.note(db, news, now)
    if not accounts:
        return Rebuilt()
    on = evaluation_date(kept.last_sweep_on, now)
    return rebuild(db, accounts, (), kept.half_life, on, now, said, most=most)
