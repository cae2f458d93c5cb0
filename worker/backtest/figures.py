"""What came of each rule in a replay, in figures: how much, whose, for how long, how steadily."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

from worker.backtest.replay import Period, Raised, Replay
from worker.core.rules import Rule

REOPENED_WITHIN = 14
"""A flag that opens again within so many days after it resolved was flapping."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one rule; docs/backtest.md defines each.

    `flags`, `accounts`, the days open, `by_week` (Monday, flags) and `by_rep` (owner, flags) are
    of flags that opened in the period. `unknown_share` is from 0 to 1, None without an account.
    """

    rule: Rule
    flags: int
    accounts: int
    open_at_start: int
    open_at_end: int
    median_days_open: float | None
    longest_days_open: int | None
    flapping: tuple[str, ...]
    unknown_share: float | None
    by_week: tuple[tuple[date, int], ...]
    by_rep: tuple[tuple[str | None, int], ...]


def figures(replay: Replay) -> list[Figures]:
    """The figures of every rule, in order of id."""
    raised = by_rule(replay.raised)
    return [_figures(rule, raised[rule.id], replay) for rule in replay.rules.rules]


def by_rule(raised: Iterable[Raised]) -> dict[str, list[Raised]]:
    """The flags of each rule, in the order given."""
    found: dict[str, list[Raised]] = defaultdict(list)
    for flag in raised:
        found[flag.rule].append(flag)
    return found


def _figures(rule: Rule, raised: Sequence[Raised], replay: Replay) -> Figures:
    period = replay.period
    opened = [flag for flag in raised if flag.opened_on in period]
    lasted = [((flag.resolved_on or period.last) - flag.opened_on).days for flag in opened]
    return Figures(
        rule=rule,
        flags=len(opened),
        accounts=len({flag.account for flag in opened}),
        open_at_start=sum(flag.is_open_before(period.first) for flag in raised),
        open_at_end=sum(flag.resolved_on is None for flag in raised),
        median_days_open=median(lasted) if lasted else None,
        longest_days_open=max(lasted, default=None),
        flapping=tuple(_flapping(raised, period)),
        unknown_share=_share(replay.unknown.get(rule.id, 0), replay.account_days),
        by_week=tuple(_by_week(opened, period)),
        by_rep=tuple(_by_rep(opened)),
    )


def _flapping(raised: Sequence[Raised], period: Period) -> list[str]:
    """The accounts on which the rule, in the period, opened again soon after it had resolved."""
    soon = timedelta(days=REOPENED_WITHIN)
    return sorted(
        {
            after.account
            for before, after in pairwise(raised)
            if before.account == after.account
            and before.resolved_on is not None
            and after.opened_on - before.resolved_on <= soon
            and after.opened_on in period
        }
    )


def _by_week(opened: Iterable[Raised], period: Period) -> Iterator[tuple[date, int]]:
    """How many opened in each week that the period touches, by its Monday."""
    counts = Counter(_monday(flag.opened_on) for flag in opened)
    monday = _monday(period.first)
    while monday <= period.last:
        yield monday, counts[monday]
        monday += timedelta(days=7)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _by_rep(opened: Iterable[Raised]) -> list[tuple[str | None, int]]:
    """How many opened for each owner, by id; None, for accounts without one, is the last."""
    counts = Counter(flag.owner for flag in opened)
    return sorted(counts.items(), key=lambda one: (one[0] is None, one[0] or ""))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
