"""`rules report`: what a rule in shadow would add, as admins read it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from tests.cli.conftest import lines
from tests.pipeline import event
from worker import runtime
from worker.store import tables
from worker.store.database import writing

TODAY = datetime.now(UTC).date()

RULES = """
rules:
  - {id: no-seats, title: No seats, severity: low, when: {licences: unknown}}
  - {id: no-owner, title: No owner, severity: low, when: {owner: unknown}, mode: shadow}
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
        },
    ]
    table = workspace("rules", "report").out
    assert "no-owner" in table
    assert "no-seats 1" in table


def test_a_rule_that_is_off_is_explained_as_such(workspace):
    done = workspace("rules", "explain", "acme", "--rule", "not-yet")
    assert (done.status, done.err) == (2, "Rule 'not-yet' is switched off: it has 'mode: off'.\n")


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
    assert workspace("deliver", "--json").json["sent"] == 2
