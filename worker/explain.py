"""Explains the rules on one account: why each is or is not open, and what would change that.

Facts, outcomes and flags come from the code that evaluation uses, so an explanation cannot differ
from what happens. What lies ahead is found by letting the days pass without events.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from worker import freshness, healths
from worker.core.ailing import lowered_by
from worker.core.answers import resumed
from worker.core.conditions import AllOf, Condition, Facts, Not, facts_in
from worker.core.evidence import who
from worker.core.explanation import Explained, explained
from worker.core.facts import facts_of
from worker.core.flags import Flag, State, evaluation_date, judge
from worker.core.health import HEALTH, TREND_DAYS
from worker.core.reading import BASE
from worker.core.reasons import clears, missing
from worker.core.rules import CompiledRule, Rule
from worker.core.stats import AccountStats, Workspace
from worker.rulebook import Rulebook
from worker.store import flags, people, stats, sweeps
from worker.store.database import reading, writing
from worker.store.ties import calibrate

HORIZON = 400
"""Days to look ahead: a year, which the longest window of a fact has, and a month."""


class NotExplained(LookupError):
    """There is no such account or rule in force; the message says which, and what may be meant."""


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
class Explanation:
    """A rule on an account as of the end of the UTC date `on`.

    `outcome` is that of its condition, also where the account is `excepted`. `flag` is the live one
    as stored, which is as of `flag_on` whatever `on` is. `clears` is set if the rule holds, else
    `fires`. The changes are those without further events, within `HORIZON` days, of the outcome
    from `on` and of the flag from `flag_on`; a flag that begins to clear is in another state.
    """

    account: str
    on: date
    rule: Rule
    outcome: bool | None
    excepted: bool
    flag: Flag | None
    flag_on: date
    conditions: Explained
    except_when: Explained | None
    who: tuple[str, ...]
    clears: str | None
    fires: str | None
    outcome_change: OutcomeChange | None
    flag_change: FlagChange | None


def explain(
    engine: Engine,
    account: str,
    book: Rulebook,
    on: date,
    now: datetime,
    rule: str | None = None,
    horizon: int = HORIZON,
    withhold: bool = False,
) -> list[Explanation]:
    """Every rule in force, or the one named, on an account as of `on`, in order of id.

    With `withhold` the facts that rest on a silent source are unknown, as they are to evaluation.

    Raises:
        NotExplained: for an account or rule that there is not.
    """
    rules = _chosen(book, rule)
    with writing(engine) as db:
        calibrate(db, book.ties.half_life)
    with reading(engine) as db:
        if account not in stats.read(db, [account], on, book.ties.half_life, BASE):
            raise NotExplained(_no_account(db, account))
        withheld = (
            freshness.withheld_today(db, book.sources, book.metrics.facts, on) if withhold else {}
        )
        world = stats.read_workspace(db, book.ties)
        workspace = replace(world, withheld=withheld, health=book.health)
        ended = flags.last_ended(db, [account])
        days = _Days(db, account, book, workspace, horizon, ended)
        live = flags.ask_live(db, [account])()
        flag_on = evaluation_date(sweeps.last_sweep_on(db), now)
        names = people.rep_names(db)
        found = []
        for one in rules:
            stored = live.get((account, one.rule.id))
            flag = stored.flag if stored else None
            found.append(_explanation(one, days, on, flag, flag_on, names))
    return found


def _chosen(book: Rulebook, rule: str | None) -> Sequence[CompiledRule]:
    rules = book.rules.compiled
    if rule is None:
        return rules
    chosen = [one for one in rules if one.rule.id == rule]
    if rule in book.rules.off:
        raise NotExplained(f"Rule {rule!r} is switched off: it has 'mode: off'.")
    if not chosen:
        hint = _hint(rule, [one.rule.id for one in rules])
        raise NotExplained(f"There is no rule {rule!r}{hint}")
    return chosen


def _no_account(db: Connection, account: str) -> str:
    hint = _hint(account, stats.account_ids(db, date.max))
    return f"There is no account {account!r}{hint} 'tiewatch facts' lists all of them."


def _hint(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word[:_LONGEST_WORD], known, n=1)
    return f"; did you mean {near[0]!r}?" if near else "."


_LONGEST_WORD = 100
"""Characters of a wrong word that are compared with the right ones."""


@dataclass(frozen=True, slots=True)
class _Day:
    """An account at a day's end. A sweep of that day leaves out an account not `begun` by then."""

    stats: AccountStats
    facts: Facts
    begun: bool


