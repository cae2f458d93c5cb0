"""Explanations: what they say is so, and what they say will happen does happen."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.histories import ACCOUNTS, TODAY, histories, parsed
from tests.pipeline import at, event, meeting, rows, rulebook, sweep, take_in
from worker.core.additions import additions
from worker.core.conditions import evaluate
from worker.core.facts import FACTS, facts_of
from worker.core.memory import Memory
from worker.explaining.explain import Explanation, NotExplained, explain
from worker.explaining.words import ahead
from worker.rulebooks.rulebook import Rulebook
from worker.store import stats, tables
from worker.store.database import reading, writing

D = date(2026, 2, 18)
HORIZON = 40

SILENCE = """
thresholds:
  patience: {enterprise: 5 days, default: 20 days}
rules:
  - id: silence
    title: "No contact for {days_since_contact}"
    severity: medium
    when: {days_since_contact: over patience}
    hold_for: 2 days
    keep_open_for: 3 days
    except_when: {lifecycle: churned}
  - id: idle
    title: "No usage for {days_since_usage}"
    severity: low
    when: {days_since_usage: over 5 days}
"""


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    return rulebook(tmp_path, SILENCE)


def days(number: int) -> date:
    return D + timedelta(number)


def silence(engine: Engine, book: Rulebook, on: date, today: date | None = None) -> Explanation:
    (one,) = explain(engine, "acme", book, on, at(today or on, 22), "silence")
    return one


def tell(engine: Engine, book: Rulebook, **of_account: str) -> None:
    """An enterprise account that was met on the 18th."""
    account = event("account", D, segment="enterprise", **of_account)
    take_in(engine, book, D, account, meeting(D))


def test_a_rule_that_does_not_hold_says_what_is_missing_and_when_it_fires(sqlite_engine, book):
    tell(sqlite_engine, book)
    one = silence(sqlite_engine, book, D)
    assert (one.outcome, one.excepted, one.flag) == (False, False, None)
    assert (one.clears, one.fires) == (None, "the last contact is over 5 days ago")
    assert one.outcome_change == (days(6), True, False)
    assert one.flag_change is not None
    assert (one.flag_change.on, str(one.flag_change.flag.state)) == (days(6), "pending")


def test_a_flag_goes_from_pending_to_open_as_the_days_pass(sqlite_engine, book):
    tell(sqlite_engine, book)
    sweep(sqlite_engine, book, days(6))
    one = silence(sqlite_engine, book, days(6))
    assert (one.outcome, str(one.flag.state), one.flag.first_true_on) == (True, "pending", days(6))
    assert (one.clears, one.fires) == ("the last contact is at most 5 days ago", None)
    assert (one.outcome_change, one.flag_change.on) == (None, days(8))
    sweep(sqlite_engine, book, days(8))
    one = silence(sqlite_engine, book, days(8))
    assert (str(one.flag.state), one.flag.opened_on) == ("open", days(8))
    assert one.flag_change is None


def test_a_flag_that_is_clearing_says_since_when_and_when_it_resolves(sqlite_engine, book):
    tell(sqlite_engine, book)
    for number in (6, 8):
        sweep(sqlite_engine, book, days(number))
    take_in(sqlite_engine, book, days(9), meeting(days(9)))
    one = silence(sqlite_engine, book, days(9))
    assert (str(one.flag.state), one.flag.first_false_on) == ("open", days(9))
    assert (one.outcome_change.on, one.flag_change.on) == (days(15), days(12))
    assert str(one.flag_change.flag.state) == "resolved"


def test_a_day_that_was_not_swept_yet_may_be_the_one_on_which_the_flag_changes(sqlite_engine, book):
    tell(sqlite_engine, book)
    sweep(sqlite_engine, book, days(6))
    one = silence(sqlite_engine, book, days(8))
    assert (str(one.flag.state), one.flag_change.on) == ("pending", days(8))


def test_an_account_whose_first_event_is_dated_tomorrow_is_swept_from_then_on(sqlite_engine, book):
    take_in(sqlite_engine, book, D, event("account", days(1), segment="enterprise"))
    take_in(sqlite_engine, book, D, meeting(D, account="zoo"))  # which makes contacts known
    one = silence(sqlite_engine, book, D)
    assert (one.outcome, one.flag, one.flag_change.on) == (True, None, days(1))
    sweep(sqlite_engine, book, D)
    assert silence(sqlite_engine, book, D).flag is None
    sweep(sqlite_engine, book, days(1))
    assert silence(sqlite_engine, book, days(1)).flag is not None


def test_an_excepted_account_says_so_and_what_would_end_it(sqlite_engine, book):
    tell(sqlite_engine, book, lifecycle="churned")
    one = silence(sqlite_engine, book, days(6))
    assert (one.outcome, one.excepted, one.clears) == (True, True, None)
    assert one.except_when.outcome is True
    assert one.fires == "the lifecycle is not churned"
    one = silence(sqlite_engine, book, days(1))
    assert one.fires == "the last contact is over 5 days ago and the lifecycle is not churned"
    assert one.flag_change is None


def test_what_changes_while_an_account_is_excepted_is_not_told_as_the_exception(
    sqlite_engine, book
):
    tell(sqlite_engine, book, lifecycle="churned")
    one = silence(sqlite_engine, book, days(1))
    assert (one.outcome, one.excepted, one.outcome_change) == (False, True, (days(6), True, True))
    assert ahead(one) == (
        f"if nothing happens, from {days(6)} what the rule looks for holds, with the account still "
        "excepted"
    )


def test_what_is_unknown_says_why_and_a_rule_without_exception_has_none(sqlite_engine, book):
    tell(sqlite_engine, book)
    idle, _ = explain(sqlite_engine, "acme", book, D, at(D))
    assert (idle.rule.id, idle.outcome, idle.except_when) == ("idle", None, None)
    assert idle.conditions.unknown_because == "the account has no usage event yet"
    assert idle.fires == "the last usage is over 5 days ago"
    assert (idle.outcome_change, idle.flag_change) == (None, None)


def test_the_past_has_its_own_facts_and_the_flag_of_now(sqlite_engine, book):
    tell(sqlite_engine, book)
    for number in (6, 8):
        sweep(sqlite_engine, book, days(number))
    one = silence(sqlite_engine, book, days(2), today=days(8))
    assert (one.outcome, one.conditions.value) == (False, 2)
    assert (one.flag.opened_on, one.flag_on) == (days(8), days(8))
    assert one.outcome_change.on == days(6)


def test_the_people_are_those_of_the_facts_that_the_rule_looks_at(sqlite_engine, tmp_path):
    text = SILENCE.replace("{days_since_contact: over", "{days_since_exec_contact: over")
    book = rulebook(tmp_path, text)
    tell(sqlite_engine, book)
    one = silence(sqlite_engine, book, D)
    assert one.who == (
        "No executive is known at this account.",
        "Nearest other: dana, moderate tie, today, with sam.",
        "1 contact has no known level: a title would say whether they decide.",
    )


@pytest.mark.parametrize(
    ("account", "rule", "said"),
    [
        ("acmee", None, "no account 'acmee'; did you mean 'acme'?"),
        ("zzz", None, "no account 'zzz'. 'tiewatch facts' lists"),
        ("acme", "silense", "no rule 'silense'; did you mean 'silence'?"),
        ("acme", "zzz", "no rule 'zzz'."),
    ],
)
def test_an_account_or_rule_that_is_not_there_is_named(sqlite_engine, book, account, rule, said):
    tell(sqlite_engine, book)
    with pytest.raises(NotExplained, match=said.replace("?", r"\?")):
        explain(sqlite_engine, account, book, D, at(D), rule)


WATCHED = """
rules:
  - id: quiet
    title: quiet
    severity: low
    when: {days_since_contact: over 30 days}
    hold_for: 3 days
    except_when: {lifecycle: churned}
  - id: fresh
    title: fresh
    severity: low
    when: {days_since_exec_contact: under 35 days}
    keep_open_for: 4 days
  - id: renews
    title: renews
    severity: low
    when: {days_to_renewal: between 0 days and 30 days}
  - id: used
    title: used
    severity: low
    when: {any: [{usage_change: at least 0%}, {adoption: at least 30%}]}
    hold_for: 1 day
    keep_open_for: 2 days
  - id: tied
    title: tied
    severity: low
    when: {strong_reps: at least 1, tenure_days: at least 3 days}
    except_when: {usage_30d: at least 1}
    keep_open_for: 3 days
