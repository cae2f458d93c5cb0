"""Who holds which domains and addresses: accounts domains, contacts and reps addresses.

A holding is kept with the stamp of the last event that said so, and so is the last word of whoever
holds it: what comes first, comes late or comes again is all the same. Holdings change only while
nobody else is at work (`merges.take_turn`), so that events are read by the same ones throughout.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from worker.core.addresses import domains_of
from worker.core.events import Event
from worker.core.identity import Holder, Holding, Holdings, held_by
from worker.core.merges import stamp_of
from worker.store.dialect import execute_among, execute_rows, in_our_order
from worker.store.merges import MustBeAlone, named, of_today
from worker.store.tables import reps, tie_days

_HOLDER = {"account": "text", "person": "text"}
_HOLDING = {"key": "text"} | _HOLDER


@dataclass(frozen=True, slots=True)
class Changes:
    """The domains and addresses that are held otherwise than before, `again` those of them that
    somebody had held before."""

    keys: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()

    def __or__(self, other: "Changes") -> "Changes":
        return Changes(self.keys | other.keys, self.again | other.again)


NONE = Changes()


@dataclass(slots=True)
class _Word:
    """What a holder has said: the stamp of the last word, and by key of the last that named it."""

    stamp: str = ""
    keys: dict[str, str] = field(default_factory=dict)

    def add(self, stamp: str, keys: Iterable[str]) -> None:
        self.stamp = max(self.stamp, stamp)
        for key in keys:
            self.keys[key] = max(self.keys.get(key, ""), stamp)

    @property
    def current(self) -> set[str]:
        return {key for key, stamp in self.keys.items() if stamp == self.stamp}


def of(db: Connection, keys: Collection[str]) -> Holdings:
    """Who holds these domains and addresses."""
    found: dict[str, list[Holding]] = defaultdict(list)
    if keys:
        rows = execute_among(
            db,
            "SELECT c.key, c.account, c.person, c.stamp, c.stamp = m.stamp FROM holdings c "
            "JOIN holders m ON m.account = c.account AND m.person = c.person "
            "WHERE c.key {among}",
            sorted(keys),
        )
        for key, account, person, stamp, current in rows:
            found[key].append(Holding(account, person, stamp, bool(current)))
    return found


def held_of(db: Connection, accounts: Collection[str]) -> set[str]:
    """What these accounts and their contacts hold, or have held last."""
    found = execute_among(
        db, "SELECT DISTINCT key FROM holdings WHERE account {among}", sorted(accounts)
    )
    return {key for (key,) in found}


def note(db: Connection, events: Iterable[Event], alone: bool) -> Changes:
    """Note what these events say is held.

    Raises:
        MustBeAlone: it changes something, and others may be at work.
    """
    told = _told(events)
    if not told:
        return NONE
    before = _words(db, told)
    changed: set[str] = set()
    for holder, word in told.items():
        was = before[holder]
        current, former = was.current, dict(was.keys)
        was.add(word.stamp, ())
        for key, stamp in word.keys.items():
            was.add(stamp, [key])
        changed |= current ^ was.current
        changed |= {
            key
            for key, stamp in was.keys.items()
            if stamp != was.stamp and former.get(key) != stamp and key not in current
        }
    known = _holders(db, changed)
    changed = {key for key in changed if not _stays(key, known[key], told)}
    if changed and not alone:
        raise MustBeAlone
    _keep(db, {holder: before[holder] for holder in sorted(told)})
    return Changes(frozenset(changed), frozenset(key for key in changed if known[key]))


def _holders(db: Connection, keys: Collection[str]) -> dict[str, set[Holder]]:
    """Whoever holds each of these, or has held it."""
    found = {key: set[Holder]() for key in keys}
    for key, held in of(db, keys).items():
        found[key] = {(one.account, one.person) for one in held}
    return found


def _stays(key: str, known: Collection[Holder], told: Mapping[Holder, _Word]) -> bool:
    """Whether it is still that of the only one who has ever held it, named again or no more."""
    named = {holder for holder, word in told.items() if key in word.keys}
    return len(known) == 1 and named <= set(known)


def remake(db: Connection, accounts: Collection[str], events: Iterable[Event]) -> Changes:
    """Let these accounts and their contacts hold what `events` say, and nothing else; what those
    say of other accounts is noted. Nobody else may be at work meanwhile."""
    mine: list[Event] = []
    others: list[Event] = []
    for event in events:
        (mine if event.account in accounts else others).append(event)
    noted = note(db, others, alone=True)
    before, told = _words_of(db, accounts), _told(mine)
    for table in ("holdings", "holders"):
        execute_among(db, f"DELETE FROM {table} WHERE account {{among}}", accounts)
    _keep(db, {holder: told[holder] for holder in sorted(told)})
    keys = {key for _, key, *_ in _standings(before) ^ _standings(told)}
    return Changes(noted.keys | keys, noted.again | keys)


def _standings(words: Mapping[Holder, _Word]) -> set[tuple[Holder, str, str, bool]]:
    """(holder, key, stamp, whether it is the holder's last word)"""
    return {
        (holder, key, stamp, stamp == word.stamp)
        for holder, word in words.items()
        for key, stamp in word.keys.items()
    }


def _told(events: Iterable[Event]) -> dict[Holder, _Word]:
    found: dict[Holder, _Word] = defaultdict(_Word)
    for event in events:
        if (told_by := held_by(event.data)) is not None:
            person, keys = told_by
            found[event.account or "", person].add(stamp_of(event.time, event.id), keys)
    return found


_WORDS = (
    "SELECT m.account, m.person, m.stamp, c.key, c.stamp FROM holders m "
    "LEFT JOIN holdings c ON c.account = m.account AND c.person = m.person"
)


def _words(db: Connection, holders: Collection[Holder]) -> dict[Holder, _Word]:
    rows = execute_rows(
        db,
        f"{_WORDS} JOIN {{rows}} ON m.account = r.account AND m.person = r.person",
        _HOLDER,
        sorted(holders),
    )
    return _by_holder(rows)


def _words_of(db: Connection, accounts: Collection[str]) -> dict[Holder, _Word]:
    """What these accounts and their contacts have said."""
    return _by_holder(execute_among(db, f"{_WORDS} WHERE m.account {{among}}", accounts))


def _by_holder(rows: Iterable[Sequence[Any]]) -> dict[Holder, _Word]:
    found: dict[Holder, _Word] = defaultdict(_Word)
    for account, person, said_at, key, named_at in rows:
        found[account, person].add(said_at, ())
        if key is not None:
            found[account, person].keys[key] = named_at
    return found


def _keep(db: Connection, words: Mapping[Holder, _Word]) -> None:
    """Keep what is later than what is kept; batches that change no holding do so side by side."""
    later = f"{in_our_order(db, 'excluded.stamp')} > {{}}.stamp"
    execute_rows(
        db,
        f"""
        INSERT INTO holders (account, person, stamp)
        SELECT account, person, stamp FROM {{rows}} WHERE true
        ORDER BY {in_our_order(db, "account", "person")}
        ON CONFLICT (account, person) DO UPDATE SET stamp = excluded.stamp
        WHERE {later.format("holders")}
        """,
        _HOLDER | {"stamp": "text"},
        [(*holder, word.stamp) for holder, word in words.items()],
    )
    execute_rows(
        db,
        f"""
        INSERT INTO holdings (key, account, person, stamp)
        SELECT key, account, person, stamp FROM {{rows}} WHERE true
        ORDER BY {in_our_order(db, "key", "account", "person")}
        ON CONFLICT (key, account, person) DO UPDATE SET stamp = excluded.stamp
        WHERE {later.format("holdings")}
        """,
        _HOLDING | {"stamp": "text"},
        [(key, *who, stamp) for who, word in words.items() for key, stamp in word.keys.items()],
    )


def concerned(db: Connection, changes: Changes) -> set[str]:
    """The accounts that may have events which are read otherwise since these changes.

    A mailbox whose address is first held is looked for among the contacts of those accounts, or of
    those that they have been merged into, and the reps: most have none, when contacts come before
    their mails.
    """
    above = {key: [key, *domains_of(key)] for key in changes.keys}
    holdings = of(db, {key for keys in above.values() for key in keys})
    found: set[str] = set()
    traced: dict[Holder, set[str]] = {}
    for key in changes.keys:
        accounts = {one.account for each in above[key] for one in holdings.get(each, ())} - {""}
        if key in changes.again or "@" not in key:
            found |= accounts if key in changes.again or len(accounts) > 1 else set()
        else:
            traced |= {(account, key): accounts for account in accounts}
    today = of_today(db, traced)
    known = named(db, today.values())
    for one, accounts in traced.items():
        if today[one] in known:  # an event of several accounts may go from one to another of them
            found |= accounts
    return found | _with_reps(db, holdings, changes)


def _with_reps(db: Connection, holdings: Holdings, changes: Changes) -> set[str]:
    """The accounts that have ties with reps who are known by these addresses so far."""
    known_as = set()
    for key in changes.keys:
        theirs = {one.person for one in holdings.get(key, ()) if not one.account}
        if theirs:
            known_as |= {key} | (theirs if key in changes.again else set())
    if not known_as or db.scalar(select(reps.c.rep).where(reps.c.rep.in_(known_as))) is None:
        return set()
    ties = tie_days.c
    return set(db.scalars(select(ties.account).where(ties.rep.in_(known_as)).distinct()))


def forget_addresses_of_reps(db: Connection, changes: Changes) -> None:
    """Forget reps of whom no more was known than an address that is another's by now."""
    execute_among(
        db,
        "DELETE FROM reps WHERE rep {among} AND stamps IS NULL AND EXISTS "
        "(SELECT 1 FROM holdings h "
        "WHERE h.key = reps.rep AND h.account = '' AND h.person <> reps.rep)",
        sorted(changes.keys),
    )
