"""`tiewatch health`: the score part by part, and what has moved it."""

import re
from datetime import timedelta

import pytest

from tests.cli.conftest import lines
from tests.pipeline import event, meeting
from tests.today import TODAY

DAY = timedelta(days=1)

HEALTH = """
bands: {good: 100, fair: 60, poor: 20}
parts:
  relationship:
    weight: 60
    facts: {days_since_contact: {good: at most 20 days, fair: at most 60 days, poor: otherwise}}
  adoption:
    weight: 40
    facts: {days_since_usage: {good: at most 7 days, poor: otherwise}}
  voice:
    weight: 100
    facts: {csat: {good: at least 80%, poor: otherwise}}
"""


@pytest.fixture
def workspace(tiewatch, folder):
    (folder / "rules").mkdir()
    (folder / "rules" / "ours.yaml").write_text(
        "rules: [{id: low, title: t, severity: low, when: {health: under 50}}]"
    )
    (folder / "rules" / "health.yaml").write_text(HEALTH)
    told = [
        meeting(TODAY - 40 * DAY),
        event("usage", TODAY - 33 * DAY, user="lee"),
        event("account", TODAY - 5 * DAY, account="birch", name="Birch"),
    ]
    assert tiewatch("ingest", "--direct", "-", stdin=lines(*told).encode()).status == 0
    return tiewatch


def test_the_score_is_one_document_part_by_part(workspace):
    done = workspace("health", "acme", "--json")
    assert (done.status, done.err) == (0, "")
    (one,) = done.json
    assert {name: one[name] for name in ("account", "score", "confidence", "change_30d")} == {
        "account": "acme",
        "score": 44,  # 60 * 0.6 + 20 * 0.4
        "confidence": 50.0,
        "change_30d": -56,
    }
    assert [(part["part"], part["weight"], part["score"]) for part in one["parts"]] == [
        ("relationship", 60, 60),
        ("adoption", 40, 20),
        ("voice", 100, None),
    ]
    assert one["parts"][0]["facts"] == [
        {"fact": "days_since_contact", "value": 40, "band": "fair", "points": 60, "share": 0.6}
    ]
    assert one["moved"] == [
        {"fact": "days_since_usage", "before": 3, "now": 33, "points": -32.0},
        {"fact": "days_since_contact", "before": 10, "now": 40, "points": -24.0},
    ]


def test_the_facts_agree_with_it(workspace):
    (one,) = workspace("facts", "acme", "--json").json
    facts = one["facts"]
    names = ("health", "health_confidence", "health_change_30d")
    assert [facts[name] for name in names] == [44, 50, -56]
    (flag,) = [f for f in workspace("flags", "--json").json if f["account"] == "acme"]
    assert flag["reasons"] == ["health score: 44 (under 50)"]


def test_people_see_each_part_and_what_moved_it(workspace):
    done = workspace("health", "acme")
    assert done.out.startswith("acme: 44, -56 in 30 days, 50% of it known\n")
    assert "-32 points: last usage, 3 days to 33 days" in done.out
    assert re.search(r"^voice \(weight 100\) +unknown", done.out, re.M)


def test_all_accounts_stand_beside_one_another(workspace):
    done = workspace("health")
    assert done.status == 0
    assert [line.split()[0] for line in done.out.splitlines()] == ["account", "acme", "birch"]
    assert [one["account"] for one in workspace("health", "--json").json] == ["acme", "birch"]


@pytest.mark.parametrize("arguments", [("nobody",), ("acme", "--on", "nonsense")])
def test_wrong_use_is_refused(workspace, arguments):
    done = workspace("health", *arguments, "--json")
    assert (done.status, done.out) == (2, "")


def test_without_settings_there_is_no_score(workspace, folder):
    (folder / "rules" / "health.yaml").unlink()
    done = workspace("health", "acme")
    assert done.status == 2
    assert "health.yaml in the rules directory has no parts" in done.err
