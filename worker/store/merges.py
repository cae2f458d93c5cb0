"""Which contacts and accounts were merged, by whom and when, and what events are about since.

Batches read merges and add to stats side by side, so they take turns with whoever changes what
events are about: see `take_turn`.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, insert, select, union, update

from worker.core.events import Event
from worker.core.merges import Merge, moved, people_in, persons, stamp_of
from worker.store.dialect import execute, execute_among, execute_rows
from worker.store.tables import (
    IN_FORCE,
    account_merges,
    accounts,
    contact_merges,
    contacts,
    surveys,
)

PATIENCE = 15
"""Seconds to wait for others: less than a task may take, so that who waits is not killed for it."""

_CONTACT = {"account": "text", "contact": "text"}


class MergeRefused(Exception):
    """It cannot be merged, or there is nothing to undo; the message says why, and what to do."""


class MustBeAlone(Exception):
    """What is to be done changes what events are about: no batch may be at work meanwhile."""


class Merged(NamedTuple):
    """A merge: of an account, or of a contact of an account. Both were the survivor from then on
    until it was undone."""

    account: str
    survivor: str
    merged_by: str
    merged_at: datetime
    undone_by: str | None
    undone_at: datetime | None
    contact: str | None = None


def take_turn(db: Connection, alone: bool, within: int = 0) -> None:
    """Wait until nobody is at work alone, or, to be `alone`, until nobody is at work at all.

    It holds until the transaction ends, and comes before everything else in it. Who has to wait for
    longer than `within` seconds, here or later, is told so by an error of the database
    (`dialect.waited_too_long`); 0 is for as long as it takes. SQLite has one writer anyway.
    """
    if db.dialect.name == "postgresql":
        lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        limit = f"set_config('lock_timeout', '{within}s', true)"
        execute(db, f"SELECT {limit}, {lock}(hashtext('tiewatch events'))")


def attributed(db: Connection, events: Sequence[Event]) -> list[Event]:
    """The events as those of the accounts and contacts that theirs have been merged into.

    Step by step: what was merged in an account before it was merged itself stays so for its events.
    """
    found = list(events)
    places = [place for place, event in enumerate(found) if event.account is not None]
    while places:
        now = [(place, found[place], found[place].account or "") for place in places]
        survivors = _survivors(db, {account for _, _, account in now})
        people = _people(
            db, {(account, one) for _, event, account in now for one in people_in(event.data)}
        )
        changed = survivors.keys() | people.keys()
        for place, event, account in now if changed else ():
            if account in changed:
                survivor = survivors.get(account, account)
                found[place] = moved(event, survivor, people.get(account, {}))
        places = [place for place, _, account in now if account in survivors]
    return found


def _survivors(db: Connection, accounts: Iterable[str]) -> dict[str, str]:
    found = execute_among(
        db,
        f"SELECT account, survivor FROM account_merges WHERE account {{among}} AND {IN_FORCE.text}",
        sorted(accounts),
    )
    return dict(found.all())


def _people(db: Connection, contacts: Iterable[tuple[str, str]]) -> dict[str, dict[str, str]]:
    """By account: who its contacts are that have been merged into another."""
    found = execute_rows(
        db,
        "SELECT m.account, m.contact, m.person FROM {rows} JOIN contact_merges m "
        f"ON m.account = r.account AND m.contact = r.contact AND m.{IN_FORCE.text}",
        _CONTACT,
        sorted(contacts),
    )
    people: dict[str, dict[str, str]] = defaultdict(dict)
    for account, contact, person in found:
        people[account][contact] = person
    return people


def of_today(
    db: Connection, people: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Who each of these (account, contact) is by the merges in force: of which account, and who
    there. A contact that is empty stands for the account alone."""
    found = {one: one for one in people}
    moving = set(found)
    while moving:
        accounts = {found[one][0] for one in moving}
        survivors, persons_of = (
            _survivors(db, accounts),
            _people(db, map(found.__getitem__, moving)),
        )
        for one in moving:
            account, person = found[one]
            called = persons_of.get(account, {}).get(person, person)
            found[one] = (survivors.get(account, account), called)
        moving = {one for one in moving if found[one][0] not in accounts}
    return found


def survivor_of(db: Connection, account: str) -> str:
    """The account that this one has been merged into in the end; itself if it has not."""
    while found := _survivors(db, [account]):
        account = found[account]
    return account


def survivors_of(db: Connection, accounts: Iterable[str]) -> set[str]:
    """The accounts that these have been merged into in the end."""
    return {account for account, _ in of_today(db, ((one, "") for one in accounts)).values()}


def all_merged_into(db: Connection, accounts: Iterable[str]) -> set[str]:
    """These accounts, and those that have been merged into them, at once or step by step."""
    found, newest = set(accounts), set(accounts)
    while newest:
        rows = execute_among(
            db,
            f"SELECT account FROM account_merges WHERE survivor {{among}} AND {IN_FORCE.text}",
            sorted(newest),
        )
        newest = {account for (account,) in rows} - found
        found |= newest
    return found


def merge_accounts(db: Connection, account: str, survivor: str, by: str, now: datetime) -> None:
    """Let all events of one account be another's, those that come later too.

    Raises:
        MergeRefused: they are one already, or either has been merged or does not exist.
    """
    if account == survivor:
        raise MergeRefused(f"{account!r} is one account: name the one to give up, then the other.")
    for one in (account, survivor):
        if into := _survivors(db, [one]):
            raise MergeRefused(_is_merged(one, into[one], f"accounts unmerge {one}"))
        _must_exist(db, one)
    db.execute(
        insert(account_merges).values(
            account=account, survivor=survivor, merged_by=by, merged_at=now
        )
    )


