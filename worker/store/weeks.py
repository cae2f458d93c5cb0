"""What a week's summaries are made of: flags and accounts, read whole, once a week."""

from collections.abc import Collection, Iterable
from datetime import date

from sqlalchemy import Connection, or_, select

from worker.core.flags import State
from worker.core.muting import CHURNED
from worker.core.rules import Severity
from worker.core.weeks import Raised
from worker.store.tables import accounts, flags, messages

_UP = ("open", "acknowledged", "snoozed")


def raised(db: Connection, since: date) -> list[Raised]:
    """The flags that are up, or were opened or resolved on the date or later, of live rules."""
    of = flags.c
    columns = ("id", "account", "rule", "severity", "state", "title", "opened_on", "resolved_on")
    found = db.execute(
        select(*(of[name] for name in columns))
        .where(
            of.opened_on.is_not(None),
            ~of.shadow,
            or_(of.state.in_(_UP), of.opened_on >= since, of.resolved_on >= since),
        )
        .order_by(of.id)
    )
    return [
        Raised(id_, account, rule, Severity(severity), State(state), *more)
        for id_, account, rule, severity, state, *more in found
    ]


def unowned(db: Connection, reps: Collection[str]) -> list[str]:
    """The accounts that none of these reps owns, but for those that an event calls churned; by
    name."""
    of = accounts.c
    found = db.execute(
        select(of.account, of.owner)
        .where(or_(of.lifecycle.is_(None), of.lifecycle != CHURNED))
        .order_by(of.name, of.account)
    )
    return [account for account, owner in found if owner not in reps]


def planned(db: Connection, keys: Iterable[str]) -> set[str]:
    """Which of these keys are messages already."""
    found = db.execute(select(messages.c.key).where(messages.c.key.in_(sorted(keys))))
    return set(found.scalars())
