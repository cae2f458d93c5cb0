"""From an event, a sweep or a click to another system that is told: real HTTP, signed, in order."""

import json
import shutil
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook as Library

from tests.pipeline import at, event, meeting, rows, rulebook, sweep, take_in
from tests.receiver import SECRET, Receiver
from worker.core.answers import Acknowledge, Dismiss, NotARisk
from worker.delivering import webhook_delivery
from worker.rulebooks.rulebook import read_rulebook
from worker.slack_actions.answering import answer
from worker.slack_actions.authority import Clicked
from worker.store import tables
from worker.store.database import engine_for

D = date(2026, 3, 2)
RULES = """
rules:
  - id: quiet
    title: nobody for {days_since_contact}
    severity: high
    advice: call {days_since_contact}
    when: {days_since_contact: at least 10 days}
  - id: big
    title: worth {mrr}
    severity: low
    when: {mrr: over $5}
  - id: tried
    title: tried out
    severity: low
    mode: shadow
    when: {mrr: over $5}
"""


@pytest.fixture
def crm():
    with Receiver().run() as receiver:
        yield receiver


def book_of(folder, crm, more="", rules=RULES):
    """Rules with a webhook `crm`, and what more stands in the file."""
    rulebook(folder, rules)
    text = f"webhooks:\n  crm:\n    url: {crm.url()}\n{more}"
    (folder / "rules" / "webhooks.yaml").write_text(text, encoding="utf-8")
    return read_rulebook(folder / "rules")


def deliver(engine, book, now):
    """Everything that is due then."""
    return webhook_delivery.deliver(engine, book.webhooks, lambda name: SECRET, lambda: now)


FLAGS = "    flags: all\n"


def test_a_flag_that_opens_and_resolves_is_told_with_all_that_is_known_of_it(engine, tmp_path, crm):
    book = book_of(tmp_path, crm, FLAGS)
    about = event("account", D, name="Acme", segment="enterprise", owner="sam")
    take_in(
        engine, book, D, about, meeting(D), event("rep", D, account=None, rep="sam", name="Sam")
    )
    sweep(engine, book, D + timedelta(10))
    take_in(engine, book, D + timedelta(11), meeting(D + timedelta(11)))
    done = deliver(engine, book, at(D + timedelta(11), 14))
    assert (done.sent, done.failed, done.waiting) == (2, 0, 0)
    assert crm.unproven == []
    opened, resolved = crm.heard
    assert opened.type == "flag.opened"
    assert opened.body["timestamp"] == "2026-03-12T23:00:00Z"
    assert opened.data == {
        "account": "acme",
        "account_name": "Acme",
        "segment": "enterprise",
        "owner": "sam",
        "owner_name": "Sam",
        "on": "2026-03-12",
        "flag": opened.data["flag"],
        "rule": "quiet",
        "severity": "high",
        "state": "open",
        "previous_state": None,
        "first_true_on": "2026-03-12",
        "opened_on": "2026-03-12",
        "resolved_on": None,
        "assignee": None,
        "title": "nobody for 10 days",
        "reasons": ["last contact: 10 days ago (at least 10 days)"],
        "people": [],
        "advice": "call 10 days",
        "playbook": None,
    }
    assert resolved.type == "flag.resolved"
    assert resolved.data["flag"] == opened.data["flag"]
    assert (resolved.data["state"], resolved.data["previous_state"]) == ("resolved", "open")
    assert resolved.data["advice"] is None
    assert resolved.id != opened.id


HEALTH = """
bands: {good: 100, poor: 20}
parts:
  relationship:
    weight: 1
    facts: {days_since_contact: {good: at most 5 days, poor: otherwise}}
"""
AILING = """
rules:
  - id: ailing
    title: not well
    severity: high
    when: {health: at most 50}
"""


def test_what_lowers_the_health_score_is_told_as_it_is_in_slack(engine, tmp_path, crm):
    rulebook(tmp_path, AILING)
    (tmp_path / "rules" / "health.yaml").write_text(HEALTH, encoding="utf-8")
    book = book_of(tmp_path, crm, FLAGS, AILING)
    take_in(engine, book, D, meeting(D))
    sweep(engine, book, D + timedelta(10))
    deliver(engine, book, at(D + timedelta(11)))
    (opened,) = crm.heard
    assert opened.data["people"] == [
        "The health score is lowered most by last contact: 10 days ago."
    ]
    (told,) = rows(engine, tables.outbox)
    assert opened.data["people"] == json.loads(told["alert"])["who"]


