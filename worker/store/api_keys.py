"""Who may send events: keys by id, of which only a digest is stored."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select, update

from worker.store.tables import api_keys

PREFIX = "tw"
_ID_BYTES = 6
_SECRET_BYTES = 32


class Scope(StrEnum):
    """What a key may be used for."""

    EVENTS = "events"
    SEGMENT = "segment"
    HOOKS = "hooks"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. `source` is what every event sent with it comes from."""

    id: str
    name: str
    source: str
    scopes: frozenset[Scope]
    digest: str
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def opens_with(self, given: str) -> bool:
        """Whether `given` is this key, whole; takes the same time whatever is wrong with it."""
        return hmac.compare_digest(self.digest, digest_of(given))


def digest_of(key: str) -> str:
    """What is stored of a key. It holds 256 random bits, so that nothing slower is called for."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def id_of(key: str) -> str | None:
    """The id in a key, None if it cannot be one of ours."""
    parts = key.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == PREFIX else None


def create(db: Connection, name: str, source: str, scopes: Iterable[Scope], now: datetime) -> str:
    """Make a key and return it, whole: it can be read this once."""
    id_ = secrets.token_hex(_ID_BYTES)
    key = f"{PREFIX}_{id_}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    db.execute(
        api_keys.insert().values(
            id=id_,
            name=name,
            source=source,
            scopes=json.dumps(sorted(scopes)),
            digest=digest_of(key),
            created_at=now,
        )
    )
    return key


def all_keys(db: Connection) -> list[ApiKey]:
    """Every key, the revoked ones too, in order of name and age."""
    found = db.execute(select(api_keys).order_by(api_keys.c.name, api_keys.c.created_at)).mappings()
    return [
        ApiKey(**{**row, "scopes": frozenset(map(Scope, json.loads(row["scopes"])))})
        for row in found
    ]


def revoke(db: Connection, name_or_id: str, now: datetime) -> int:
    """Revoke a key by id, or all keys of a name; how many that were not revoked yet."""
    done = db.execute(
        update(api_keys)
        .where((api_keys.c.id == name_or_id) | (api_keys.c.name == name_or_id))
        .where(api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return done.rowcount


def used(db: Connection, last: Mapping[str, datetime]) -> None:
    """Note when keys, by id, were used last."""
    for id_ in sorted(last):
        db.execute(update(api_keys).where(api_keys.c.id == id_).values(last_used_at=last[id_]))
