"""Contacts of which events say that they are one: merges that no person has made.

They follow from the events of an account as its stats do, so that the order in which events arrive
does not matter. What a person has said of a contact stands over them.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, update

from worker.core.merges import Claim, Key
from worker.store.dialect import execute_among
from worker.store.merges import named, note_persons, survivor_of
from worker.store.tables import contact_merges

_OF = contact_merges.c


class _Stored(NamedTuple):
    id: int
    claim: Claim


def news(db: Connection, claims: Collection[Claim]) -> list[Claim]:
    """Those of the claims that would change what is known."""
    stored, barred = _stored(db, {claim.account for claim in claims})
    return [
        claim
        for claim in sorted(claims)
        if (key := (claim.account, claim.contact)) not in barred
        and (key not in stored or stored[key].claim.stamp < claim.stamp)
    ]


def concerned(db: Connection, claims: Collection[Claim]) -> set[str]:
    """The accounts that are to be read anew for these claims: there is something of the contacts
    there already, or has been said of them before."""
    stored, _ = _stored(db, {claim.account for claim in claims})
    found = set()
    unheard = []
    for claim in claims:
        survivor = survivor_of(db, claim.account)
        if survivor != claim.account or (claim.account, claim.contact) in stored:
            found.add(survivor)
        else:
            unheard.append((claim.account, claim.contact))
    return found | {account for account, _ in named(db, unheard)}


def note(db: Connection, claims: Collection[Claim], now: datetime) -> None:
    """Let these be in force, in place of what events have said of the same contacts before."""
    stored, _ = _stored(db, {claim.account for claim in claims})
    for claim in claims:
        says = claim._asdict() | {"person": claim.survivor}
        if (known := stored.get((claim.account, claim.contact))) is not None:
            db.execute(update(contact_merges).where(_OF.id == known.id).values(says))
        else:
            by = f"an event from {claim.source}"
            db.execute(insert(contact_merges).values(says | {"merged_by": by, "merged_at": now}))
    for account in sorted({claim.account for claim in claims}):
        note_persons(db, account)


def withdraw(db: Connection, accounts: Collection[str], claims: Mapping[Key, Claim]) -> None:
    """Let events have said no more in these accounts than `claims`, which is all they say now."""
    stored, _ = _stored(db, accounts)
    for key, known in stored.items():
        if claims.get(key) != known.claim:
            db.execute(delete(contact_merges).where(_OF.id == known.id))
    for account in sorted({account for account, _ in stored}):
        note_persons(db, account)


def _stored(db: Connection, accounts: Collection[str]) -> tuple[dict[Key, _Stored], set[Key]]:
    """What events have said in these accounts, and the contacts of which a person has spoken."""
    found = execute_among(
        db,
        "SELECT id, undone_at, account, contact, survivor, stamp, source FROM contact_merges "
        "WHERE account {among}",
        accounts,
    )
    stored, barred = {}, set()
    for id_, undone_at, *claim in found:
        one = Claim(*claim)
        if one.source is None or undone_at is not None:
            barred.add((one.account, one.contact))
        else:
            stored[one.account, one.contact] = _Stored(id_, one)
    return stored, barred
