"""The vendor's people: names, who is whose manager, and who they are in Slack."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, or_, select

from worker.core.routing import Rep
from worker.store import tables
from worker.store.dialect import execute


class Colleague(NamedTuple):
    """A rep who has not left."""

    rep: str
    name: str | None
    email: str | None
    slack_user: str | None
    manager: str | None


def rep_names(db: Connection) -> Mapping[str, str]:
    """Names by rep id, of the reps that have one."""
    found = execute(db, "SELECT rep, name FROM reps WHERE name IS NOT NULL")
    return dict(found.all())


def colleagues(db: Connection) -> dict[str, Colleague]:
    """The reps who have not left, by id, in order of it."""
    of = tables.reps.c
    found = db.execute(
        select(of.rep, of.name, of.email, of.slack_user, of.manager).where(of.gone.is_not(True))
    )
    return {row.rep: Colleague(*row) for row in sorted(found)}


def manager_of(db: Connection, rep: str) -> str | None:
    """The id of a rep's manager, whether the rep has left or not."""
    return db.scalar(select(tables.reps.c.manager).where(tables.reps.c.rep == rep))


def reps_of(db: Connection, slack_user: str) -> frozenset[str]:
    """The reps who are this Slack user: by their `slack_user`, or by an e-mail address that has
    been looked up in Slack if they have none. Not those who have left."""
    known, of = tables.slack_users.c, tables.reps.c
    theirs = select(known.email).where(known.slack_user == slack_user)
    found = db.scalars(
        select(of.rep).where(
            of.gone.is_not(True),
            or_(of.slack_user == slack_user, of.slack_user.is_(None) & of.email.in_(theirs)),
        )
    )
    return frozenset(found)


def reps(db: Connection) -> Mapping[str, Rep]:
    """What routing knows of the reps who have not left, by id."""
    found = execute(db, "SELECT rep, timezone, manager FROM reps WHERE gone IS NOT true")
    return {rep: Rep(timezone, above) for rep, timezone, above in found}
