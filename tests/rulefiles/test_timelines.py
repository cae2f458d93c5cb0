"""Rule tests as admins write them: what each line becomes, and what is wrong at its place."""

# ruff: noqa: E501 - one case a line, so that they read as a table

from datetime import UTC, date, datetime

import pytest

from worker.core.contents import Contact, Interaction, Subscription, Ticket, Usage
from worker.core.flags import State
from worker.core.rules import Mode, Severity
from worker.rulefiles.expectations import Expected
from worker.rulefiles.problems import Findings
from worker.rulefiles.timelines import timelines

RULES = {"single-threaded": Mode.LIVE, "renewal": Mode.LIVE, "tried-out": Mode.SHADOW}


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "t.yaml"

    def tests(text):
        file.write_text(text)
        findings = Findings()
        found = timelines(file.relative_to(tmp_path), RULES, findings)
        return found, [str(p).removeprefix("t.yaml:") for p in findings.sorted()]

    return tests


def one(read, events, expect="[{day: 2026-01-31, flags: []}]", more=""):
    found, problems = read(f"- test: t\n{more}  events:\n    - {events}\n  expect: {expect}\n")
    assert problems == []
    (test,) = found
    return test, [event for day in sorted(test.events) for event in test.events[day]]


def test_a_range_of_days_has_both_ends_and_every_so_many_between(read):
    _, events = one(read, "{day: 2026-01-05..2026-01-19, every: 7 days, usage: report, count: 2}")
    assert [event.time for event in events] == [
        datetime(2026, 1, d, 12, tzinfo=UTC) for d in (5, 12, 19)
    ]
    assert {event.data for event in events} == {Usage(feature="report", count=2)}


def test_a_range_without_every_is_every_day(read):
    _, events = one(read, "{day: 2026-01-30..2026-02-02, usage: }")
    assert [event.time.day for event in events] == [30, 31, 1, 2]


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (
            "interaction: call, reps: [sam], contacts: [dana]",
            Interaction(channel="call", reps=["sam"], contacts=["dana"]),
        ),
        (
            "subscription: started, seats: 5",
            Subscription(subscription="1", status="started", seats=5),
        ),
        ("subscription: churned, id: 7", Subscription(subscription="7", status="churned")),
        (
            "ticket: opened, id: T-1, defect: true",
            Ticket(ticket="T-1", status="opened", defect=True),
        ),
        ("contact: dana, left: true, title: null", Contact(contact="dana", left=True, title=None)),
    ],
)
def test_an_event_is_its_type_with_the_main_field_and_the_rest_inline(read, event, data):
    _, (found,) = one(read, f"{{day: 2026-01-05, {event}}}")
    assert found.data == data


def test_what_an_event_may_have_besides_is_left_alone(read):
    _, (found,) = one(read, "{day: 2026-01-05, usage: report, device: phone}")
    assert found.data == Usage(feature="report")
    assert "phone" in found.body


def test_who_is_who_holds_from_the_first_day_s_start(read):
    more = (
        "  account: {id: acme, segment: smb}\n  reps: [{rep: sam}]\n  contacts: [{contact: dana}]\n"
    )
    test, events = one(read, "{day: 2026-01-05, contact: dana, title: CIO}", more=more)
    assert test.account == "acme"
    assert [(event.type, event.time.hour) for event in events] == [
        ("account", 0),
        ("rep", 0),
        ("contact", 0),
        ("contact", 12),
    ]
    assert len({event.id for event in events}) == 4
    assert sorted(event.id for event in events) == [event.id for event in events]


def test_what_is_expected_is_a_list_of_flags_or_how_they_should_be(read):
    expect = "[{day: 2026-01-06, flags: [renewal]}, {day: 2026-01-07, flags: {renewal: {state: pending, severity: low, title: x}, single-threaded: }}]"
    test, _ = one(read, "{day: 2026-01-05, usage: x}", expect)
    first, second = test.expectations
    assert (first.on, first.flags) == (date(2026, 1, 6), {Mode.LIVE: {"renewal": Expected()}})
    assert second.flags[Mode.LIVE] == {
        "renewal": Expected(State.PENDING, Severity.LOW, "x"),
        "single-threaded": Expected(),
    }