"""


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), waited=st.integers(0, 8), swept=st.booleans())
def test_what_an_explanation_says_will_happen_is_what_daily_sweeps_then_do(
    engine: Engine, tmp_path: Path, history: list[dict], waited: int, swept: bool
) -> None:
    book = rulebook(tmp_path, WATCHED)
    _empty(engine)
    if not history:
        return
    take_in(engine, book, TODAY, *history)
    today = TODAY + timedelta(waited)
    for number in range(waited + swept):
        sweep(engine, book, TODAY + timedelta(number))
    memory = Memory()
    memory.add(additions(parsed(history)))
    known = [account for account in ACCOUNTS if memory.knows(account)]
    said = {
        (one.account, one.rule.id): one
        for account in known
        for one in explain(engine, account, book, today, at(today), horizon=HORIZON)
    }
    flags, ahead = [_standings(engine)], [today + timedelta(n) for n in range(HORIZON + 1)]
    for on in ahead:
        sweep(engine, book, on)
        flags.append(_standings(engine))
    for key, one in said.items():
        outcomes = [_outcome(memory, key[0], one, book, on) for on in ahead]
        change = one.outcome_change
        assert (one.outcome, one.excepted) == outcomes[0]
        assert (change and change.on) == _first_other(outcomes[0], outcomes, ahead)
        standings = [each.get(key) for each in flags]
        moved = one.flag_change
        assert (moved and moved.on) == _first_other(standings[0], standings[1:], ahead)


def _first_other(now, later, on):
    """The first date whose value is another than now's."""
    return next((day for day, value in zip(on, later, strict=True) if value != now), None)


def _outcome(memory, account, one, book, on):
    """What the rule comes to on a day, from stats that no table was asked for."""
    ties = book.ties
    of_account = memory.stats(account, on.toordinal(), ties.half_life)
    facts = facts_of(of_account, on.toordinal(), memory.workspace(ties))
    assert facts.keys() == FACTS.keys()
    excepted = one.rule.except_when and evaluate(one.rule.except_when, facts, {})
    return evaluate(one.rule.when, facts, {}), bool(excepted)


def _standings(engine):
    return {
        (row["account"], row["rule"]): (row["state"], row["first_false_on"] is not None)
        for row in rows(engine, tables.flags)
        if row["state"] != "resolved"
    }


def _empty(engine):
    """Each example begins with an empty workspace."""
    ordered = tables.metadata.sorted_tables
    with writing(engine) as db:
        for table in reversed(ordered):
            if table is not tables.workspace:
                db.execute(table.delete())
        db.execute(tables.workspace.update().values(first_interaction_day=None, last_sweep_on=None))
    with reading(engine) as db:
        assert not stats.account_ids(db, date.max)
