"""`capture.yaml`: what it may say, and what is said of its mistakes."""

from datetime import date
from pathlib import Path

import pytest

from worker.core.addresses import NO_PEOPLE, People
from worker.core.mapping import Shape
from worker.core.picking import Pick
from worker.rulefiles import RuleFilesRefused, check, load_capture
from worker.rulefiles.capture import read_capture
from worker.rulefiles.problems import Findings
from worker.shipped import rules_dir

RULE = "rules: [{id: a, title: A, severity: low, when: {usage_30d: at least 1}}]"


def problems(folder: Path, text: str) -> list[str]:
    file = folder / "capture.yaml"
    file.write_text(text)
    findings = Findings()
    read_capture(file, findings)
    return [str(one).removeprefix(f"{file}:") for one in findings.sorted()]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tracks: {}", "1:1: unknown key 'tracks'; did you mean 'track'?"),
        ("track: {Paid: usage}", "1:15: 'Paid' is 'ignore', or the fields of the event it becomes"),
        (
            "track: {Paid: {type: usag}}",
            "1:22: unknown type of event 'usag'; did you mean 'usage'?",
        ),
        ("track: {Paid: {mrr: 1}}", "1:15: 'Paid' has no 'type'"),
        ("track: {A: {type: usage, counts: 1}}", "1:26: unknown field of usage 'counts'"),
        ("track: {A: {type: usage, count: -1}}", "1:33: 'count' must be a positive whole number"),
        (
            "track: {A: {type: subscription, subscription: main, status: renewd}}",
            "1:61: 'status' must be one of",
        ),
        ("track: {A: {type: subscription, status: renewed}}", "has no 'subscription', which"),
        ("track: {A: {type: usage, user: $..id}}", "1:32: '$..id' is no path that is read"),
        ("track: {A: {type: usage, user: $.id | upper}}", "1:32: unknown filter 'upper'"),
        (
            "people: {internal: []}",
            "1:10: unknown key 'internal'; did you mean 'internal domains'?",
        ),
        ("people: {internal domains: [ours]}", "1:29: 'ours' is no domain: write one like"),
        ("people: {shared domains: {a: b}}", "1:26: 'shared domains' must be a text"),
        ("people: {shared mailboxes: [a@b@c]}", "1:29: 'a@b@c' is no mailbox: write the part"),
        (
            "hooks: {shop: {events: [{type: usage, people: name}]}}",
            "1:47: 'people' can only be email, not 'name'",
        ),
        (
            "hooks: {shop: {events: [{type: account, people: email}]}}",
            "1:25: the event has no 'subject'",
        ),
        (
            "hooks: {shop: {events: [{type: usage, subject: $.a, feature: x}, "
            "{type: usage, subject: $.b, feature: y}, {type: usage, subject: $.b, feature: x}]}}",
            "1:107: nothing tells this usage from the one above it",
        ),
        (
            "imports: {x: {subject: $.A, events: [{type: survey, kind: nps, score: $.N}, "
            "{type: survey, kind: nps, score: $.M, when: {$.M: '?*'}}]}}",
            "1:77: nothing tells this survey from the one above it",
        ),
        (
            "track: {A: {type: usage, id: $.id}}",
            "1:26: 'A' has an 'id', but a call's own is what counts: remove it",
        ),
        ("calls: {group: {id: $.id}}", "1:17: 'group' has an 'id', but a call's own"),
        ("calls: {identity: ignore}", "unknown key 'identity'; did you mean 'identify'?"),
        ("hooks: {A B: {}}", "1:9: the name of a hook is"),
        ("hooks: {shop: {verify: standard}}", "'shop' has no 'events'"),
        ("hooks: {shop: {verify: md5, events: []}}", "1:24: unknown scheme 'md5'"),
        ("hooks: {shop: {verify: hmac-sha1, events: []}}", "hmac-sha1 needs 'header'"),
        ("hooks: {shop: {events: [{type: usage}]}}", "1:25: the event has no 'subject'"),
        (
            "hooks: {shop: {events: [{type: usage, subject: a, when: {topic: b}}]}}",
            "'when' has paths as its keys",
        ),
        ("imports: {A B: {}}", "1:11: the name of an import is"),
        ("imports: {visits: {column: [A]}}", "1:20: unknown key 'column'; did you mean 'columns'?"),
        ("imports: {visits: {id: $.A}}", "1:19: 'visits' has no 'events': what its rows become"),
        ("imports: {visits: {columns: A, events: []}}", "'columns' must be a list"),
        ("imports: {visits: {events: [{type: usage}]}}", "1:29: the event has no 'subject'"),
        ("imports: {v: {skip: {a: b}, events: []}}", "1:22: 'skip' has paths as its keys"),
        ("imports: {v: {id: $.a + $.b + $.c, events: []}}", "more than two paths with +"),
        ("imports: {v: {id: $.a | join, events: []}}", "unknown filter 'join'"),
    ],
)
def test_a_mistake_is_told_where_it_is(tmp_path, text, problem):
    assert any(problem in one for one in problems(tmp_path, text)), problems(tmp_path, text)


