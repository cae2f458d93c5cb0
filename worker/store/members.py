"""Whose account a sender's users belong to, and the events that wait until somebody says so.

An event may name a member, in its extension attribute `tiewatchmember`. With a subject it says
that the member belongs to that account from then on; without one it is about the member's account,
whichever that is. Both lock the member's row, so that of the two neither overlooks the other.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select, update

from worker.core.events import ALIAS, ANY_ACCOUNT, MEMBER, Event, Quarantined, parse
from worker.core.merges import stamp_of
from worker.store import waiting_members
from worker.store.dialect import execute_rows, in_our_order
from worker.store.event_log import CONFLICT
from worker.store.merges import MustBeAlone
from worker.store.tables import members
from worker.store.waiting_members import Key

LONGEST_NAME = 300
"""Characters of a member's name, as of a source and of an event's id."""

LONGEST_ID = 200
"""Characters of the id of an account or a contact."""

_MEMBER = {"source": "text", "member": "text"}


@dataclass(frozen=True, slots=True)
class Settled:
    """A batch, after its `events` those released that waited for it.

    `accounts` says whose those are that name a member instead, by their places; `waiting` are the
    places of those of which nobody has said it yet, `refused` those that must not wait. `left` are
    the accounts that members belonged to until now: what is theirs has to be read anew. `words` are
    the places of the events that those released have waited for, none for those of earlier batches.
    With `unreleased` there is more that waited, for the next step.
    """

    events: Sequence[Any]
    accounts: Mapping[int, str] = field(default_factory=dict)
    waiting: Collection[int] = frozenset()
    left: frozenset[str] = frozenset()
    refused: Mapping[int, Quarantined] = field(default_factory=dict)
    words: Sequence[int | None] = ()
    unreleased: bool = False

    def conflicts(self) -> dict[int, Quarantined]:
        """Those refused, by their places, under whose source and id another one waits."""
        return {place: one for place, one in self.refused.items() if one.problems == (CONFLICT,)}


def settle(
    db: Connection,
    raw: Sequence[Any],
    now: datetime,
    alone: bool,
    *,
    backfill: bool = False,
    releasing: bool = False,
) -> Settled:
    """Find the accounts of events that name a member instead; keep those that must wait.

    `raw` are decoded JSON values; what is no event is none of ours and stays as it is. With
    `backfill` no rules are evaluated for what is released; with `releasing` that is what waits for
    members of whom it has been said before.

    Raises:
        MustBeAlone: members belong to other accounts from now on, and others may be at work.
    """
    if releasing:
        return _release(db, Settled(raw), waiting_members.claimed(db, backfill), {})
    called = {place: key for place, one in enumerate(raw) if (key := _member(one)) is not None}
    if not called:
        return Settled(raw)
    same = dict(_aliases(raw, called, now))
    keys = {*called.values(), *(other for _, other in same.values())}
    roots = _roots(db, keys)
    apart = {place: pair for place, pair in same.items() if roots[pair[0]] != roots[pair[1]]}
    if apart and not alone:
        raise MustBeAlone
    parted = frozenset[str]()
    if apart:
        parted = _unite(db, sorted(set(apart.values())))
        roots = _roots(db, keys)
    named = {place: roots[key] for place, key in called.items()}
    told = _told(raw, named, now)
    accounts, left = _remember(db, sorted(set(named.values())), dict(told.values()))
    if left and not alone:
        raise MustBeAlone
    of_members = [place for place in named if not raw[place].get("subject")]
    untold = {place: named[place] for place in of_members if named[place] not in accounts}
    refused = waiting_members.keep(db, raw, untold, now)
    found = {place: accounts[named[place]] for place in of_members if place not in untold}
    words = {named[place]: place for place in (*apart, *told) if named[place] in accounts}
    claimed = waiting_members.claim(db, words, backfill) if words else []
    settled = _release(db, Settled(raw, found, left=left | parted), claimed, words)
    refused |= waiting_members.conflicts(
        db, {place: raw[place] for place in called if place not in refused}
    )
    return replace(settled, waiting=untold.keys() - refused.keys(), refused=refused)


def _aliases(
    raw: Sequence[Any], called: Mapping[int, Key], now: datetime
) -> Iterator[tuple[int, tuple[Key, Key]]]:
    """By place, the members that events say are one."""
    for place, key in called.items():
        other = _alias(raw[place], key)
        if other and isinstance(parse(raw[place], now, ANY_ACCOUNT), Event):
            yield place, (key, other)


def _told(
    raw: Sequence[Any], named: Mapping[int, Key], now: datetime
) -> dict[int, tuple[Key, tuple[str, str]]]:
    """The events that say whose members are, by place, in order of what they say: the member, the
    stamp and the account; the last one counts."""
    found = {
        place: (key, (_stamp(raw[place]), raw[place]["subject"]))
        for place, key in named.items()
        if _is_name(raw[place].get("subject"), LONGEST_ID)
        and isinstance(parse(raw[place], now), Event)
    }
    return dict(sorted(found.items(), key=lambda one: one[1]))


def _release(
    db: Connection, settled: Settled, claimed: Collection[Key], words: Mapping[Key, int]
) -> Settled:
    """Let some of what waits for these members be applied along; `words` are the places of the
    events that say whose they are."""
    released, more = waiting_members.release(db, claimed)
    if not released:
        return settled
    members = {key for key, _ in released}
    accounts, roots = accounts_of(db, members), _roots(db, members)
    begin = len(settled.events)
    return replace(
        settled,
        events=[*settled.events, *(event for _, event in released)],
        accounts={
            **settled.accounts,
            **{begin + number: accounts[key] for number, (key, _) in enumerate(released)},
        },
        words=[words.get(roots[key]) for key, _ in released],
        unreleased=more,
    )


def _member(one: Any) -> Key | None:
    if not isinstance(one, dict) or MEMBER not in one:
        return None
    source, member, id_ = one.get("source"), one[MEMBER], one.get("id")
    return (str(source), str(member)) if all(map(_is_name, (source, member, id_))) else None


def _alias(event: Mapping[str, Any], key: Key) -> Key | None:
    """The other name that an event says its member has."""
    alias = event.get(ALIAS)
    if event.get("type") != "contact" or not _is_name(alias, LONGEST_ID) or alias == key[1]:
        return None
    return key[0], str(alias)


def _is_name(value: Any, longest: int = LONGEST_NAME) -> bool:
    """Whether it is text that can be stored, and looked up."""
    if not isinstance(value, str) or not 0 < len(value) <= longest or "\x00" in value:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _stamp(event: Mapping[str, Any]) -> str:
    """What decides which of two statements is the later one (`core.merges.stamp_of`)."""
    try:
        return stamp_of(datetime.fromisoformat(str(event.get("time"))), str(event.get("id")))
    except (ValueError, OverflowError):
        return ""  # the event is refused where it is read


def _roots(db: Connection, keys: Iterable[Key]) -> dict[Key, Key]:
    """The members under which these are kept: themselves, unless they turned out to be others."""
    of = {key: key for key in keys}
    found = execute_rows(
        db,
        "SELECT m.source, m.member, m.root FROM {rows} JOIN members m "
        "ON m.source = r.source AND m.member = r.member AND m.root IS NOT NULL",
        _MEMBER,
        sorted(of),
    )
    return of | {(source, member): (source, root) for source, member, root in found}


def _unite(db: Connection, pairs: Iterable[tuple[Key, Key]]) -> frozenset[str]:
    """Let the members of each pair be one: of the account that was told last of either. Returns
    the accounts that are theirs no more. Nobody else may be at work meanwhile."""
    left = set()
    for pair in pairs:
        one, other = (_roots(db, pair)[key] for key in pair)
        if one == other:
            continue
        _remember(db, sorted((one, other)), {})
        of = members.c
        kept, given_up = (
            db.execute(
                select(of.account, of.stamp).where(of.source == source, of.member == member)
            ).one()
            for source, member in (one, other)
        )
        last = max(kept, given_up, key=lambda told: told.stamp or "")
        left |= {told.account for told in (kept, given_up)} - {None, last.account}
        source, member = other
        db.execute(
            update(members)
            .where(of.source == source, or_(of.member == member, of.root == member))
            .values(root=one[1], account=None, stamp=None)
        )
        db.execute(
            update(members)
            .where(of.source == source, of.member == one[1])
            .values(account=last.account, stamp=last.stamp)
        )
    return frozenset(left)


def _remember(
    db: Connection, keys: Sequence[Key], told: Mapping[Key, tuple[str, str]]
) -> tuple[dict[Key, str], frozenset[str]]:
    """Lock the members' rows, note what is later than what they say; returns their accounts, and
    the accounts that are theirs no more."""
    rows = [(*key, *reversed(told.get(key, (None, None)))) for key in keys]
    later = f"{in_our_order(db, 'excluded.stamp')} > coalesce(members.stamp, '')"
    found = execute_rows(
        db,
        f"""
        INSERT INTO members (source, member, account, stamp)
        SELECT source, member, account, stamp FROM {{rows}} WHERE true
        ORDER BY {in_our_order(db, "source", "member")}
        ON CONFLICT (source, member) DO UPDATE SET
            account = CASE WHEN {later} THEN excluded.account ELSE members.account END,
            stamp = CASE WHEN {later} THEN excluded.stamp ELSE members.stamp END,
            was = CASE WHEN {later} AND excluded.account <> members.account
                THEN members.account END
        RETURNING source, member, account, was
        """,
        _MEMBER | {"account": "text", "stamp": "text"},
        rows,
    ).all()
    accounts = {(source, member): account for source, member, account, _ in found if account}
    return accounts, frozenset(was for *_, was in found if was is not None)


def accounts_of(db: Connection, keys: Iterable[Key]) -> dict[Key, str]:
    """The accounts that these members belong to, of those of whom somebody has said it."""
    found = execute_rows(
        db,
        "SELECT m.source, m.member, k.account FROM {rows} "
        "JOIN members m ON m.source = r.source AND m.member = r.member "
        "JOIN members k ON k.source = m.source AND k.member = coalesce(m.root, m.member) "
        "WHERE k.account IS NOT NULL",
        _MEMBER,
        sorted(keys),
    )
    return {(source, member): account for source, member, account in found}
