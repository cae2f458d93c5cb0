"""Explains the rules on one account: why each is or is not open, and what would change that.

Facts, outcomes and flags come from the code that evaluation uses, so an explanation cannot differ
from what happens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches

from sqlalchemy import Connection, Engine

from worker.core.conditions import AllOf, Condition, Not, facts_in
from worker.core.evidence import behind
from worker.core.explanation import Explained, explained
from worker.core.flags import Flag, evaluation_date
from worker.core.reading import BASE
from worker.core.reasons import clears, missing
from worker.core.rules import CompiledRule, Rule
from worker.evaluating import standings
from worker.explaining.ahead import HORIZON, Days, FlagChange, OutcomeChange, outcome_of
from worker.rulebooks.rulebook import Rulebook
from worker.store import flags, people, stats, sweeps
from worker.store.database import reading, writing
from worker.store.ties import calibrate


class NotExplained(LookupError):
    """There is no such account or rule in force; the message says which, and what may be meant."""


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
        workspace = standings.workspace_on(db, book, on, withhold=withhold)
        ended = flags.last_ended(db, [account])
        days = Days(db, account, book, workspace, horizon, ended)
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


def _explanation(
    compiled: CompiledRule,
    days: Days,
    on: date,
    flag: Flag | None,
    flag_on: date,
    rep_names: Mapping[str, str],
) -> Explanation:
    rule, day, thresholds = compiled.rule, days.day(on), days.book.rules.thresholds
    withheld = days.workspace.withheld
    outcome, excepted = outcome_of(compiled, day.facts)
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
        who=behind(facts_in(rule.when), day.stats, day.facts, days.workspace, on, rep_names),
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
