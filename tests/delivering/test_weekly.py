"""The weekly summary: to managers, once, on their own Monday."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import Engine, insert

from tests.pipeline import event, meeting, rows, rulebook, take_in
from worker.core.cards import Weekly
from worker.core.conditions import AllOf
from worker.core.rules import Kind, Rule, Severity, rule_set
from worker.core.telling import Telling
from worker.core.ties import TieSettings
from worker.delivering import delivery
from worker.delivering.sending import to_show
from worker.delivering.weekly import plan_weeks
from worker.rulebooks.rulebook import Rulebook
from worker.store import tables
from worker.store.database import writing

MONDAY = datetime(2026, 6, 8, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
PEOPLE = [
    {"rep": "top", "timezone": "UTC", "manager": None, "gone": None},
    {"rep": "ada", "timezone": "America/New_York", "manager": "top", "gone": None},
    {"rep": "sam", "timezone": "UTC", "manager": "ada", "gone": None},
    {"rep": "old", "timezone": "UTC", "manager": "ada", "gone": True},
]


@pytest.fixture
def engine(engine: Engine) -> Engine:
    with writing(engine) as db:
        db.execute(insert(tables.reps), PEOPLE)
    return engine


def account(engine: Engine, name: str, owner: str | None, **more: object) -> None:
    with writing(engine) as db:
        values = {"account": name, "name": name.title(), "owner": owner, "first_day": 1}
        db.execute(insert(tables.accounts).values(values | more))


def flag(engine: Engine, account: str, **more: object) -> None:
    day = MONDAY.date() - timedelta(days=3)
    values = {
        "account": account,
        "rule": "r",
        "severity": "high",
        "state": "open",
        "first_true_on": day,
        "opened_on": day,
        "title": "Quiet",
        "reasons": "[]",
        "rules_hash": "h",
        "shadow": False,
    }
    with writing(engine) as db:
        db.execute(insert(tables.flags).values(values | more))


GROWTH = rule_set([Rule("expand", "t", Severity.HIGH, AllOf(()), kind=Kind.GROWTH)], [])


def plan(engine: Engine, now: datetime = MONDAY, telling: Telling | None = None) -> list[str]:
    """The recipients of the summaries that are planned now."""
    before = len(rows(engine, tables.messages))
    plan_weeks(engine, now, Rulebook(GROWTH, TieSettings(), telling or Telling()))
    return [row["recipient"] for row in rows(engine, tables.messages)[before:]]


def test_each_manager_hears_once_on_their_own_monday_morning(engine):
    account(engine, "acme", "sam", mrr=500.0, currency="EUR")
    flag(engine, "acme")
    assert plan(engine, MONDAY - 2 * HOUR) == []
    assert plan(engine) == ["rep:top"]
    assert plan(engine) == []
    assert plan(engine, MONDAY + 3 * HOUR) == ["rep:ada"]
    assert plan(engine, MONDAY + 30 * HOUR) == []
    assert plan(engine, MONDAY + timedelta(days=7)) == ["rep:top"]


def test_a_manager_sees_the_accounts_of_all_below_and_the_topmost_those_of_nobody(engine):
    account(engine, "acme", "sam", mrr=500.0, currency="EUR")
    account(engine, "lost", None)
    account(engine, "left", "old")
    account(engine, "gone", None, lifecycle="churned")
    flag(engine, "acme")
    flag(engine, "lost")
    plan(engine, MONDAY + 3 * HOUR)
    weeks = {
        row["recipient"]: msgspec.json.decode(row["body"], type=Weekly)
        for row in rows(engine, tables.messages)
    }
    assert [line.account.id for line in weeks["rep:ada"].unacknowledged] == ["acme"]
    assert weeks["rep:ada"].at_risk == {"EUR": 500.0}
    assert weeks["rep:ada"].unowned == ()
    assert weeks["rep:top"].new == 1
    assert weeks["rep:top"].unowned == ("Left", "Lost")


def test_a_chance_to_grow_is_no_revenue_at_risk(engine):
    account(engine, "acme", "sam", mrr=500.0, currency="EUR")
    account(engine, "birch", "sam", mrr=70.0, currency="EUR")
    flag(engine, "acme", rule="expand", severity="critical")
    flag(engine, "birch")
    plan(engine, MONDAY + 3 * HOUR)
    week = msgspec.json.decode(rows(engine, tables.messages)[0]["body"], type=Weekly)
    assert week.at_risk == {"EUR": 70.0}
    assert (week.new, week.chances) == (1, 1)
    assert [(line.account.id, line.kind) for line in week.unacknowledged] == [
        ("birch", Kind.RISK),
        ("acme", Kind.GROWTH),
    ]


def test_what_has_waited_is_told_in_the_words_of_today(engine, tmp_path):
    book = rulebook(
        tmp_path,
        "rules: [{id: x, title: 'Quiet for {days_since_contact}', severity: low, "
        "when: {days_since_contact: over 5 days}}]",
    )
    on = MONDAY.date() - timedelta(days=10)
    take_in(
        engine, book, on, event("account", on, name="Acme", owner="sam"), meeting(on - timedelta(6))
    )
    assert [row["title"] for row in rows(engine, tables.flags)] == ["Quiet for 6 days"]
    plan_weeks(engine, MONDAY + 3 * HOUR, book)
    week = msgspec.json.decode(rows(engine, tables.messages)[-1]["body"], type=Weekly)
    assert [line.title for line in week.unacknowledged] == ["Quiet for 16 days"]


def test_an_account_whose_subscriptions_have_all_churned_needs_no_owner(engine, tmp_path):
    day = MONDAY.date() - timedelta(days=30)
    term = {"term_start": "2026-01-01", "term_end": "2026-12-31"}
    book = rulebook(
        tmp_path, "rules: [{id: x, title: x, severity: low, when: {known_users: over 9}}]"
    )
    for name, statuses in (("over", ("active", "churned")), ("on", ("active",))):
        events = [
            event("subscription", day + timedelta(n), account=name, subscription="s1", **what)
            for n, what in enumerate({"status": status} | term for status in statuses)
        ]
        known = event("account", day, account=name, name=name)
        take_in(engine, book, MONDAY.date(), known, *events)
    plan(engine, MONDAY + 3 * HOUR)
    (week,) = [
        msgspec.json.decode(row["body"], type=Weekly)
        for row in rows(engine, tables.messages)
        if row["recipient"] == "rep:top"
    ]
    assert week.unowned == ("on",)


def test_a_week_in_which_nothing_happened_is_kept_to_itself(engine):
    assert plan(engine) == ["rep:top"]
    (row,) = rows(engine, tables.messages)
    assert (row["state"], row["error"]) == ("dropped", "nothing happened in the week")


def test_there_is_none_if_it_is_switched_off_or_long_overdue(engine):
    account(engine, "lost", None)
    assert plan(engine, telling=Telling(weekly_on=None)) == []
    assert plan(engine, MONDAY + timedelta(days=3)) == []
    assert plan(engine, MONDAY + timedelta(days=1), Telling(weekly_on=1)) == ["rep:top"]


def test_the_summary_is_delivered_as_one_message(engine):
    account(engine, "lost", None)
    plan(engine)
    shown: list[object] = []
    delivery.deliver(engine, to_show(shown.append), lambda: MONDAY)
    (week,) = shown
    assert isinstance(week, Weekly)
    assert week.unowned == ("Lost",)
