"""Computes the portfolio report: reads every account once, and lets `core` say what it comes to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from math import fsum
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from worker import standings
from worker.core.courses import Course, step_of
from worker.core.events import Event, Outcome, Survey
from worker.core.facts import facts_of, reading_for
from worker.core.portfolio.cohorts import Began, Cohort, cohorts, quarter_ends
from worker.core.portfolio.contracts import contracts_due
from worker.core.portfolio.courses import Held, History, began_on, course
from worker.core.portfolio.figures import (
    Correlation,
    Figures,
    Member,
    Movements,
    Renewals,
    correlation,
    currencies,
    engagement_and_health,
    figures,
    grouped,
    movements,
    renewals,
    without_revenue,
)
from worker.core.subscriptions import SubscriptionEvent
from worker.core.success import first_achieved
from worker.core.units import Value
from worker.rulebook import Rulebook
from worker.store import flag_lists, people, portfolio, rereading, stats
from worker.store.database import reading, writing
from worker.store.portfolio import Described
from worker.store.subscriptions import subscription_events
from worker.store.ties import calibrate

CHUNK = 1_000
"""Accounts that are read at once: a portfolio may be larger than memory."""

MONTHS = 12
"""Month ends up to closing at which customers and revenue are shown."""

ASKED = frozenset({"engaged", "days_to_renewal", "engagement_score"})
"""The facts that the report asks of customers at closing, beside their health."""


class By(StrEnum):
    """What a report can be split by."""

    SEGMENT = "segment"
    OWNER = "owner"
    PLAN = "plan"
    REGION = "region"


class Point(NamedTuple):
    """Customers and their revenue at the end of a day; revenue is None over several currencies."""

    day: date
    customers: int
    mrr: float | None


class Group(NamedTuple):
    """The figures of the accounts that have one value in common; None for those that have none."""

    value: str | None
    name: str
    figures: Figures
    movements: Movements | None


@dataclass(frozen=True, slots=True)
class Report:
    """The portfolio from the first day to the last, both included.

    `currency` is that of all money, None if nobody says, or if there are several: figures in money
    are then None. `healths` are (engagement, health) of the customers of whom both are known.
    `notes` say what is not in the figures, and why.
    """

    first: date
    last: date
    currency: str | None
    totals: Figures
    movements: Movements | None
    renewals: Sequence[Renewals]
    health_engagement: Correlation
    cohorts: Sequence[Cohort]
    trend: Sequence[Point]
    healths: Sequence[tuple[float, float]] = ()
    by: By | None = None
    groups: Sequence[Group] = ()
    notes: Sequence[str] = ()


@dataclass(slots=True)
class _Portfolio:
    """What has been read so far. `held` is what each account was, on every day that is asked."""

    members: list[Member] = field(default_factory=list)
    held: list[Mapping[int, Held]] = field(default_factory=list)
    began: list[Began] = field(default_factory=list)
    described: dict[str, Described] = field(default_factory=dict)


def report(
    engine: Engine,
    book: Rulebook,
    first: date,
    last: date,
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
        return read_report(db, book, first, last, by, currency, passed)


def read_report(
    db: Connection,
    book: Rulebook,
    first: date,
    last: date,
    by: By | None = None,
    currency: str | None = None,
    passed: Callable[[int, int], None] = lambda done, of: None,
) -> Report:
    """The same from a database whose ties have the half-life of the rules."""
    found = _Portfolio()
    ids = stats.account_ids(db, last)
    growth = book.rules.growth
    risky = {account for account, rule in flag_lists.at_risk(db, last) if rule not in growth}
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        _read(db, book, some, first, last, risky, currency, found)
        passed(start + len(some), len(ids))
    return _report(found, first, last, by, people.rep_names(db))


def _read(
    db: Connection,
    book: Rulebook,
    ids: Sequence[str],
    first: date,
    last: date,
    risky: set[str],
    currency: str | None,
    found: _Portfolio,
) -> None:
    """Add what some accounts come to."""
    end = datetime.combine(last + timedelta(days=1), time(), UTC)
    subscribed = subscription_events(db, ids)
    told = rereading.telling(db, ids, end)
    days = _days(first, last)
    billed = portfolio.records_subscriptions(db, end)
    begun = [
        _Account(
            one, _until(subscribed.get(one.account, ()), end), told.get(one.account, ()), billed
        )
        for one in portfolio.described(db, ids)
    ]
    courses = {one.name: dict(zip(days, course(one.history, days), strict=True)) for one in begun}
    customers = [name for name, held in courses.items() if held[last.toordinal()].customer]
    facts = _facts(db, book, customers, last)
    for one in begun:
        held = courses[one.name]
        if currency is not None and _currency(one, held, first, last) != currency:
            continue
        found.described[one.name] = one.described
        found.held.append(held)
        found.members.append(_member(one, held, first, last, one.name in risky, facts))
        start = began_on(one.history)
        if start is not None:
            found.began.append(Began(start, held))


class _Account(NamedTuple):
    described: Described
    subscribed: Sequence[SubscriptionEvent]
    told: Sequence[Event]
    billed: bool

    @property
    def name(self) -> str:
        return self.described.account

    @property
    def history(self) -> History:
        about = [event for event in self.told if event.type == "account"]
        one = self.described
        return History(one.first_day, self.subscribed, about, self.billed, one.currency)


def _until(events: Iterable[SubscriptionEvent], end: datetime) -> list[SubscriptionEvent]:
    return sorted(event for event in events if event.stamp[0] < end)


def _days(first: date, last: date) -> list[int]:
    """Every day that anything is asked of, in order."""
    opening = first - timedelta(days=1)
    return sorted(day.toordinal() for day in {opening, *_month_ends(last), *quarter_ends(last)})


def _month_ends(last: date) -> list[date]:
    """The month ends before the last day, and that day itself."""
    ends = [last]
    start = last.replace(day=1)
    while len(ends) < MONTHS:
        ends.insert(0, start - timedelta(days=1))
        start = ends[0].replace(day=1)
    return ends


def _facts(
    db: Connection, book: Rulebook, accounts: Sequence[str], on: date
) -> dict[str, dict[str, Value]]:
    world = standings.workspace_on(db, book, on, withhold=False)
    reading = reading_for(ASKED | book.health.facts, book.metrics)
    read = stats.read(db, accounts, on, book.ties.half_life, reading, book.metrics)
    return {
        account: facts_of(one, on.toordinal(), world, book.metrics) for account, one in read.items()
    }


def _member(
    one: _Account,
    held: Mapping[int, Held],
    first: date,
    last: date,
    flagged: bool,
    facts: Mapping[str, Mapping[str, Value]],
) -> Member:
    start, end = first.toordinal(), last.toordinal()
    of_now = facts.get(one.name, {})
    answers = [e.data for e in one.told if e.day >= start and isinstance(e.data, Survey)]
    return Member(
        one.name,
        opening=held[start - 1],
        closing=held[end],
        currency=_currency(one, held, first, last),
        contracts=contracts_due(one.subscribed, start, end),
        nps=_scores(answers, "nps"),
        csat=_scores(answers, "csat"),
        days_to_value=_days_to_value(one, start),
        engaged=_yes_or_no(of_now.get("engaged")),
        days_to_renewal=_whole(of_now.get("days_to_renewal")),
        flagged=flagged,
        health=_number(of_now.get("health")),
        engagement=_number(of_now.get("engagement_score")),
    )


def _currency(one: _Account, held: Mapping[int, Held], first: date, last: date) -> str | None:
    """What it pays in: the account's currency, else that of its subscriptions."""
    closing, opening = held[last.toordinal()], held[first.toordinal() - 1]
    return one.described.currency or closing.currency or opening.currency


