"""Who may answer a flag: the account's owner, their manager, the rep it was given to, admins."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from worker.core.answers import Refused
from worker.store import desks, people
from worker.store.people import Colleague

Lookup = Callable[[Collection[str]], None]
"""Finds out, and keeps, who in Slack has these e-mail addresses."""


@dataclass(frozen=True, slots=True)
class Clicked:
    """A click or a submitted window about a flag. `key` tells it from any other; `admins` are ids
    of reps, `name` is what Slack calls the user."""

    key: str
    flag: int
    slack_user: str
    admins: Collection[str] = ()
    name: str | None = None


def allowed(
    owner: str | None, assignee: str | None, admins: Collection[str], reps: dict[str, Colleague]
) -> list[str]:
    """The reps who may answer a flag, none of whom has left, in the order in which we name them."""
    owning = reps.get(owner or "")
    wanted = [owner, owning.manager if owning else None, assignee, *sorted(admins)]
    return list(dict.fromkeys(rep for rep in wanted if rep in reps))


def require(db: Connection, clicked: Clicked, flag: desks.OnDesk) -> str:
    """The rep who clicked, who may answer this flag.

    Raises:
        Refused: they may not; the message names those who may.
    """
    reps = people.colleagues(db)
    may = allowed(flag.owner, flag.assignee, clicked.admins, reps)
    who = people.reps_of(db, clicked.slack_user)
    for rep in may:
        if rep in who:
            return rep
    if not may:
        raise Refused(
            "Only an admin may answer this flag: its account has no owner. "
            "'admins' in rules/slack.yaml names them."
        )
    names = [reps[rep].name or rep for rep in may]
    raise Refused(f"Only {' or '.join(names)} may answer this flag.")


def unmatched(db: Connection, clicked: Clicked, flag: desks.OnDesk) -> list[str]:
    """The e-mail addresses to look up in Slack before this Slack user is said to be nobody: of
    those who may answer, and of whom we do not know who they are in Slack."""
    reps = people.colleagues(db)
    if people.reps_of(db, clicked.slack_user):
        return []
    may = (reps[rep] for rep in allowed(flag.owner, flag.assignee, clicked.admins, reps))
    return [one.email for one in may if one.email and not one.slack_user]