@pytest.mark.parametrize(
    ("hook", "warned"),
    [
        ("verify: key", True),
        ("verify: key, id: $.id", True),
        ("verify: key, time: $.at", False),
        ("verify: standard", False),
    ],
)
def test_what_may_change_back_and_has_no_time_is_warned_of(tmp_path, hook, warned):
    events = "{type: usage, subject: $.a}, {type: account, subject: $.a, name: $.n}"
    dated = "{type: account, subject: $.a, name: $.n, time: $.on}"
    (tmp_path / "rules.yaml").write_text(RULE)
    file = tmp_path / "capture.yaml"
    file.write_text(f"hooks:\n  own: {{{hook}, events: [{events}, {dated}]}}\n")
    found, rules = check([tmp_path], date(2026, 3, 5))
    assert rules is not None
    told = [one.message for one in found if one.warning]
    assert [one[: len("the account has no 'time'")] for one in told] == (
        ["the account has no 'time'"] if warned else []
    )


def test_all_mistakes_are_told_at_once_by_the_check_of_the_rules(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULE)
    (tmp_path / "capture.yaml").write_text("tracks: {}\nhooks: {A B: {}}\n")
    found, rules = check([tmp_path])
    assert rules is None
    assert [(Path(one.file).name, one.line) for one in found] == [
        ("capture.yaml", 1),
        ("capture.yaml", 2),
    ]
    with pytest.raises(RuleFilesRefused):
        load_capture(tmp_path / "capture.yaml")


def test_a_mapping_is_what_it_says(tmp_path):
    text = (
        "track: {Paid: {type: usage, count: [$.n, 2], feature: '3', user: $.e | lower}, X*: ignore}"
    )
    assert problems(tmp_path, text) == []
    found = load_capture(tmp_path / "capture.yaml")
    fields = {
        "count": (Pick("$.n"), Pick(constant=2)),
        "feature": (Pick(constant="3"),),
        "user": (Pick("$.e", filters=("lower",)),),
    }
    assert found.track == {"Paid": Shape("usage", fields), "X*": None}
    ours = Shape("usage", {})
    assert found.tracked("Paid", ours) == Shape("usage", fields)
    assert found.tracked("X ray", ours) is None
    assert found.tracked("Other", ours) is ours


def test_columns_are_named_without_regard_to_case_spaces_and_signs(tmp_path):
    text = """
    imports:
      visits:
        columns: [Visit No., Customer]
        id: $['Visit No.']
        skip: {$.State | lower: ["", cancelled]}
        subject: $.Customer ID
        events:
          - {type: contact, contact: $.property_Met | lower, name: $.First name + $.Last name}
          - {type: usage, time: $.at.Day, member: $.user_id, feature: "$.Features[*]"}
    """
    assert problems(tmp_path, text) == []
    found = load_capture(tmp_path / "capture.yaml").imports["visits"]
    assert (found.name, found.source) == ("visits", "visits")
    assert found.columns == (("visitno", "customer"),)
    assert found.read == {
        *("visitno", "state", "customerid", "met", "firstname", "lastname", "at", "userid"),
        "features",
    }
    contact, usage = found.events
    assert contact.subject == (Pick("$['customerid']"),)
    assert (usage.subject, usage.time) == ((), (Pick("$['at'].Day"),))
    row = {"firstname": "Dana", "lastname": "Ruiz", "met": "D", "features": ["a", "b"]}
    assert contact.fields["name"][0].of(row) == "Dana Ruiz"
    assert contact.fields["name"][0].of({"lastname": "Ruiz"}) == "Ruiz"
    assert contact.fields["contact"][0].of(row) == "d"
    assert usage.fields["feature"][0].of(row) == ["a", "b"]


@pytest.mark.parametrize(
    ("written", "amount", "a_month"),
    [
        ("$1,234.50", 1234.5, 102.88),
        ("1.234,50 EUR", 1234.5, 102.88),
        ("12,000", 12000, 1000),
        ("USD 12 000", 12000, 1000),
        ("600.0", 600, 50),
        (600, 600, 50),
        ("a lot", "a lot", "a lot"),
    ],
)
def test_amounts_are_read_as_people_write_them(written, amount, a_month):
    assert Pick("$.a", filters=("amount",)).of({"a": written}) == amount
    assert Pick("$.a", filters=("yearly",)).of({"a": written}) == a_month


def test_the_shipped_file_has_no_problem_and_a_missing_one_no_mapping(tmp_path):
    assert set(load_capture(rules_dir() / "capture.yaml").hooks) == {
        *("hubspot", "zendesk", "intercom", "calendly"),
    }
    assert load_capture(tmp_path / "capture.yaml").hooks == {}


def test_people_are_sorted_as_the_file_says_and_what_it_leaves_out_is_as_it_ships(tmp_path):
    assert load_capture(rules_dir() / "capture.yaml").people == NO_PEOPLE
    assert (
        problems(tmp_path, "people: {internal domains: [Ours.example, '@sub.ours.example']}") == []
    )
    found = load_capture(tmp_path / "capture.yaml").people
    assert found == People(internal=frozenset({"ours.example", "sub.ours.example"}))
    assert problems(tmp_path, "people: {shared mailboxes: [Desk, '*@bots.example']}") == []
    found = load_capture(tmp_path / "capture.yaml").people
    assert found.shared_mailboxes == ("desk", "*@bots.example")
