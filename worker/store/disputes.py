"""What is in quarantine since several accounts claim one of its people, until that is settled.

It is looked at again when there is a word on one of the domains or addresses concerned: of very
much some in each step, in order of digest.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from worker.store import waiting
from worker.store.dialect import execute_among, execute_rows

_KEY = {"key": "text", "digest": "text"}


class Disputed(NamedTuple):
    """An event in quarantine, and the domain or address on which there has been a word."""

    key: str
    digest: str
    raw: Any


def note(db: Connection, events: Mapping[str, Collection[str]]) -> None:
    """Note by a word on which domains and addresses it may be settled whose these are, by digest in
    quarantine (`event_log.digest`)."""
    rows = {(key, digest) for digest, keys in events.items() for key in keys}
    if rows:
        execute_rows(
            db,
            "INSERT INTO disputes (key, digest) SELECT key, digest FROM {rows} WHERE true "
            "ON CONFLICT (key, digest) DO NOTHING",
            _KEY,
            sorted(rows),
        )


def note_accounts(db: Connection, of: Collection[tuple[str, str]]) -> None:
    """Note (key, account) of events that count for the account already, but not for those of their
    people who are in dispute over the domain or address."""
    if of:
        execute_rows(
            db,
            "INSERT INTO dispute_accounts (key, account) SELECT key, account FROM {rows} "
            "WHERE true ON CONFLICT (key, account) DO NOTHING",
            {"key": "text", "account": "text"},
            sorted(of),
        )


def accounts_of(db: Connection, keys: Collection[str]) -> set[str]:
    """The accounts that have such events, which are to be read anew with a word on these."""
    found = execute_among(
        db, "SELECT account FROM dispute_accounts WHERE key {among}", sorted(keys)
    )
    return {account for (account,) in found}


def forget_accounts(db: Connection, accounts: Collection[str]) -> None:
    """Forget that these have such events: all that are theirs are being read anew."""
    execute_among(db, "DELETE FROM dispute_accounts WHERE account {among}", sorted(accounts))


def look(db: Connection, keys: Collection[str]) -> Sequence[Disputed]:
    """Some of the events that have not been looked at since there was a word on these; they count
    as looked at from now on."""
    found = execute_among(
        db,
        "SELECT k.key, d.digest FROM claimed_keys k "
        "JOIN disputes d ON d.key = k.key AND d.digest > k.looked "
        "WHERE k.key {among} ORDER BY k.key, d.digest LIMIT :most",
        sorted(keys),
        most=waiting.AT_ONCE,
    ).all()
    if not found:
        return ()
    execute_rows(
        db,
        "UPDATE claimed_keys SET looked = r.digest FROM {rows} WHERE claimed_keys.key = r.key",
        _KEY,
        list(dict(found).items()),  # the last one of each key
    )
    of = {digest: key for key, digest in found}
    kept = execute_among(
        db,
        "SELECT digest, body FROM quarantine WHERE digest {among} ORDER BY received_at, digest",
        sorted(of),
    )
    return [Disputed(of[digest], digest, json.loads(body)) for digest, body in kept]


def take_out(db: Connection, digests: Collection[str]) -> None:
    """Take these out of quarantine: it is settled whose they are."""
    execute_among(db, "DELETE FROM quarantine WHERE digest {among}", sorted(digests))
    forget(db, digests)


def forget(db: Connection, digests: Collection[str]) -> None:
    """Look at these no more."""
    execute_among(db, "DELETE FROM disputes WHERE digest {among}", sorted(digests))


def tell_anew(db: Connection, problems: Mapping[str, Sequence[str]]) -> None:
    """Say of events that stay in quarantine what is to be settled now, by digest."""
    execute_rows(
        db,
        "UPDATE quarantine SET problems = r.problems FROM {rows} "
        "WHERE quarantine.digest = r.digest",
        {"digest": "text", "problems": "text"},
        [(digest, msgspec.json.encode(said).decode()) for digest, said in problems.items()],
    )