@dataclass(frozen=True, slots=True)
class _Days:
    """An account on any day, read when it is first asked for; `horizon` days are looked ahead."""

    db: Connection
    account: str
    book: Rulebook
    workspace: Workspace
    horizon: int
    ended: Mapping[tuple[str, str], Flag]
    read: dict[date, _Day] = field(default_factory=dict)

    def day(self, on: date) -> _Day:
        """The account at the end of `on`, from the events up to then."""
        if on not in self.read:
            half_life, ordinal = self.book.ties.half_life, on.toordinal()
            reading, metrics = self.book.reading, self.book.metrics
            read = stats.read(self.db, [self.account], on, half_life, reading, metrics)
            one = read[self.account]
            one.past_health = self._past_health(on)
            begun = one.first_day is not None and one.first_day <= ordinal
            self.read[on] = _Day(one, facts_of(one, ordinal, self.workspace, metrics), begun)
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
        before = _outcome(compiled, self.day(on).facts)
        for ahead in range(1, self.horizon + 1):
            later = on + timedelta(days=ahead)
            after = _outcome(compiled, self.day(later).facts)
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
            if self.day(on).begun:
                before, facts = after, self.day(on).facts
                after = judge(compiled, before, facts, on).after
                if _opens(before, after) and after is not None:
                    last = self.ended.get((self.account, compiled.rule.id))
                    after = resumed(after, last, facts)
            if _standing(after) != _standing(flag):
                return FlagChange(on, after)
        return None


def _opens(before: Flag | None, after: Flag | None) -> bool:
    """Whether a flag opens that nobody has heard of."""
    was_up = before is not None and before.state is not State.PENDING
    return not was_up and after is not None and after.heard_of


def _outcome(compiled: CompiledRule, facts: Facts) -> tuple[bool | None, bool]:
    """What the condition comes to, and whether the account is excepted."""
    excepted = compiled.excepted is not None and compiled.excepted(facts) is True
    return compiled.holds(facts), excepted


def _standing(flag: Flag | None) -> tuple[State, bool] | None:
    """The state of a flag, and whether it is clearing."""
    return None if flag is None else (flag.state, flag.first_false_on is not None)


def _explanation(
    compiled: CompiledRule,
    days: _Days,
    on: date,
    flag: Flag | None,
    flag_on: date,
    rep_names: Mapping[str, str],
) -> Explanation:
    rule, day, thresholds = compiled.rule, days.day(on), days.book.rules.thresholds
    withheld = days.workspace.withheld
    outcome, excepted = _outcome(compiled, day.facts)
    holds = bool(outcome) and not excepted
    return Explanation(
        account=days.account,
        on=on,
        rule=rule,
        outcome=outcome,
        excepted=excepted,
        flag=flag,
        flag_on=flag_on,
        conditions=explained(rule.when, day.facts, thresholds, withheld),
        except_when=explained(rule.except_when, day.facts, thresholds, withheld)
        if rule.except_when
        else None,
        who=(
            *who(day.stats, on.toordinal(), days.workspace, facts_in(rule.when), rep_names),
            *lowered_by(facts_in(rule.when), day.facts, days.workspace.health),
        ),
        clears=clears(rule.when, day.facts, thresholds) if holds else None,
        fires=None if holds else missing(_wanted(rule, excepted), day.facts, thresholds),
        outcome_change=days.outcome_change(compiled, on),
        flag_change=days.flag_change(compiled, flag, flag_on),
    )


def _wanted(rule: Rule, excepted: bool) -> Condition:
    """What must come true for the rule to fire. An exception that is unknown is in nobody's way."""
    if excepted and rule.except_when is not None:
        return AllOf((rule.when, Not(rule.except_when)))
    return rule.when