def test_what_is_sent_passes_the_library_that_receivers_use(engine, tmp_path):
    asked = []

    class Keeping(Receiver):
        def take(self, path, headers, body):
            asked.append((headers, body))
            return super().take(path, headers, body)

    with Keeping().run() as crm:
        book = book_of(tmp_path, crm, FLAGS)
        take_in(engine, book, D, event("account", D, mrr=10))
        deliver(engine, book, datetime.now(UTC))
    ((headers, body),) = asked
    assert Library(SECRET).verify(body, headers)["type"] == "flag.opened"
    assert headers["content-type"] == "application/json"


def test_what_people_answer_in_slack_is_told(engine, tmp_path, crm):
    book = book_of(tmp_path, crm, FLAGS)
    rep = event("rep", D, account=None, rep="sam", slack_user="U1")
    take_in(engine, book, D, rep, event("account", D, mrr=10, owner="sam"))
    (flag,) = (one["id"] for one in rows(engine, tables.flags) if one["rule"] == "big")
    answer(engine, book, Clicked("k1", flag, "U1"), Acknowledge(), at(D, 14))
    answer(engine, book, Clicked("k1", flag, "U1"), Acknowledge(), at(D, 14))
    answer(engine, book, Clicked("k2", flag, "U1"), Dismiss(NotARisk.KNOWN), at(D, 15))
    deliver(engine, book, at(D, 15))
    assert [one.type for one in crm.heard] == [
        "flag.opened",
        "flag.acknowledged",
        "flag.dismissed",
    ]
    assert [one.data["state"] for one in crm.heard] == ["open", "acknowledged", "dismissed"]


def test_nothing_is_told_of_rules_in_shadow_or_of_flags_and_accounts_not_asked_for(
    engine, tmp_path, crm
):
    told = "    segment: enterprise\n    flags: {severity: [high], transition: [opened]}\n"
    book = book_of(tmp_path, crm, told)
    take_in(
        engine,
        book,
        D,
        event("account", D, mrr=10, segment="enterprise"),
        event("account", D, account="other", mrr=10),
        meeting(D),
        meeting(D, account="other"),
    )
    sweep(engine, book, D + timedelta(10))
    take_in(engine, book, D + timedelta(11), meeting(D + timedelta(11)))
    deliver(engine, book, at(D + timedelta(11), 14))
    assert [(one.data["account"], one.data["rule"], one.type) for one in crm.heard] == [
        ("acme", "quiet", "flag.opened")
    ]


FACTS = "    facts: [mrr, days_since_contact, strong_user_ties]\n"


def test_facts_that_changed_are_told_with_what_was_told_before(engine, tmp_path, crm):
    book = book_of(tmp_path, crm, FACTS, rules="rules: []\ninclude: shipped rules\n")
    take_in(engine, book, D, event("account", D, mrr=10), meeting(D))
    take_in(engine, book, D, event("account", D, mrr=10))
    take_in(engine, book, D, event("account", D, mrr=12))
    sweep(engine, book, D + timedelta(1))
    deliver(engine, book, at(D + timedelta(1), 23))
    assert [one.type for one in crm.heard] == ["account.facts_changed"] * 3
    first, second, third = (one.data["changes"] for one in crm.heard)
    assert first == [
        {"fact": "days_since_contact", "unit": "days", "new": 0, "first": True},
        {"fact": "mrr", "unit": "money", "new": 10.0, "first": True},
        {"fact": "strong_user_ties", "unit": "count", "new": 0, "first": True},
    ]
    assert second == [{"fact": "mrr", "unit": "money", "old": 10.0, "new": 12.0}]
    assert third == [{"fact": "days_since_contact", "unit": "days", "old": 0, "new": 1}]


def test_what_has_never_happened_is_told_as_never_and_what_is_unknown_as_null(
    engine, tmp_path, crm
):
    book = book_of(tmp_path, crm, "    facts: [days_since_exec_contact, adoption]\n")
    take_in(engine, book, D, event("account", D, mrr=10), meeting(D, account="other"))
    deliver(engine, book, at(D, 14))
    (acme,) = (one for one in crm.heard if one.data["account"] == "acme")
    assert {one["fact"]: one["new"] for one in acme.data["changes"]} == {
        "adoption": None,
        "days_since_exec_contact": "never",
    }


