"""Computes the portfolio report: reads every account once, and lets `core` say what it comes to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from math import fsum

from sqlalchemy import Connection, Engine

from worker.core.portfolio.cohorts import cohorts
from worker.core.portfolio.courses import Held
from worker.core.portfolio.figures import (
    Member,
    correlation,
    currencies,
    engagement_and_health,
    figures,
    grouped,
    movements,
    renewals,
    without_revenue,
)
from worker.report.accounts import Portfolio, month_ends
from worker.report.contents import By, Group, Point, Report
from worker.rulebooks.rulebook import Rulebook
from worker.store import flag_lists, people, stats
from worker.store.database import reading, writing
from worker.store.ties import calibrate

CHUNK = 1_000
"""Accounts that are read at once: a portfolio may be larger than memory."""


def report(
    engine: Engine,
    book: Rulebook,
    first: date,
    last: date,
    *,
    by: By | None = None,
    currency: str | None = None,
    passed: Callable[[int, int], None] = lambda done, of: None,
) -> Report:
    """The portfolio over a period, of all accounts or of those that pay in one currency.

    `passed` is told how many accounts of how many have been read.
    """
    with writing(engine) as db:
        calibrate(db, book.ties.half_life)
    with reading(engine) as db:
        return read_report(db, book, first, last, by=by, currency=currency, passed=passed)


def read_report(
    db: Connection,
    book: Rulebook,
    first: date,
    last: date,
    *,
    by: By | None = None,
    currency: str | None = None,
    passed: Callable[[int, int], None] = lambda done, of: None,
) -> Report:
    """The same from a database whose ties have the half-life of the rules."""
    ids, growth = stats.account_ids(db, last), book.rules.growth
    at_risk = {account for account, rule in flag_lists.at_risk(db, last) if rule not in growth}
    found = Portfolio(first, last, currency, at_risk)
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        found.add(db, book, some)
        passed(start + len(some), len(ids))
    return _report(found, by, people.rep_names(db))


def _report(found: Portfolio, by: By | None, names: Mapping[str, str]) -> Report:
    members = found.members
    paid_in = currencies(members)
    one_currency = len(paid_in) < 2
    return Report(
        found.first,
        found.last,
        paid_in[0] if len(paid_in) == 1 else None,
        figures(members),
        movements(members),
        renewals(members),
        correlation(engagement_and_health(members)),
        cohorts(found.began, found.last, one_currency),
        [_point(found.held, day, one_currency) for day in month_ends(found.last)],
        engagement_and_health(members),
        by,
        _groups(found, by, names) if by else (),
        list(_notes(members, paid_in)),
    )


def _point(held: Iterable[Mapping[int, Held]], day: date, one_currency: bool) -> Point:
    of_day = [one[day.toordinal()] for one in held]
    mrr = fsum(one.mrr or 0 for one in of_day) if one_currency else None
    return Point(day, sum(one.customer for one in of_day), mrr)


def _groups(found: Portfolio, by: By, names: Mapping[str, str]) -> list[Group]:
    def value_of(member: Member) -> str | None:
        if by is By.PLAN:
            return member.opening.plan or member.closing.plan
        value: str | None = getattr(found.described[member.account], by)
        return value

    return [
        Group(value, _name(value, by, names), figures(members), movements(members))
        for value, members in grouped(filter(_counts, found.members), value_of)
    ]


def _counts(member: Member) -> bool:
    """Whether the account is in any figure."""
    answered = member.nps or member.csat or member.days_to_value is not None
    return bool(member.opening.customer or member.closing.customer or member.contracts or answered)


def _name(value: str | None, by: By, names: Mapping[str, str]) -> str:
    if value is None:
        return f"without {by}"
    return names.get(value, value) if by is By.OWNER else value


def _notes(members: Sequence[Member], paid_in: Sequence[str]) -> Iterable[str]:
    if len(paid_in) > 1:
        yield (
            f"Customers pay in {', '.join(paid_in)}: figures in money are of one currency, "
            f"such as with --currency {paid_in[0]}."
        )
    left_out = without_revenue(members)
    if left_out:
        yield (
            f"Of {left_out:,} customers nobody says what they pay: they count as customers, and "
            "are in no figure of revenue."
        )
