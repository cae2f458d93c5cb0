"""`tiewatch sources`, and facts that say why they cannot be told."""

from datetime import timedelta

import pytest

from tests.cli.conftest import lines
from tests.pipeline import event, meeting
from tests.today import TODAY
from worker.rulefiles import load_sources

DAY = timedelta(days=1)


@pytest.fixture
def workspace(tiewatch, folder):
    """The mail stopped twenty days ago, the app delivers, and the CRM has told something once."""
    (folder / "rules").mkdir()
    (folder / "rules" / "ours.yaml").write_text(
        "rules: [{id: quiet, title: t, severity: high, when: {days_since_contact: over 9 days}}]"
    )
    told = [event("account", TODAY - 60 * DAY, name="Acme")]
    for days in range(20, 50):
        told.append(meeting(TODAY - days * DAY) | {"source": "mail sync"})
    for days in range(0, 30, 3):
        told.append(event("usage", TODAY - days * DAY) | {"source": "app"})
        told[-1]["time"] = f"{TODAY - days * DAY}T00:00:00Z"
    assert tiewatch("ingest", "--direct", "-", stdin=lines(*told).encode()).status == 0
    return tiewatch


def list_them(folder) -> None:
    (folder / "rules" / "sources.yaml").write_text(
        "sources: {mail sync: {gap: 3 days, events: interaction}, app: 5 days, desk: 1 day}"
    )


def test_sources_are_listed_with_their_state(workspace, folder):
    list_them(folder)
    done = workspace("sources", "--json")
    assert (done.status, done.err) == (0, "")
    by_name = {row["source"]: row for row in done.json}
    assert list(by_name) == ["app", "crm", "desk", "mail sync"]
    assert {name: row["state"] for name, row in by_name.items()} == {
        "app": "fresh",
        "crm": "not listed",
        "desk": "never heard of",
        "mail sync": "stale",
    }
    assert by_name["mail sync"] == {
        "source": "mail sync",
        "state": "stale",
        "last_event_on": (TODAY - 20 * DAY).isoformat(),
        "days_since": 20,
        "gap_days": 3,
        "events": ["interaction"],
    }
    assert "mail sync  stale" in workspace("sources").out


def test_what_is_suggested_is_a_file_that_can_be_used(workspace, folder):
    done = workspace("sources", "suggest")
    assert done.status == 0
    (folder / "rules" / "sources.yaml").write_text(done.out)
    found = load_sources(folder / "rules")
    assert {name: (one.gap, one.events) for name, one in found.items()} == {
        "mail sync": (2, ("interaction",)),
        "app": (4, ("usage",)),
    }
    assert "# crm has delivered on fewer than 10 days" in done.out
    assert [row["gap_days"] for row in workspace("sources", "suggest", "--json").json] == [
        4,
        None,
        2,
    ]


def test_without_a_list_people_are_told_how_to_get_one(workspace):
    assert "tiewatch sources suggest" in workspace("sources").err


def test_facts_of_today_say_why_they_are_unknown_and_those_of_a_date_do_not(workspace, folder):
    list_them(folder)
    (found,) = workspace("facts", "acme", "--json").json
    assert "days_since_contact" in found["unknown"]
    assert found["withheld"]["days_since_contact"].startswith("mail sync has delivered nothing")
    assert found["facts"]["usage_30d"] is not None
    assert "(unknown: mail sync has delivered nothing" in workspace("facts", "acme").out
    (found,) = workspace("facts", "acme", "--on", TODAY.isoformat(), "--json").json
    assert found["facts"]["days_since_contact"] == 20
    assert "withheld" not in found


def test_an_explanation_of_today_says_it_too(workspace, folder):
    list_them(folder)
    done = workspace("rules", "explain", "acme", "--rule", "quiet")
    assert "mail sync has delivered nothing since" in " ".join(done.out.split())


def test_a_rule_test_can_have_a_source_go_stale(workspace, folder):
    list_them(folder)
    (folder / "rules" / "tests").mkdir()
    test = """
- test: all is delivered
  events:
    - {day: 2026-01-05, interaction: meeting, reps: [sam], contacts: [dana]}
  expect:
    - {day: 2026-01-14, flags: []}
    - {day: 2026-01-15, flags: [quiet]}
- test: the mail sync has stopped
  stale: [mail sync]
  events:
    - {day: 2026-01-05, interaction: meeting, reps: [sam], contacts: [dana]}
  expect: [{day: 2026-01-15, flags: []}]
- test: the mail sync stops, and is back
  events:
    - {day: 2026-01-05, interaction: meeting, reps: [sam], contacts: [dana]}
    - {day: 2026-01-10, stale: [mail sync]}
    - {day: 2026-01-20, stale: []}
  expect:
    - {day: 2026-01-19, flags: []}
    - {day: 2026-01-20, flags: [quiet]}
"""
    (folder / "rules" / "tests" / "ours.yaml").write_text(test)
    done = workspace("rules", "test")
    assert (done.out, done.status) == ("3 tests: 3 passed, 0 failed.\n", 0)
    wrong = test.replace("stale: [mail sync]\n  events", "stale: [mails]\n  events")
    (folder / "rules" / "tests" / "ours.yaml").write_text(wrong)
    assert "unknown source 'mails'; did you mean 'mail sync'?" in workspace("rules", "test").out
