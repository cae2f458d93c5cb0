"""What is on a rep's desk: the flags they are to answer, and what changed on their accounts."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select

from worker.core.flags import HEARD_OF, State
from worker.core.rules import Severity
from worker.store.tables import accounts, flag_history, flags


class OnDesk(NamedTuple):
    """A flag that people have heard of, or dismissed, and whose it is. `title` is that of its last
    move."""

    id: int
    account: str
    account_name: str | None
    owner: str | None
    assignee: str | None
    rule: str
    severity: Severity
    state: State
    title: str


class Moved(NamedTuple):
    """A flag that came to a state on a UTC date."""

    on: date
    account: str
    account_name: str | None
    rule: str
    title: str
    severity: Severity
    state: State


def flag(db: Connection, id_: int) -> OnDesk | None:
    """The flag with this id, whatever its state; None if there is none or it is in shadow."""
    return next(iter(_on_desks(db, flags.c.id == id_)), None)


def of_reps(db: Connection, reps: Collection[str]) -> list[OnDesk]:
    """The flags that these reps are to answer: given to them, or of accounts they own and given to
    nobody."""
    theirs = or_(
        flags.c.assignee.in_(reps),
        and_(flags.c.assignee.is_(None), accounts.c.owner.in_(reps)),
    )
    return _on_desks(db, and_(theirs, flags.c.state.in_(HEARD_OF)))


def of_accounts(db: Connection, ids: Collection[str]) -> list[OnDesk]:
    """The flags of these accounts that people have heard of."""
    return _on_desks(db, and_(flags.c.account.in_(ids), flags.c.state.in_(HEARD_OF)))


def of_rule(db: Connection, rule: str) -> list[OnDesk]:
    """The flags of this rule that people have heard of."""
    return _on_desks(db, and_(flags.c.rule == rule, flags.c.state.in_(HEARD_OF)))


def _on_desks(db: Connection, which: ColumnElement[bool]) -> list[OnDesk]:
    of = flags.c
    found = db.execute(
        select(
            of.id,
            of.account,
            accounts.c.name,
            accounts.c.owner,
            of.assignee,
            of.rule,
            of.severity,
            of.state,
            of.title,
        )
        .outerjoin(accounts, accounts.c.account == of.account)
        .where(which, of.shadow == false())
        .order_by(of.account, of.rule, of.id)
    )
    return [
        OnDesk._make((*head, Severity(severity), State(state), title))
        for *head, severity, state, title in found
    ]


def moved(db: Connection, ids: Collection[str], since: date) -> list[Moved]:
    """How the flags of these accounts moved from a date on, the latest first."""
    of = flag_history.c
    found = db.execute(
        select(
            of.on_date,
            flags.c.account,
            accounts.c.name,
            flags.c.rule,
            flags.c.title,
            flags.c.severity,
            of.to_state,
        )
        .join(flags, flags.c.id == of.flag)
        .outerjoin(accounts, accounts.c.account == flags.c.account)
        .where(flags.c.account.in_(ids), flags.c.shadow == false(), of.on_date >= since)
        .order_by(of.id.desc())
    )
    return [
        Moved._make((*head, Severity(severity), State(state))) for *head, severity, state in found
    ]


def owned(db: Connection, owners: Collection[str]) -> list[str]:
    """The accounts that these reps own, sorted."""
    return sorted(db.scalars(select(accounts.c.account).where(accounts.c.owner.in_(owners))))


def named(db: Connection, words: str) -> list[tuple[str, str | None]]:
    """The accounts, as (id, name), with this id, or else with this name in whatever case."""
    of = accounts.c
    by_id = db.execute(select(of.account, of.name).where(of.account == words)).all()
    found = (
        by_id
        or db.execute(select(of.account, of.name).where(func.lower(of.name) == words.lower())).all()
    )
    return sorted((account, name) for account, name in found)
