"""Who may answer a flag: the account's owner, their manager, the rep it was given to, admins."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from worker.core.answers import Refused
from worker.store import desks, directory, people
from worker.store.database import reading, writing
from worker.store.people import Colleague

NO_FLAG = "There is no such flag any more."


@dataclass(frozen=True, slots=True)
class Clicked:
    """A click or a submitted window about a flag. `key` tells it from any other; `admins` are ids
    of reps."""

    key: str
    flag: int
    slack_user: str
    admins: Collection[str] = ()


def _allowed(
    db: Connection, flag: desks.OnDesk, admins: Collection[str], reps: dict[str, Colleague]
) -> list[str]:
    """The reps who may answer a flag, none of whom has left, in the order in which we name them.

    Somebody who has left still has a manager.
    """
    above = people.manager_of(db, flag.owner) if flag.owner else None
    wanted = [flag.owner, above, flag.assignee, *sorted(admins)]
    return list(dict.fromkeys(rep for rep in wanted if rep in reps))


def require(db: Connection, clicked: Clicked, flag: desks.OnDesk) -> str:
    """The rep who clicked, who may answer this flag.

    Raises:
        Refused: they may not; the message names those who may.
    """
    reps = people.colleagues(db)
    may = _allowed(db, flag, clicked.admins, reps)
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


def check(engine: Engine, clicked: Clicked) -> None:
    """See whether somebody may answer a flag, before they are asked what.

    Raises:
        Refused: they may not, or there is no such flag.
    """
    with reading(engine) as db:
        flag = desks.flag(db, clicked.flag)
        if flag is None:
            raise Refused(NO_FLAG)
        require(db, clicked, flag)


def reps_of(engine: Engine, slack_user: str) -> frozenset[str]:
    """The reps who this Slack user is, as far as we know."""
    with reading(engine) as db:
        return people.reps_of(db, slack_user)


def require_rep(engine: Engine, slack_user: str) -> frozenset[str]:
    """The reps who this Slack user is.

    Raises:
        Refused: they are none; what accounts are worth is not for every guest to read.
    """
    reps = reps_of(engine, slack_user)
    if not reps:
        raise Refused(
            "tiewatch does not know you as a rep: your account in Slack must be the 'slack_user', "
            "or have the 'email', of a rep event. An admin can see to it."
        )
    return reps


def recognise(engine: Engine, slack_user: str, email: str, now: datetime) -> None:
    """Keep that this e-mail address, of one of our own workspace, is the Slack user's."""
    with writing(engine) as db:
        for rep in people.colleagues(db).values():
            if rep.email and rep.email.lower() == email.lower():
                directory.learn(db, rep.email, slack_user, now)
