"""Names of the vendor's people."""

from collections.abc import Mapping

from sqlalchemy import Connection

from worker.store.dialect import execute


def rep_names(db: Connection) -> Mapping[str, str]:
    """Names by rep id, of the reps that have one."""
    found = execute(db, "SELECT rep, name FROM reps WHERE name IS NOT NULL")
    return dict(found.all())
