"""Lets logged days pass again, with a sweep at each day's end; nothing is written, nobody told.

Facts, rules and flags are those of `core`, fed from memory instead of tables.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple

from worker.core.additions import additions
from worker.core.conditions import Facts
from worker.core.events import Event
from worker.core.facts import facts_of
from worker.core.flags import Flag, State, judge
from worker.core.memory import Memory
from worker.core.rules import RuleSet
from worker.core.stats import Workspace
from worker.core.trends import PastScores
from worker.rulebooks.rulebook import Rulebook

DAY = timedelta(days=1)
CHURNED = "churned"


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a backtest reports on, both ends in."""

    first: date
    last: date

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last


class Raised(NamedTuple):
    """A flag that opened; `resolved_on` is None if it stayed open.

    `owner` is that of the day it opened. `of_customer` is false if its account had churned by the
    end of that day, as far as the events tell.
    """

    account: str
    rule: str
    first_true_on: date
    opened_on: date
    owner: str | None
    of_customer: bool
    resolved_on: date | None = None

    def is_open_before(self, day: date) -> bool:
        """Whether it was open when the day began."""
        return self.opened_on < day and (self.resolved_on is None or self.resolved_on >= day)


@dataclass(frozen=True, slots=True)
class Replay:
    """What a rule set did from the first event to the end of the period.

    `raised` are in order of account, rule and opening, those from before the period included.
    `accounts` are all that the events name; `customers` are, for each day of the period, those that
    were known by its end and had not churned as far as the events tell. `unknown` counts by rule
    the account-days of the period on which it could not be told whether the rule holds;
    `account_days` counts all of them. `ended` is the day of the last event.
    """

    rules: RuleSet
    period: Period
    raised: Sequence[Raised]
    accounts: frozenset[str]
    customers: Mapping[date, Sequence[str]]
    unknown: Mapping[str, int]
    account_days: int
    ended: date

    def up(self) -> list[Raised]:
        """The flags that were up at some time of the period."""
        period = self.period
        return [f for f in self.raised if f.opened_on in period or f.is_open_before(period.first)]


def replay(
    events: Iterable[Event],
    books: Sequence[Rulebook],
    period: Period,
    passed: Callable[[date], None] = lambda day: None,
) -> list[Replay]:
    """Let all days up to the period's end pass once, for each of the rulebooks.

    `events` are the log from its beginning, in order of time; the flags and holds of the period's
    first day come out of it. `passed` is told of each day.
    """
    courses = [_Course(book) for book in books]
    views = {_view(book): book for book in books}
    memories = {book.ties: Memory() for book in books}
    scores = {view: PastScores() for view in views}
    any_memory = next(iter(memories.values()))
    customers: dict[date, list[str]] = {}
    account_days, ended = 0, period.first
    for on, happened in _by_day(events, period.last):
        added, today, reported = additions(happened), on.toordinal(), on in period
        for memory in memories.values():
            memory.add(added)
        if happened:
            ended = on
        worlds = {ties: memory.workspace(ties) for ties, memory in memories.items()}
        remaining = []
        for account in any_memory.accounts:
            facts = {
                view: _facts(
                    memories[book.ties], account, book, today, worlds[book.ties], scores[view]
                )
                for view, book in views.items()
            }
            if next(iter(facts.values()))["lifecycle"] != CHURNED:
                remaining.append(account)
            for course in courses:
                course.evaluate(account, facts[course.view], on, reported)
        if reported:
            customers[on] = remaining
            account_days += len(any_memory.accounts)
        passed(on)
    accounts = frozenset(any_memory.accounts)
    return [
        Replay(
            c.book.rules, period, c.raised(), accounts, customers, c.unknown, account_days, ended
        )
        for c in courses
    ]


def _view(book: Rulebook) -> tuple[object, ...]:
    """Equal for rulebooks of which an account has the same facts, as far as they are read."""
    return book.ties, repr(book.metrics), repr(book.health), book.reading


def _facts(
    memory: Memory, account: str, book: Rulebook, on: int, world: Workspace, scores: PastScores
) -> Facts:
    stats = memory.stats(account, on, book.ties.half_life, book.reading, book.metrics)
    stats.past_health = scores.before(account, on)
    facts = facts_of(stats, on, replace(world, health=book.health), book.metrics)
    scores.note(account, on, facts)
    return facts


def _by_day(events: Iterable[Event], last: date) -> Iterator[tuple[date, list[Event]]]:
    """Every day from the first event's to the last one, with its events."""
    on: date | None = None
    for ordinal, happened in groupby(events, key=lambda event: event.day):
        day = date.fromordinal(ordinal)
        while on is not None and on < day:
            yield on, []
            on += DAY
        yield day, list(happened)
        on = day + DAY
    while on is not None and on <= last:
        yield on, []
        on += DAY


@dataclass(slots=True)
class _Course:
    """The course of the flags of one rulebook."""

    book: Rulebook
    view: tuple[object, ...] = field(init=False)
    unknown: Counter[str] = field(default_factory=Counter)
    live: dict[str, dict[str, Flag]] = field(default_factory=lambda: defaultdict(dict))
    open: dict[tuple[str, str], Raised] = field(default_factory=dict)
    resolved: list[Raised] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.view = _view(self.book)

    def evaluate(self, account: str, facts: Facts, on: date, reported: bool) -> None:
        """Move the account's flags; what is unknown counts on days that are reported."""
        live = self.live[account]
        for compiled in self.book.rules.compiled:
            rule = compiled.rule.id
            before = live.get(rule)
            after, outcome, excepted = judge(compiled, before, facts, on)
            if reported and outcome is None and not excepted:
                self.unknown[rule] += 1
            if after is before:
                continue
            if after is None or after.state is State.RESOLVED:
                del live[rule]
            else:
                live[rule] = after
            self._note(account, rule, after, facts)

    def _note(self, account: str, rule: str, after: Flag | None, facts: Facts) -> None:
        """Keep when flags open and end; one whose hold still runs has not opened."""
        key = (account, rule)
        if after is None or after.opened_on is None:
            return
        if after.state is State.RESOLVED:
            self.resolved.append(self.open.pop(key)._replace(resolved_on=after.resolved_on))
        elif key not in self.open:
            owner = facts["owner"]
            self.open[key] = Raised(
                account,
                rule,
                after.first_true_on,
                after.opened_on,
                owner if isinstance(owner, str) else None,
                facts["lifecycle"] != CHURNED,
            )

    def raised(self) -> list[Raised]:
        """All flags that opened, in order of account, rule and opening."""
        return sorted([*self.resolved, *self.open.values()], key=lambda flag: flag[:4])