def test_flags_in_shadow_are_expected_apart(read):
    expect = "[{day: 2026-01-06, flags: [], shadow: [tried-out]}, {day: 2026-01-07, shadow: []}]"
    test, _ = one(read, "{day: 2026-01-05, usage: x}", expect)
    first, second = test.expectations
    assert first.flags == {Mode.LIVE: {}, Mode.SHADOW: {"tried-out": Expected()}}
    assert second.flags == {Mode.SHADOW: {}}


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        (
            "test: t\n  expect: [{day: 2026-01-01, flags: [tried-out]}]",
            "2:38: rule 'tried-out' is in shadow: expect it under 'shadow'",
        ),
        (
            "test: t\n  expect: [{day: 2026-01-01, shadow: {renewal: }}]",
            "2:39: rule 'renewal' is live: expect it under 'flags'",
        ),
        (
            "test: t\n  evnts: []\n  expect: [{day: 2026-01-01, flags: []}]",
            "2:3: unknown key 'evnts'; did you mean 'events'?",
        ),
        (
            "test: t\n  account: {seets: 5}\n  expect: [{day: 2026-01-01, flags: []}]",
            "2:13: unknown key 'seets'; did you mean 'seats'?",
        ),
        (
            "test: t\n  contacts: [{contact: dana, titel: CIO}]\n"
            "  expect: [{day: 2026-01-01, flags: []}]",
            "2:30: unknown key 'titel'; did you mean 'title'?",
        ),
        (
            "test: t\n  events: [{day: 2026-01-01, usage: x, cuont: 5}]\n"
            "  expect: [{day: 2026-01-01, flags: []}]",
            "2:40: unknown key 'cuont'; did you mean 'count'?",
        ),
        ("test: t", "1:3: the test has no 'expect'"),
        ("expect: [{day: 2026-01-01, flags: []}]", "1:3: the test has no 'test'"),
        (
            "test: t\n  expect: [{day: 2026-13-01, flags: []}]",
            "2:18: '2026-13-01' is not a date: write it like 2026-03-31",
        ),
        (
            "test: t\n  expect: [{day: 2026-01-01}]",
            "2:12: an expectation has a 'day', and 'flags': [] if none should be up",
        ),
        (
            "test: t\n  expect: [{day: 2026-01-01, flags: [single-thread]}]",
            "2:38: unknown rule 'single-thread'; did you mean 'single-threaded'?",
        ),
        (
            "test: t\n  expect: [{day: 2026-01-01, flags: {renewal: {state: opn}}}]",
            "2:55: unknown state 'opn'; did you mean 'open'?",
        ),
        (
            "test: t\n  events: [{usage: x}]\n  expect: [{day: 2026-01-01, flags: []}]",
            "2:12: the event has no 'day'",
        ),
        (
            "test: t\n  events: [{day: 2026-01-01}]\n  expect: [{day: 2026-01-01, flags: []}]",
            "2:12: the event has no type, such as interaction, usage, subscription, survey, ticket, outcome, contact, rep, account",
        ),
        (
            "test: t\n  events: [{day: 2026-01-01, usge: x}]\n  expect: [{day: 2026-01-01, flags: []}]",
            "2:30: unknown event type 'usge'; did you mean 'usage'?",
        ),
        (
            "test: t\n  events: [{day: 2026-01-09..2026-01-01, usage: x}]\n  expect: [{day: 2026-01-01, flags: []}]",
            "2:18: this range is reversed: it goes from 2026-01-09 to 2026-01-01",
        ),
        (
            "test: t\n  events: [{day: 2026-01-01, every: 2 days, usage: x}]\n  expect: [{day: 2026-01-01, flags: []}]",
            "2:37: 'every' goes with a 'day' such as 2026-01-05..2026-02-16",
        ),
        (
            "test: t\n  events: [{day: 2026-01-01..2026-01-03, every: 2, usage: x}]\n  expect: [{day: 2026-01-01, flags: []}]",
            "2:49: 'every' is in days: write '2 days', not '2'",
        ),
        (
            "test: t\n  events: [{day: 2026-01-01, account: other, seats: 2}]\n  expect: [{day: 2026-01-01, flags: []}]",
            "2:39: the account of this test is 'account'",
        ),
    ],
)
def test_every_mistake_is_told_at_its_place(read, test, problem):
    found, problems = read(f"- {test}\n")
    assert found == []
    assert problem in problems


def test_an_event_that_would_be_quarantined_is_told_with_every_reason(read):
    text = "- test: t\n  events: [{day: 2026-01-01, interaction: email, reps: [], contacts: [dana]}]\n  expect: [{day: 2026-01-01, flags: []}]\n"
    found, problems = read(text)
    assert found == []
    (told,) = problems
    assert told.startswith("2:12: this is no interaction event: ")
    assert "direction" in told
    assert "reps" in told


def test_a_test_that_would_take_for_ever_is_refused(read):
    _, problems = read(
        "- test: t\n  events: [{day: 1900-01-01..2999-01-01, usage: x}]\n  expect: [{day: 2026-01-01, flags: []}]\n"
    )
    assert problems == ["2:18: more than 10,000 days"]
    _, problems = read(
        "- test: t\n  expect: [{day: 1900-01-01, flags: []}, {day: 2026-01-01, flags: []}]\n"
    )
    assert problems == ["1:3: a test of more than 3,660 days"]
