"""How well flags told which customers would leave: against a file of those who did.

A flag is a prediction, made on the day it opens: this account will leave within so many days. What
chance would have scored is worked out day by day, among the customers of the very day, so that a
rule gains nothing by when it fires: flags on accounts drawn by lot have a lift of 1.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import StringIO
from itertools import groupby
from pathlib import Path
from statistics import median

from worker.backtest.figures import by_rule
from worker.backtest.replay import Raised, Replay
from worker.core.units import YEARS

COLUMNS = ["account", "churned_on"]

Churns = Mapping[str, date]
"""The day on which each account left, by id."""


class OutcomesRefused(Exception):
    """An outcomes file that cannot be used; `problems` say what, where, and what to do."""

    def __init__(self, problems: Sequence[str]) -> None:
        """With at least one problem."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def read_outcomes(file: Path) -> Churns:
    """The accounts that left, and when, from a CSV file with the header `account,churned_on`.

    Raises:
        OutcomesRefused: with everything that is wrong with it.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise OutcomesRefused([f"{file}: cannot be read: {error.strerror}."]) from error
    except UnicodeDecodeError as error:
        raise OutcomesRefused([f"{file}: is not UTF-8: save it as 'CSV UTF-8'."]) from error
    churns: dict[str, date] = {}
    problems = []
    lines = csv.reader(StringIO(text, newline=""))
    try:
        if [name.strip() for name in next(lines, ())] != COLUMNS:
            problems.append(f"{file}:1: the first line must be {','.join(COLUMNS)}")
        for row in lines if not problems else ():
            if row:
                place = f"{file}:{lines.line_num}"
                problems += (f"{place}: {wrong}" for wrong in _add(row, churns))
    except csv.Error as error:
        problems.append(f"{file}:{lines.line_num}: is not CSV: {error}")
    if problems:
        raise OutcomesRefused(problems)
    return churns


def _add(row: Sequence[str], churns: dict[str, date]) -> Iterator[str]:
    """Add a line of the file, unless something is wrong with it."""
    if len(row) != len(COLUMNS):
        yield f"has {len(row)} columns: write the account's id and the day, like acme,2026-03-31"
        return
    account, day = row[0].strip(), _date(row[1].strip())
    if not account:
        yield "names no account: write its id in the first column"
    if day is None:
        yield f"{row[1]!r} is not a date: write it like 2026-03-31"
    if account in churns:
        yield f"{account!r} is there already: keep the line of the day on which it first left"
    if account and day is not None:
        churns.setdefault(account, day)


def _date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None


@dataclass(frozen=True, slots=True)
class Score:
    """How the flags of a rule did against the outcomes; shares are from 0 to 1.

    `flagged` flags could be judged, `not_judged` could not, since the days after them have not all
    been seen. Of `churned` accounts, `caught` had a flag. None is for a share of nothing.
    """

    flagged: int
    hits: int
    not_judged: int
    precision: float | None
    chance: float | None
    lift: float | None
    churned: int
    caught: int
    recall: float | None
    median_lead_days: float | None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The scores by rule, and the accounts of the file of which the log knew nothing by then."""

    within: int
    scores: Mapping[str, Score]
    unknown_accounts: tuple[str, ...]


def scored(replay: Replay, churns: Churns, within: int) -> Outcomes:
    """Hold every rule's flags against who left within so many days.

    A flag is judged if it opened in the period, on a customer who had not left, and all the days
    that it speaks of have been seen: churns are taken to be complete up to the period's end or the
    file's last day, whichever is later. Judging those flags earlier that came true would flatter.
    """
    horizon = timedelta(days=within)
    seen_until = max([replay.period.last, *churns.values()])
    judged_until = seen_until - horizon
    chances = {
        day: _chance(accounts, churns, day, horizon)
        for day, accounts in replay.customers.items()
        if day <= judged_until
    }
    left = {a: day for a, day in churns.items() if a in replay.accounts and day in replay.period}
    raised = by_rule(
        flag
        for flag in replay.raised
        if flag.of_customer and not _has_left(flag.account, churns, flag.opened_on)
    )
    scores = {}
    for rule in replay.rules.rules:
        opened = [flag for flag in raised[rule.id] if flag.opened_on in replay.period]
        judged = [flag for flag in opened if flag.opened_on <= judged_until]
        hits = sum(_leaves(flag.account, churns, flag.opened_on, horizon) for flag in judged)
        expected = sum(chances[flag.opened_on] for flag in judged)
        leads = list(_leads(raised[rule.id], left, horizon))
        scores[rule.id] = Score(
            flagged=len(judged),
            hits=hits,
            not_judged=len(opened) - len(judged),
            precision=hits / len(judged) if judged else None,
            chance=expected / len(judged) if judged else None,
            lift=hits / expected if expected else None,
            churned=len(left),
            caught=len(leads),
            recall=len(leads) / len(left) if left else None,
            median_lead_days=median(leads) if leads else None,
        )
    return Outcomes(within, scores, tuple(sorted(churns.keys() - replay.accounts)))


def _chance(accounts: Sequence[str], churns: Churns, on: date, horizon: timedelta) -> float:
    """The share of a day's customers who left within the horizon after it."""
    staying = [account for account in accounts if not _has_left(account, churns, on)]
    leaving = sum(_leaves(account, churns, on, horizon) for account in staying)
    return leaving / len(staying) if staying else 0.0


def _has_left(account: str, churns: Churns, on: date) -> bool:
    return account in churns and churns[account] <= on


def _leaves(account: str, churns: Churns, on: date, horizon: timedelta) -> bool:
    return account in churns and on < churns[account] <= on + horizon


def _leads(raised: Sequence[Raised], left: Churns, horizon: timedelta) -> Iterator[int]:
    """For each churn with a flag up on some day of the horizon before it: days since it opened.

    Of several flags the last counts: an older one had been resolved.
    """
    for account, flags in groupby(raised, key=lambda flag: flag.account):
        if account not in left:
            continue
        gone = left[account]
        days = [
            (gone - flag.opened_on).days
            for flag in flags
            if flag.resolved_on is None or flag.resolved_on > gone - horizon
        ]
        if days:
            yield min(days)