def unmerge_account(db: Connection, account: str, by: str, now: datetime) -> Merged:
    """Let an account's events be its own again; returns the merge that was undone.

    Raises:
        MergeRefused: it has not been merged.
    """
    return _undo(db, account, None, by, now)


def merge_contacts(
    db: Connection, account: str, contact: str, survivor: str, by: str, now: datetime
) -> None:
    """Let all that is said of one contact of an account be said of another, from then on too.

    Raises:
        MergeRefused: they are one already, or either has been merged or does not exist.
    """
    if contact == survivor:
        raise MergeRefused(f"{contact!r} is one contact: name the one to give up, then the other.")
    _must_exist(db, account)
    in_force = _merges_of(db, account)
    for one in (contact, survivor):
        if one in in_force:
            undo = f"contacts unmerge {one} --account {account}"
            raise MergeRefused(_is_merged(one, in_force[one][1], undo))
        if not named(db, [(account, one)]):
            raise MergeRefused(
                f"{account!r} has no contact {one!r}. 'tiewatch ties {account}' lists them."
            )
    _insert(db, account, contact, (stamp_of(now, ""), survivor), by, now)


def unmerge_contact(db: Connection, account: str, contact: str, by: str, now: datetime) -> Merged:
    """Let what is said of a contact be said of it again; returns the merge that was undone.

    Raises:
        MergeRefused: it has not been merged.
    """
    undone = _undo(db, account, contact, by, now)
    note_persons(db, account)
    return undone


def listed(db: Connection, of: Table, undone: bool = False) -> list[Merged]:
    """The merges in force, or all with those undone, in the order in which they were made."""
    query = select(of).order_by(of.c.id)
    if not undone:
        query = query.where(of.c.undone_at.is_(None))
    return [_merged(dict(row)) for row in db.execute(query).mappings()]


def accounts_with(db: Connection, people: Collection[str]) -> list[str]:
    """The accounts that have all of these contacts, in order of id."""
    query = union(
        select(contacts.c.account, contacts.c.contact).where(contacts.c.contact.in_(people)),
        select(surveys.c.account, surveys.c.contact).where(surveys.c.contact.in_(people)),
    )
    found = Counter(account for account, _ in db.execute(query))
    return sorted(account for account, number in found.items() if number == len(set(people)))


def _merged(row: dict[str, Any]) -> Merged:
    return Merged(**{name: row[name] for name in Merged._fields if name in row})


def _undo(db: Connection, account: str, contact: str | None, by: str, now: datetime) -> Merged:
    of = account_merges if contact is None else contact_merges
    query = select(of).where(of.c.account == account, of.c.undone_at.is_(None))
    if contact is not None:
        query = query.where(of.c.contact == contact)
    row = db.execute(query).mappings().one_or_none()
    if row is None:
        called = repr(account) if contact is None else f"{contact!r} of {account!r}"
        kind = "accounts" if contact is None else "contacts"
        raise MergeRefused(
            f"{called} has not been merged. 'tiewatch {kind} merges' lists what has."
        )
    db.execute(update(of).where(of.c.id == row["id"]).values(undone_by=by, undone_at=now))
    return _merged(dict(row))


def _is_merged(one: str, survivor: str, undo: str) -> str:
    return (
        f"{one!r} has been merged into {survivor!r}: name that one, "
        f"or undo it with 'tiewatch {undo}'."
    )


def _must_exist(db: Connection, account: str) -> None:
    if into := _survivors(db, [account]):
        raise MergeRefused(_is_merged(account, into[account], f"accounts unmerge {account}"))
    if db.scalar(select(accounts.c.account).where(accounts.c.account == account)) is None:
        raise MergeRefused(f"There is no account {account!r}. 'tiewatch facts' lists them.")


def named(db: Connection, people: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these (account, contact) of whom something is known, if only what they answered."""
    found = execute_rows(
        db,
        "SELECT r.account, r.contact FROM {rows} WHERE EXISTS "
        "(SELECT 1 FROM contacts c WHERE c.account = r.account AND c.contact = r.contact) "
        "OR EXISTS (SELECT 1 FROM surveys s WHERE s.account = r.account AND s.contact = r.contact)",
        _CONTACT,
        sorted(people),
    )
    return {(account, contact) for account, contact in found}


def _merges_of(db: Connection, account: str) -> dict[str, Merge]:
    of = contact_merges.c
    found = db.execute(
        select(of.contact, of.stamp, of.survivor).where(
            of.account == account, of.undone_at.is_(None)
        )
    )
    return {contact: (stamp, survivor) for contact, stamp, survivor in found}


def _insert(
    db: Connection, account: str, contact: str, merge: Merge, by: str, now: datetime
) -> None:
    stamp, survivor = merge
    db.execute(
        insert(contact_merges).values(
            account=account,
            contact=contact,
            survivor=survivor,
            person=survivor,
            stamp=stamp,
            merged_by=by,
            merged_at=now,
        )
    )
    note_persons(db, account)


def note_persons(db: Connection, account: str) -> None:
    """Keep who each contact of the account is in the end, so that one look tells it."""
    in_force = _merges_of(db, account)
    people = persons(in_force)
    execute_rows(
        db,
        "UPDATE contact_merges SET person = r.person FROM {rows} WHERE contact_merges.account = "
        f":account AND contact_merges.contact = r.contact AND contact_merges.{IN_FORCE.text}",
        {"contact": "text", "person": "text"},
        [(one, people.get(one, one)) for one in sorted(in_force)],
        account=account,
    )
