"""Names of the vendor's people."""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from worker.store.tables import reps


def rep_names(db: Connection) -> Mapping[str, str]:
    """Names by rep id, of the reps that have one."""
    found = db.execute(select(reps.c.rep, reps.c.name).where(reps.c.name.is_not(None)))
    return {row.rep: row.name for row in found}