def _scores(answers: Iterable[Survey], kind: str) -> list[float]:
    return [a.score for a in answers if a.kind == kind and not isinstance(a.score, str)]


def _days_to_value(one: _Account, start: int) -> int | None:
    """Days to the first goal that was achieved, if that was in the period."""
    goals: dict[str, Course] = {}
    for event in one.told:
        if isinstance(event.data, Outcome):
            goals.setdefault(event.data.goal, []).append(step_of(event))
    day = first_achieved(goals.values())
    return None if day is None or day < start else day - one.described.first_day


def _yes_or_no(value: Value) -> bool | None:
    return value if isinstance(value, bool) else None


def _whole(value: Value) -> int | None:
    return value if isinstance(value, int) else None


def _number(value: Value) -> float | None:
    return value if isinstance(value, int | float) else None


def _report(
    found: _Portfolio, first: date, last: date, by: By | None, names: Mapping[str, str]
) -> Report:
    members = found.members
    paid_in = currencies(members)
    one_currency = len(paid_in) < 2
    return Report(
        first,
        last,
        paid_in[0] if len(paid_in) == 1 else None,
        figures(members),
        movements(members),
        renewals(members),
        correlation(engagement_and_health(members)),
        cohorts(found.began, last, one_currency),
        [_point(found.held, day, one_currency) for day in _month_ends(last)],
        engagement_and_health(members),
        by,
        _groups(found, by, names) if by else (),
        list(_notes(members, paid_in)),
    )


def _point(held: Iterable[Mapping[int, Held]], day: date, one_currency: bool) -> Point:
    of_day = [one[day.toordinal()] for one in held]
    mrr = fsum(one.mrr or 0 for one in of_day) if one_currency else None
    return Point(day, sum(one.customer for one in of_day), mrr)


def _groups(found: _Portfolio, by: By, names: Mapping[str, str]) -> list[Group]:
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
