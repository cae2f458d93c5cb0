"""`rules report`: what a rule in shadow would add, as admins read it."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from tests.cli.conftest import lines
from tests.pipeline import event
from tests.today import TODAY
from worker.running import runtime
from worker.store import tables
from worker.store.database import writing

RULES = """
rules:
  - {id: no-seats, title: No seats, severity: high, when: {licences: unknown}}
  - {id: no-owner, title: No owner, severity: high, when: {owner: unknown}, mode: shadow}
  - {id: no-money, title: No money, severity: low, when: {mrr: under $1}, mode: shadow}
  - {id: not-yet, title: Not yet, severity: low, when: {mrr: unknown}, mode: off}
"""


@pytest.fixture
def workspace(tiewatch, folder):
    (folder / "rules").mkdir()
    (folder / "rules" / "ours.yaml").write_text(RULES)
    start = TODAY - timedelta(9)
    given = [
        event("account", start, account="acme", name="Acme"),
        event("account", start, account="birch", name="Birch", owner="sam"),
        event("account", start, account="cedar", name="Cedar", seats=3),
    ]
    assert tiewatch("ingest", "--direct", "-", stdin=lines(*given).encode()).status == 0
    return tiewatch


def test_shadow_and_live_stand_beside_each_other(workspace):
    with writing(runtime.engine()) as db:
        (flag,) = db.execute(
            select(tables.flags.c.id).where(
                tables.flags.c.rule == "no-seats", tables.flags.c.account == "birch"
            )
        ).scalars()
        moved = {"flag": flag, "at": runtime.clock(), "on_date": TODAY, "reasons": "[]"}
        states = {"from_state": "open", "to_state": "dismissed"}
        db.execute(insert(tables.flag_history).values(moved | states))
    done = workspace("rules", "report", "--json")
    assert done.status == 0
    assert done.json == [
        {
            "rule": "no-seats",
            "mode": "live",
            "flags": 2,
            "accounts": 2,
            "open": 2,
            "alone": 2,
            "beside": [],
            "feedback": {"acknowledged": 0, "snoozed": 0, "dismissed": 1},
            "dismissed_because": {},
            "resolved_unanswered": 0,
            "precision": None,
        },
        {
            "rule": "no-money",
            "mode": "shadow",
            "flags": 0,
            "accounts": 0,
            "open": 0,
            "alone": 0,
            "beside": [],
            "feedback": {"acknowledged": 0, "snoozed": 0, "dismissed": 0},
            "dismissed_because": {},
            "resolved_unanswered": 0,
            "precision": None,
        },
        {
            "rule": "no-owner",
            "mode": "shadow",
            "flags": 2,
            "accounts": 2,
            "open": 2,
            "alone": 1,
            "beside": [{"rule": "no-seats", "flags": 1}],
            "feedback": {"acknowledged": 0, "snoozed": 0, "dismissed": 0},
            "dismissed_because": {},
            "resolved_unanswered": 0,
            "precision": None,
        },
    ]
    table = workspace("rules", "report").out
    assert "no-owner" in table
    assert "no-seats 1" in table


def test_a_rule_that_is_off_is_explained_as_such(workspace):
    done = workspace("rules", "explain", "acme", "--rule", "not-yet")
    assert (done.status, done.err) == (2, "Rule 'not-yet' is switched off: it has 'mode: off'.\n")


def test_reps_own_verdict_says_how_often_a_rule_was_right(workspace):
    with writing(runtime.engine()) as db:
        of = tables.flags.c
        live = select(of.account, of.id).where(of.rule == "no-seats")
        ids = dict(db.execute(live).all())
        given = [
            ("acme", "acknowledge", None),
            ("acme", "not_a_risk", "wrong_data"),  # the last answer counts
            ("birch", "acknowledge", None),
        ]
        for number, (account, action, reason) in enumerate(given):
            db.execute(
                insert(tables.flag_answers).values(
                    key=f"k{number}",
                    flag=ids[account],
                    at=runtime.clock(),
                    on_date=TODAY,
                    slack_user="U1",
                    action=action,
                    reason=reason,
                )
            )
    seats = [event("account", TODAY, account="acme", seats=3)]
    assert workspace("ingest", "--direct", "-", stdin=lines(*seats).encode()).status == 0
    live, _, shadow = workspace("rules", "report", "--json").json
    assert live["dismissed_because"] == {"wrong_data": 1}
    assert live["precision"] == 50.0
    assert live["resolved_unanswered"] == 0
    assert shadow["precision"] is None
    assert "wrong data 1" in workspace("rules", "report").out


def test_flags_that_ended_without_an_answer_are_counted(workspace):
    seats = [event("account", TODAY, account="acme", seats=3)]
    assert workspace("ingest", "--direct", "-", stdin=lines(*seats).encode()).status == 0
    live, *_ = workspace("rules", "report", "--json").json
    assert live["resolved_unanswered"] == 1
    assert live["precision"] is None


def test_flags_in_shadow_are_listed_apart(workspace):
    live = workspace("flags", "--json").json
    shadow = workspace("flags", "--shadow", "--json").json
    assert [(one["account"], one["rule"]) for one in live] == [
        ("acme", "no-seats"),
        ("birch", "no-seats"),
    ]
    assert [(one["account"], one["rule"]) for one in shadow] == [
        ("acme", "no-owner"),
        ("cedar", "no-owner"),
    ]
    told = workspace("deliver")
    assert "no-seats" in told.out
    assert "no-owner" not in told.out
