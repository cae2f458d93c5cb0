"""A flag of growth on its way to a rep: alerted and listed as such, and in no count of risks."""

from datetime import date

from tests.pipeline import alerts, at, event, flags, rulebook, take_in
from worker.core.rules import Kind
from worker.slack_actions import lists

DAY = date(2026, 3, 2)

RULES = """
rules:
  - {id: grows, title: Grows, severity: high, kind: growth, when: {licences: over 5}}
  - {id: small, title: Small, severity: low, when: {mrr: under 900 EUR}}
"""
KINDS = {"grows": Kind.GROWTH, "small": Kind.RISK}


def test_growth_is_alerted_and_listed_as_such_and_is_no_risk(engine, tmp_path):
    book = rulebook(tmp_path, RULES)
    about = {"owner": "sam", "seats": 10, "mrr": 500, "currency": "EUR"}
    take_in(engine, book, DAY, event("account", DAY, **about))
    assert flags(engine) == {"acme": ["grows", "small"]}
    assert {one.rule: one.kind for one in alerts(engine)} == KINDS
    shown = lists.home(engine, ["sam"], book, at(DAY))
    assert {line.rule: line.kind for line in shown.flags} == KINDS
    assert {change.title.lower(): change.kind for change in shown.changes} == KINDS
    (account,) = shown.accounts
    assert (account.worst, account.open) == ("low", 2)


def test_growth_puts_no_account_before_one_with_more_at_stake(engine, tmp_path):
    book = rulebook(tmp_path, RULES)
    about = {"owner": "sam", "currency": "EUR"}
    take_in(
        engine,
        book,
        DAY,
        event("account", DAY, account="acme", seats=10, mrr=500, **about),
        event("account", DAY, account="birch", mrr=800, **about),
    )
    shown = lists.home(engine, ["sam"], book, at(DAY))
    assert [line.account.id for line in shown.accounts] == ["birch", "acme"]
    assert [line.rule for line in shown.flags] == ["small", "small", "grows"]
