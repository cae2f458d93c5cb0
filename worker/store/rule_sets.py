"""Every version of the rules that was ever in force, by content hash, and which one is now.

A version is kept as its files' texts: it can be put in force again, whole or file by file.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from worker.store.tables import rule_sets, workspace

Texts = Mapping[str, str]
"""Files of a rules directory by their path in it."""


def in_force(db: Connection) -> str | None:
    """The digest of the version in force; None if nobody has put one in force yet."""
    return db.execute(select(workspace.c.rules)).scalar()


def texts(db: Connection, digest: str) -> Texts:
    """The files of a version. Raises `LookupError` if there is no such version."""
    found = db.execute(select(rule_sets.c.files).where(rule_sets.c.digest == digest)).scalar()
    if found is None:
        raise LookupError(f"there is no version {digest} of the rules")
    return msgspec.json.decode(found, type=dict[str, str])


def put_in_force(db: Connection, digest: str, files: Texts, now: datetime) -> None:
    """Let this version be the one in force, and keep it."""
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    row = {"digest": digest, "files": msgspec.json.encode(files).decode(), "first_used_at": now}
    db.execute(dialect.insert(rule_sets).values(row).on_conflict_do_nothing())
    db.execute(update(workspace).values(rules=digest))
