"""Flags of many accounts, to look at: lists, and what the flags of a time come to."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, RowMapping, distinct, func, or_, select

from worker.core.flags import HEARD_OF, State
from worker.core.rules import Severity
from worker.core.shadows import Raised
from worker.store.tables import flag_history, flags

ANSWERS = (State.ACKNOWLEDGED, State.SNOOZED, State.DISMISSED)
"""What people make of a flag."""

LIVE = (State.PENDING, *sorted(HEARD_OF), State.DISMISSED)


def raised(db: Connection, since: date) -> list[Raised]:
    """Every flag that has opened and was up on `since` or later, in shadow or not."""
    of = flags.c
    found = db.execute(
        select(of.account, of.rule, of.shadow, of.opened_on, of.resolved_on)
        .where(of.opened_on.is_not(None), or_(of.resolved_on.is_(None), of.resolved_on >= since))
        .order_by(of.account, of.rule, of.id)
    )
    return [Raised(*row) for row in found]


def at_risk(db: Connection, on: date) -> list[tuple[str, str]]:
    """(account, rule) of the flags of high or critical severity that were open at the end of `on`.

    Neither those in shadow nor those that somebody has called no risk.
    """
    of = flags.c
    found = db.execute(
        select(of.account, of.rule)
        .where(
            of.opened_on <= on,
            or_(of.resolved_on.is_(None), of.resolved_on > on),
            of.severity.in_((Severity.HIGH, Severity.CRITICAL)),
            of.state != State.DISMISSED,
            ~of.shadow,
        )
        .order_by(of.account, of.rule)
    )
    return [(account, rule) for account, rule in found]


def answers(db: Connection, since: date) -> dict[tuple[str, bool], dict[str, int]]:
    """How many flags people acknowledged, snoozed or dismissed since a date: by (rule, shadow)."""
    moved = flag_history.c
    found = db.execute(
        select(flags.c.rule, flags.c.shadow, moved.to_state, func.count(distinct(flags.c.id)))
        .join(flags, flags.c.id == moved.flag)
        .where(moved.to_state.in_(ANSWERS), moved.on_date >= since)
        .group_by(flags.c.rule, flags.c.shadow, moved.to_state)
    )
    counts: dict[tuple[str, bool], dict[str, int]] = {}
    for rule, shadow, state, number in found:
        counts.setdefault((rule, shadow), dict.fromkeys(ANSWERS, 0))[state] = number
    return counts


def listed(
    db: Connection, account: str | None = None, states: Sequence[str] = LIVE, shadow: bool = False
) -> Sequence[RowMapping]:
    """Flags in those states, by account and rule, newest first within a rule: those that people
    hear of, or those in shadow."""
    query = select(flags).where(flags.c.state.in_(states), flags.c.shadow == shadow)
    if account is not None:
        query = query.where(flags.c.account == account)
    query = query.order_by(flags.c.account, flags.c.rule, flags.c.id.desc())
    return db.execute(query).mappings().all()
