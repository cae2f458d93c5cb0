"""`facts`, `ties` and `flags`: what programs and people read of an account."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.cli.conftest import lines
from tests.pipeline import event, meeting
from tests.today import TODAY
from worker.core.catalogue import Part
from worker.core.facts import FACTS
from worker.store import tables
from worker.store.database import writing

CATALOGUE = [name for name, fact in FACTS.items() if fact.part is Part.BASE]


@pytest.fixture
def workspace(tiewatch):
    """An account that much is known of, one of which nothing is, and one that sorts first."""
    known = {"name": "Acme", "segment": "enterprise", "owner": "sam", "mrr": 1200.5, "seats": 4}
    start, renewal = TODAY - timedelta(100), TODAY + timedelta(41)
    given = [
        event("account", start, renewal_date=str(renewal), **known),
        event("account", TODAY, account="birch", name="Birch [red]"),
        event("contact", start, contact="dana", name="Dana Ruiz", title="CIO"),
        event("contact", start, contact="old", left=True),
        event("rep", start, account=None, rep="zed", left=True),
        *(meeting(TODAY - timedelta(days)) for days in (22, 30, 40)),
        meeting(TODAY - timedelta(22), rep="ana"),
        meeting(TODAY - timedelta(22), rep="zed"),
        meeting(TODAY - timedelta(9), contact="old"),
        meeting(TODAY, contact="x", account="Zoo"),
        event("usage", TODAY - timedelta(3), user="lee", count=3),
        event("usage", TODAY - timedelta(40), count=4),
    ]
    assert tiewatch("ingest", "--direct", "-", stdin=lines(*given).encode()).status == 0
    return tiewatch


def test_facts_are_one_document_with_every_fact_of_the_catalogue_in_its_order(workspace):
    done = workspace("facts", "--json")
    assert (done.status, done.err) == (0, "")
    assert [one["account"] for one in done.json] == ["Zoo", "acme", "birch"]
    for one in done.json:
        assert list(one) == ["account", "on", "facts", "never", "unknown"]
        assert list(one["facts"]) == list(FACTS)
        assert one["on"] == str(TODAY)
        nothing = [name for name, value in one["facts"].items() if value is None]
        assert sorted(one["never"] + one["unknown"]) == sorted(nothing)


def test_facts_are_numbers_and_texts(workspace):
    (one,) = workspace("facts", "acme", "--json").json
    base = {name: one["facts"][name] for name, fact in FACTS.items() if fact.part is Part.BASE}
    assert base == {
        **{"strong_user_ties": 0, "strong_exec_ties": 1, "user_ties": 0, "exec_ties": 1},
        **{"known_users": 1, "known_execs": 1, "strong_reps": 1},
        **{"days_since_contact": 9, "days_since_user_contact": None},
        **{"days_since_exec_contact": 22, "days_since_inbound": 9},
        **{"segment": "enterprise", "lifecycle": "active", "owner": "sam"},
        **{"mrr": 1200.5, "licences": 4, "days_to_renewal": 41, "tenure_days": 100},
        **{"licences_used": 1, "adoption": 25.0, "usage_30d": 3, "usage_prev_30d": 4},
        **{"usage_change": -25.0, "active_days_30d": 1, "days_since_usage": 3},
    }
    assert one["never"] == ["days_since_user_contact"]
    assert not set(one["unknown"]) & base.keys()


def test_what_nothing_is_known_of_is_null_and_listed(workspace):
    (one,) = workspace("facts", "birch", "--json").json
    assert one["never"] == [name for name in FACTS if name.startswith("days_since_")][:5]
    assert [name for name in one["unknown"] if FACTS[name].part is Part.BASE] == [
        *("segment", "owner", "mrr", "licences", "days_to_renewal", "licences_used", "adoption"),
        *("usage_30d", "usage_prev_30d", "usage_change", "active_days_30d", "days_since_usage"),
    ]


def test_facts_of_a_past_date_count_only_what_had_happened_by_then(workspace):
    then = TODAY - timedelta(25)
    (one,) = workspace("facts", "acme", "--json", "--on", str(then)).json
    assert one["on"] == str(then)
    assert one["facts"]["days_since_contact"] == 5
    assert one["facts"]["days_since_usage"] == 15
    listed = workspace("facts", "--json", "--on", str(then)).json
    assert [each["account"] for each in listed] == ["acme"]


def test_accounts_named_twice_or_in_any_order_are_listed_once_and_sorted(workspace):
    found = workspace("facts", "birch", "acme", "birch", "--json").json
    assert [one["account"] for one in found] == ["acme", "birch"]


def test_ties_are_sorted_by_account_rep_and_contact_without_reps_who_have_left(workspace):
    done = workspace("ties", "--json")
    assert [(one["account"], one["rep"], one["contact"]) for one in done.json] == [
        ("Zoo", "sam", "x"),
        ("acme", "ana", "dana"),
        ("acme", "sam", "dana"),
        ("acme", "sam", "old"),
    ]
    for one in done.json:
        assert list(one)[:3] == ["account", "rep", "contact"]
        assert {"score", "tier", "last_contact"} <= one.keys()
        assert one["score"] == round(one["score"], 1)
    strong = done.json[2]
    assert (strong["tier"], strong["last_contact"]) == ("strong", str(TODAY - timedelta(22)))
    assert [one["account"] for one in workspace("ties", "Zoo", "--json").json] == ["Zoo"]


def test_flags_are_listed_with_title_and_reasons(workspace):
    done = workspace("flags", "--json")
    (flag,) = [one for one in done.json if one["rule"] == "renewal-without-exec-contact"]
    assert {"account", "rule", "severity", "state", "opened_on", "title", "reasons"} <= flag.keys()
    assert (flag["account"], flag["state"]) == ("acme", "open")
    assert (flag["severity"], flag["opened_on"]) == ("high", str(TODAY))
    assert flag["title"] == "Renews in 41 days, last exec contact: 22 days ago"
    assert flag["reasons"][1] == "last contact with an executive: 22 days ago (over 15 days)"
    rules = [(one["account"], one["rule"]) for one in done.json]
    assert rules == sorted(rules)


@pytest.mark.parametrize(
    ("options", "states"),
    [
        ([], {"open", "pending"}),
        (["--state", "open"], {"open"}),
        (["--state", "pending"], {"pending"}),
        (["--state", "resolved"], set()),
        (["--state", "all"], {"open", "pending"}),
    ],
)
def test_flags_can_be_narrowed_by_state(workspace, options, states):
    assert {one["state"] for one in workspace("flags", "--json", *options).json} == states


def test_flags_can_be_narrowed_by_account(workspace):
    assert {one["account"] for one in workspace("flags", "--json", "--account", "acme").json} == {
        "acme"
    }
    nobody = workspace("flags", "--json", "--account", "nobody")
    assert (nobody.status, nobody.json) == (0, [])
    assert "There is no account 'nobody'" in nobody.err


def test_a_pending_flag_has_not_opened(workspace):
    (one,) = workspace("flags", "--json", "--state", "pending", "--account", "acme").json
    assert (one["rule"], one["opened_on"]) == ("single-threaded", None)


def test_a_resolved_flag_is_kept(workspace):
    met = lines(meeting(TODAY)).encode()
    workspace("ingest", "--direct", "-", stdin=met)
    (one,) = workspace("flags", "--json", "--state", "resolved").json
    assert (one["rule"], one["resolved_on"]) == ("renewal-without-exec-contact", str(TODAY))


def test_a_flag_tells_whose_it_is_and_how_long_it_is_quiet(workspace, embedded):
    with writing(embedded) as db:
        of = tables.flags
        snoozed = {"state": "snoozed", "assignee": "kim", "quiet_until": TODAY + timedelta(7)}
        db.execute(update(of).where(of.c.state == "open", of.c.account == "acme").values(snoozed))
    found = workspace("flags", "--json", "--account", "acme").json
    assert {(one["state"], one["assignee"], one["quiet_until"]) for one in found} == {
        ("pending", None, None),
        ("snoozed", "kim", str(TODAY + timedelta(7))),
    }


def test_an_empty_workspace_is_an_empty_list(tiewatch):
    for command in ("facts", "ties", "flags"):
        done = tiewatch(command, "--json")
        assert (done.status, done.json, done.err) == (0, [], "")


@pytest.mark.parametrize("command", ["facts", "ties", "flags"])
def test_for_people_there_is_a_table_with_names_as_they_are(workspace, command):
    done = workspace(command)
    assert (done.status, done.err) == (0, "")
    assert "acme" in done.out
    assert "null" not in done.out
    assert "None" not in done.out


def test_one_account_is_shown_fact_by_fact_with_what_each_means(workspace):
    out = workspace("facts", "birch").out
    for name in CATALOGUE:
        assert name in out
    assert "never" in out
    assert "unknown" in out


@pytest.mark.parametrize("command", ["facts", "ties"])
def test_an_unknown_account_is_said_to_be_unknown(workspace, command):
    done = workspace(command, "acme", "nobody", "--json")
    assert (done.status, done.out) == (2, "")
    assert "'nobody'" in done.err


def test_an_unknown_state_is_refused_with_the_ones_there_are(tiewatch):
    done = tiewatch("flags", "--state", "nonsense", "--json")
    assert (done.status, done.out) == (2, "")
    assert "pending, open" in done.err


@pytest.mark.parametrize("command", ["facts", "ties", "sweep"])
@pytest.mark.parametrize("on", ["nonsense", "2026-02-30", "31.3.2026", "", "2026-03-31T00:00:00"])
def test_what_is_no_date_is_refused_with_an_example(tiewatch, command, on):
    done = tiewatch(command, "--on", on, "--json")
    assert (done.status, done.out) == (2, "")
    assert "write it like 2026-03-31" in done.err


@pytest.mark.parametrize("on", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("command", ["facts", "ties", "sweep"])
def test_the_first_and_the_last_date_there_are_do_no_harm(workspace, command, on):
    done = workspace(command, "--on", on, "--json")
    assert done.status in (0, 2)
    assert done.json is not None if done.status == 0 else done.err
