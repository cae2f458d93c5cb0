"""The rules that ship, at both sides of each of their numbers."""

import pytest

from worker.core.conditions import evaluate
from worker.core.facts import FACTS
from worker.core.reasons import clears, reasons
from worker.core.rules import Kind, Mode, render
from worker.core.units import NEVER
from worker.rulefiles import load
from worker.shipped import rules_dir

RULES = load(rules_dir())
BY_ID = {rule.id: rule for rule in RULES.rules if rule.mode is Mode.LIVE}


def outcome(rule, **facts):
    return evaluate(BY_ID[rule].when, dict.fromkeys(FACTS) | facts, RULES.thresholds)


def test_four_rules_ship_live_and_eleven_in_shadow():
    assert len(RULES.rules) == 15
    assert [rule.id for rule in RULES.rules if rule.kind is Kind.GROWTH] == ["ready-to-grow"]
    assert {
        rule.id: (rule.severity, rule.hold_for, rule.keep_open_for) for rule in BY_ID.values()
    } == {
        "renewal-without-exec-contact": ("high", 0, 0),
        "single-threaded": ("medium", 2, 3),
        "adoption-without-user-ties": ("low", 0, 0),
        "adoption-falling-without-contact": ("critical", 0, 0),
    }


@pytest.mark.parametrize("rule", BY_ID)
@pytest.mark.parametrize(
    ("lifecycle", "silent"),
    [("trial", True), ("onboarding", True), ("churned", True), ("active", False)],
)
def test_every_rule_is_silent_before_and_after_the_customers_active_life(rule, lifecycle, silent):
    facts = dict.fromkeys(FACTS) | {"lifecycle": lifecycle}
    exception = BY_ID[rule].except_when
    assert exception
    assert evaluate(exception, facts, RULES.thresholds) is silent


@pytest.mark.parametrize(
    ("segment", "to_renewal", "since_exec", "fires"),
    [
        ("enterprise", 90, 16, True),
        ("enterprise", 91, 16, False),
        ("enterprise", 0, 16, True),
        ("enterprise", -1, 16, False),
        ("enterprise", 90, 15, False),
        ("enterprise", 90, NEVER, True),
        ("mid-market", 45, 16, True),
        ("mid-market", 46, 16, False),
        (None, 45, 16, True),
        (None, 46, 16, False),
        ("enterprise", None, 16, None),
        ("enterprise", 41, None, None),
        ("enterprise", 91, None, False),
    ],
)
def test_renewal_without_exec_contact(segment, to_renewal, since_exec, fires):
    facts = {"days_to_renewal": to_renewal, "days_since_exec_contact": since_exec}
    assert outcome("renewal-without-exec-contact", segment=segment, **facts) is fires


@pytest.mark.parametrize(
    ("segment", "ties", "fires"),
    [
        ("enterprise", 1, True),
        ("enterprise", 2, False),
        ("mid-market", 1, True),
        ("mid-market", 2, False),
        ("smb", 0, True),
        ("smb", 1, False),
        (None, 0, True),
        (None, 1, False),
        ("smb", None, None),
    ],
)
def test_single_threaded(segment, ties, fires):
    assert outcome("single-threaded", segment=segment, strong_exec_ties=ties) is fires


@pytest.mark.parametrize(
    ("adoption", "ties", "fires"),
    [(75, 0, True), (74.9, 0, False), (75, 1, False), (None, 0, None), (74, None, False)],
)
def test_adoption_without_user_ties(adoption, ties, fires):
    assert outcome("adoption-without-user-ties", adoption=adoption, user_ties=ties) is fires


@pytest.mark.parametrize(
    ("change", "since_user", "fires"),
    [
        (-20, 30, True),
        (-19.9, 30, False),
        (-100, 29, False),
        (-20, NEVER, True),
        (None, 30, None),
        (-20, None, None),
        (-19, None, False),
    ],
)
def test_adoption_falling_without_contact(change, since_user, fires):
    facts = {"usage_change": change, "days_since_user_contact": since_user}
    assert outcome("adoption-falling-without-contact", **facts) is fires


@pytest.mark.parametrize(
    ("rule", "title"),
    [
        ("renewal-without-exec-contact", "Renews in 41 days, last exec contact: 22 days ago"),
        ("single-threaded", "Strong exec ties: 1 of the 2 we need"),
        (
            "adoption-without-user-ties",
            "80% of the licences in use, and a tie with none of the users",
        ),
        (
            "adoption-falling-without-contact",
            "Usage -35% in 30 days, last contact with a user: never",
        ),
    ],
)
def test_titles_reasons_and_ends_read_well(rule, title):
    facts = dict.fromkeys(FACTS) | {
        "segment": "enterprise",
        "days_to_renewal": 41,
        "days_since_exec_contact": 22,
        "strong_exec_ties": 1,
        "adoption": 80.0,
        "user_ties": 0,
        "usage_change": -35.0,
        "days_since_user_contact": NEVER,
    }
    shipped = BY_ID[rule]
    assert render(shipped.title, facts, RULES.thresholds) == title
    assert shipped.advice
    assert reasons(shipped.when, facts, RULES.thresholds)
    assert clears(shipped.when, facts, RULES.thresholds)