def test_a_webhook_that_asks_for_one_more_fact_is_told_only_that(engine, tmp_path, crm):
    book = book_of(tmp_path, crm, "    facts: mrr\n")
    take_in(engine, book, D, event("account", D, mrr=10, seats=5))
    book = book_of(tmp_path, crm, "    facts: [mrr, licences]\n")
    sweep(engine, book, D)
    deliver(engine, book, at(D, 23))
    assert [[one["fact"] for one in each.data["changes"]] for each in crm.heard] == [
        ["mrr"],
        ["licences"],
    ]


def test_a_source_gone_silent_has_not_changed_an_account(engine, tmp_path, crm):
    book_of(tmp_path, crm, "    facts: [days_since_contact]\n")
    (tmp_path / "rules" / "sources.yaml").write_text("sources: {crm: 1 day}", encoding="utf-8")
    book = read_rulebook(tmp_path / "rules")
    take_in(engine, book, D, meeting(D))
    sweep(engine, book, D + timedelta(1))
    sweep(engine, book, D + timedelta(5))  # not known any more
    deliver(engine, book, at(D + timedelta(5), 23))
    assert [one.data["changes"][0]["new"] for one in crm.heard] == [0, 1]


def test_what_rolls_back_is_not_told(engine, tmp_path, crm, monkeypatch):
    book = book_of(tmp_path, crm, FLAGS + FACTS)
    monkeypatch.setattr("worker.intake.applying.batches.applied", lambda *_: 1 / 0)
    with pytest.raises(Exception, match="division"):
        take_in(engine, book, D, event("account", D, mrr=10))
    assert rows(engine, tables.webhook_messages) == rows(engine, tables.webhook_facts) == []
    monkeypatch.undo()
    take_in(engine, book, D, event("account", D, mrr=10))
    assert len(rows(engine, tables.webhook_messages)) == 2


def test_without_webhooks_nothing_is_written_or_asked(engine, tmp_path, crm, monkeypatch):
    monkeypatch.setattr("worker.evaluating.announcing.webhooks", None)
    monkeypatch.setattr("worker.evaluating.announcing.webhook_facts", None)
    book = rulebook(tmp_path, RULES)
    take_in(engine, book, D, event("account", D, mrr=10))
    assert rows(engine, tables.webhook_messages) == []


def test_those_of_a_webhook_that_is_gone_are_dropped_and_told_anew_when_it_is_back(
    engine, tmp_path, crm
):
    book = book_of(tmp_path, crm, "    facts: mrr\n")
    take_in(engine, book, D, event("account", D, mrr=10))
    done = webhook_delivery.deliver(engine, (), lambda name: SECRET, lambda: at(D, 14))
    assert done.waiting == 0
    assert [one["state"] for one in rows(engine, tables.webhook_messages)] == ["dropped"]
    sweep(engine, book, D)
    deliver(engine, book, at(D, 23))
    assert [one.data["changes"][0]["first"] for one in crm.heard] == [True]


DAYS = st.lists(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), max_size=3),
    min_size=1,
    max_size=5,
)


@given(days=DAYS)
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_who_applies_what_is_told_knows_the_facts_as_they_are(
    days, tmp_path_factory, sqlite_template
):
    folder = tmp_path_factory.mktemp("property")
    engine = engine_for(f"sqlite:///{shutil.copy(sqlite_template, folder / 'tiewatch.db')}")
    revenue: dict[str, object] = {}
    met: dict[str, date] = {}
    with Receiver().run() as crm:
        book = book_of(folder, crm, "    facts: [mrr, days_since_contact]\n")
        for n, happened in enumerate(days):
            day = D + timedelta(n)
            for account, mrr in happened:
                revenue[account] = mrr or None
                take_in(engine, book, day, event("account", day, account=account, mrr=mrr or None))
                if mrr == 3:
                    met[account] = day
                    take_in(engine, book, day, meeting(day, account=account))
            sweep(engine, book, day)
        deliver(engine, book, at(day, 23))
    engine.dispose()
    known: dict[str, dict[str, object]] = {}
    for one in crm.heard:
        told = known.setdefault(one.data["account"], {})
        for change in one.data["changes"]:
            assert change.get("first", False) is (change["fact"] not in told)
            assert told.get(change["fact"]) == change.get("old")
            assert told.get(change["fact"], "nothing") != change["new"]
            told[change["fact"]] = change["new"]
    never = "never" if met else None  # nobody can tell before anything was ever recorded
    assert known == {
        account: {
            "mrr": mrr,
            "days_since_contact": (day - met[account]).days if account in met else never,
        }
        for account, mrr in revenue.items()
    }
