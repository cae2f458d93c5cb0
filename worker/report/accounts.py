"""Reads accounts for the portfolio report: what each was on every day that is asked of."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from worker.core.contents import Outcome, Survey
from worker.core.courses import Course, step_of
from worker.core.events import Event
from worker.core.facts import facts_of, reading_for
from worker.core.portfolio.cohorts import Began, quarter_ends
from worker.core.portfolio.contracts import contracts_due
from worker.core.portfolio.courses import Held, History, began_on, course
from worker.core.portfolio.figures import Member
from worker.core.subscriptions import SubscriptionEvent
from worker.core.success import first_achieved
from worker.core.units import Value
from worker.evaluating import standings
from worker.rulebooks.rulebook import Rulebook
from worker.store import portfolio, rereading, stats
from worker.store.portfolio import Described
from worker.store.subscriptions import subscription_events

MONTHS = 12
"""Month ends up to closing at which customers and revenue are shown."""

ASKED = frozenset({"engaged", "days_to_renewal", "engagement_score"})
"""The facts that the report asks of customers at closing, beside their health."""


class _Account(NamedTuple):
    """An account with all that had been said of it by the last day."""

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


@dataclass(slots=True)
class Portfolio:
    """The accounts read so far, over the period from `first` to `last`, both included.

    Those that pay in another `currency` than the one given are left out; `flagged` are those with
    flags that put them at risk. `held` is what each account was, on every day that is asked of.
    """

    first: date
    last: date
    currency: str | None
    flagged: Collection[str]
    members: list[Member] = field(default_factory=list)
    held: list[Mapping[int, Held]] = field(default_factory=list)
    began: list[Began] = field(default_factory=list)
    described: dict[str, Described] = field(default_factory=dict)

    def add(self, db: Connection, book: Rulebook, ids: Sequence[str]) -> None:
        """Read some more accounts."""
        accounts = _accounts(db, ids, datetime.combine(self.last + timedelta(days=1), time(), UTC))
        days = _days(self.first, self.last)
        courses = {
            one.name: dict(zip(days, course(one.history, days), strict=True)) for one in accounts
        }
        closing = self.last.toordinal()
        customers = [name for name, held in courses.items() if held[closing].customer]
        facts = _facts(db, book, customers, self.last)
        for one in accounts:
            held = courses[one.name]
            if self.currency in (None, self._currency(one, held)):
                self._take(one, held, facts.get(one.name, {}))

    def _take(self, one: _Account, held: Mapping[int, Held], facts: Mapping[str, Value]) -> None:
        self.described[one.name] = one.described
        self.held.append(held)
        self.members.append(self._member(one, held, facts))
        start = began_on(one.history)
        if start is not None:
            self.began.append(Began(start, held))

    def _member(
        self, one: _Account, held: Mapping[int, Held], facts: Mapping[str, Value]
    ) -> Member:
        start, end = self.first.toordinal(), self.last.toordinal()
        answers = [e.data for e in one.told if e.day >= start and isinstance(e.data, Survey)]
        return Member(
            one.name,
            opening=held[start - 1],
            closing=held[end],
            currency=self._currency(one, held),
            contracts=contracts_due(one.subscribed, start, end),
            nps=_scores(answers, "nps"),
            csat=_scores(answers, "csat"),
            days_to_value=_days_to_value(one, start),
            engaged=_yes_or_no(facts.get("engaged")),
            days_to_renewal=_whole(facts.get("days_to_renewal")),
            flagged=one.name in self.flagged,
            health=_number(facts.get("health")),
            engagement=_number(facts.get("engagement_score")),
        )

    def _currency(self, one: _Account, held: Mapping[int, Held]) -> str | None:
        """What it pays in: the account's currency, else that of its subscriptions."""
        closing, opening = held[self.last.toordinal()], held[self.first.toordinal() - 1]
        return one.described.currency or closing.currency or opening.currency


def _accounts(db: Connection, ids: Sequence[str], end: datetime) -> list[_Account]:
    """What had been said of these accounts by a moment."""
    subscribed = subscription_events(db, ids)
    told = rereading.telling(db, ids, end)
    billed = portfolio.records_subscriptions(db, end)
    return [
        _Account(
            one, _until(subscribed.get(one.account, ()), end), told.get(one.account, ()), billed
        )
        for one in portfolio.described(db, ids)
    ]


def _until(events: Iterable[SubscriptionEvent], end: datetime) -> list[SubscriptionEvent]:
    return sorted(event for event in events if event.stamp[0] < end)


def _days(first: date, last: date) -> list[int]:
    """Every day that anything is asked of, in order."""
    opening = first - timedelta(days=1)
    return sorted(day.toordinal() for day in {opening, *month_ends(last), *quarter_ends(last)})


def month_ends(last: date) -> list[date]:
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
