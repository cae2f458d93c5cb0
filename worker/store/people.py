"""The vendor's people: their names, and what routing knows of them."""

from collections.abc import Mapping

from sqlalchemy import Connection

from worker.core.routing import Rep
from worker.store.dialect import execute


def rep_names(db: Connection) -> Mapping[str, str]:
    """Names by rep id, of the reps that have one."""
    found = execute(db, "SELECT rep, name FROM reps WHERE name IS NOT NULL")
    return dict(found.all())


def reps(db: Connection) -> Mapping[str, Rep]:
    """What routing knows of the reps who have not left, by id."""
    found = execute(db, "SELECT rep, timezone, manager FROM reps WHERE gone IS NOT true")
    return {rep: Rep(timezone, above) for rep, timezone, above in found}
