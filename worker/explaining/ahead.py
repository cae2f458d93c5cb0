"""What lies ahead of an account if nothing happens: days pass, and a rule comes out otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from worker.core.answers import resumed
from worker.core.conditions import Facts
from worker.core.flags import Flag, State, judge
from worker.core.health import HEALTH
from worker.core.rules import CompiledRule
from worker.core.stats import Workspace
from worker.core.trends import TREND_DAYS
from worker.evaluating import healths, standings
from worker.evaluating.standings import Standing
from worker.rulebooks.rulebook import Rulebook

HORIZON = 400
"""Days to look ahead: a year, which the longest window of a fact has, and a month."""


class OutcomeChange(NamedTuple):
    """The first date on which the rule or its exception comes out otherwise, and how."""

    on: date
    outcome: bool | None
    excepted: bool


class FlagChange(NamedTuple):
    """The first date on which a flag is in another state, or none, and the flag it then is."""

    on: date
    flag: Flag | None


@dataclass(frozen=True, slots=True)
class Days:
    """An account on any day, read when it is first asked for; `horizon` days are looked ahead.

    `ended` are each rule's last resolved flags, by (account, rule).
    """

    db: Connection
    account: str
    book: Rulebook
    workspace: Workspace
    horizon: int
    ended: Mapping[tuple[str, str], Flag]
    read: dict[date, Standing] = field(default_factory=dict)

    def day(self, on: date) -> Standing:
        """The account at the end of `on`, from the events up to then."""
        if on not in self.read:
            past = {self.account: self._past_health(on)}
            found = standings.read_in(self.db, [self.account], on, self.book, self.workspace, past)
            ((_, self.read[on]),) = found.standings()
        return self.read[on]

    def _past_health(self, on: date) -> int | None:
        """Of a day looked at before, where it is one: half of those ahead are."""
        if not (self.book.health.parts and healths.is_asked(self.book.rules.facts)):
            return None
        then = on - timedelta(days=TREND_DAYS)
        if then in self.read:
            score = self.read[then].facts[HEALTH]
            return score if isinstance(score, int) else None
        found = healths.past_scores(
            self.db, [self.account], on, self.workspace, self.book.metrics, keep=False
        )
        return found[self.account]

    def outcome_change(self, compiled: CompiledRule, on: date) -> OutcomeChange | None:
        """The first day after `on` on which the rule says something else."""
        before = outcome_of(compiled, self.day(on).facts)
        for ahead in range(1, self.horizon + 1):
            later = on + timedelta(days=ahead)
            after = outcome_of(compiled, self.day(later).facts)
            if after != before:
                return OutcomeChange(later, *after)
        return None

    def flag_change(
        self, compiled: CompiledRule, flag: Flag | None, start: date
    ) -> FlagChange | None:
        """The first day from `start` whose sweep leaves the flag in another state.

        `start` itself counts: it may not have been swept yet, and to sweep it twice does no harm.
        """
        after = flag
        for ahead in range(self.horizon + 1):
            on = start + timedelta(days=ahead)
            if _is_swept(self.day(on), on):
                before, facts = after, self.day(on).facts
                after = judge(compiled, before, facts, on).after
                if _opens(before, after) and after is not None:
                    last = self.ended.get((self.account, compiled.rule.id))
                    after = resumed(after, last, facts)
            if _standing(after) != _standing(flag):
                return FlagChange(on, after)
        return None


def outcome_of(compiled: CompiledRule, facts: Facts) -> tuple[bool | None, bool]:
    """What the condition comes to, and whether the account is excepted."""
    excepted = compiled.excepted is not None and compiled.excepted(facts) is True
    return compiled.holds(facts), excepted


def _is_swept(standing: Standing, on: date) -> bool:
    """Whether a sweep of that day looks at the account: it leaves out one not begun by then."""
    first = standing.stats.first_day
    return first is not None and first <= on.toordinal()


def _opens(before: Flag | None, after: Flag | None) -> bool:
    """Whether a flag opens that nobody has heard of."""
    was_up = before is not None and before.state is not State.PENDING
    return not was_up and after is not None and after.heard_of


def _standing(flag: Flag | None) -> tuple[State, bool] | None:
    """The state of a flag, and whether it is clearing."""
    return None if flag is None else (flag.state, flag.first_false_on is not None)
