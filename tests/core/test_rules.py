"""Rules and rule sets: severities, the words of alerts, and the digest of what they mean."""

from dataclasses import replace

import pytest

from worker.core.conditions import AllOf, AnyOf, Compare, Comparison, Threshold
from worker.core.facts import FACTS
from worker.core.rules import (
    Mode,
    Recipient,
    RecipientKind,
    Rule,
    Severity,
    is_link,
    render,
    rule_set,
)
from worker.core.units import NEVER, Unit

WINDOW = Threshold("renewal window", Unit.DAYS, {"enterprise": 90}, 45)
ADOPTION = Compare("adoption", Comparison.AT_LEAST, (75,))
SEGMENT = Compare("segment", Comparison.IS, ("smb",))
RULE = Rule("b", "A title", Severity.LOW, AllOf((ADOPTION, SEGMENT)))


def test_severities_rank_from_low_to_critical():
    assert sorted(set(Severity), key=lambda severity: severity.rank) == [
        "low",
        "medium",
        "high",
        "critical",
    ]


@pytest.mark.parametrize(
    ("text", "facts", "rendered"),
    [
        ("Renews in {days_to_renewal}", {"days_to_renewal": 1}, "Renews in 1 day"),
        ("{adoption} of {mrr}", {"adoption": 74.6, "mrr": 20000}, "75% of 20,000"),
        ("{ days_to_renewal }!", {"days_to_renewal": 41}, "41 days!"),
        ("last {days_since_contact} ago.", {"days_since_contact": 22}, "last 22 days ago."),
        ("last {days_since_contact} ago.", {"days_since_contact": NEVER}, "last never."),
        ("last {days_since_contact} ago.", {}, "last unknown."),
        ("{days_since_contact} agone", {"days_since_contact": NEVER}, "never agone"),
        ("{owner} in {segment}", {"owner": "{mrr}", "segment": "smb"}, "{mrr} in smb"),
        ("within {renewal window}", {"segment": "enterprise"}, "within 90 days"),
        ("within {renewal window}", {}, "within 45 days"),
        ("no braces", {}, "no braces"),
    ],
)
def test_placeholders_are_shown_with_their_unit(text, facts, rendered):
    every_fact = dict.fromkeys(FACTS) | facts
    assert render(text, every_fact, {"renewal window": WINDOW}) == rendered


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://a", True),
        ("http://a/b?c=d&e#f", True),
        ("HTTPS://a", False),
        ("javascript:alert(1)", False),
        ("https:///path", False),
        ("https://a b", False),
        ("https://a>|b", False),
        ("https://a\u202e", False),
        ("https://a\n", False),
        ("https://a/" + "x" * 490, True),
        ("https://a/" + "x" * 491, False),
    ],
)
def test_a_link_holds_nothing_that_could_end_it_in_a_message(text, expected):
    assert is_link(text) is expected


def test_rules_are_in_order_of_id_and_thresholds_go_by_name():
    rules = rule_set([RULE, replace(RULE, id="a")], [WINDOW])
    assert [rule.id for rule in rules.rules] == ["a", "b"]
    assert rules.thresholds == {"renewal window": WINDOW}


def test_the_digest_does_not_depend_on_order():
    other = Threshold("x", Unit.COUNT, {"a": 1, "b": 2})
    same = Threshold("x", Unit.COUNT, {"b": 2, "a": 1})
    one = rule_set([RULE, replace(RULE, id="a")], [WINDOW, other])
    two = rule_set([replace(RULE, id="a"), RULE], [same, WINDOW])
    assert one.digest == two.digest
    assert len(one.digest) == 16
    assert set(one.digest) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another title"},
        {"severity": Severity.HIGH},
        {"hold_for": 1},
        {"keep_open_for": 1},
        {"advice": "Call them."},
        {"playbook": "https://wiki.example.com"},
        {"tags": ("renewal",)},
        {"mode": Mode.SHADOW},
        {"notify": (Recipient(RecipientKind.REP, "sam"),)},
        {"remind_every": 7},
        {"except_when": SEGMENT},
        {"when": AnyOf((ADOPTION, SEGMENT))},
        {"when": AllOf((SEGMENT,))},
        {"when": AllOf((replace(ADOPTION, operands=(76,)), SEGMENT))},
        {"when": AllOf((replace(ADOPTION, comparison=Comparison.OVER), SEGMENT))},
    ],
)
def test_the_digest_changes_with_anything_that_a_rule_means(change):
    assert rule_set([replace(RULE, **change)], []).digest != rule_set([RULE], []).digest


def test_the_digest_changes_with_a_threshold():
    wider = replace(WINDOW, by_segment={"enterprise": 91})
    assert rule_set([RULE], [wider]).digest != rule_set([RULE], [WINDOW]).digest
    assert (
        rule_set([RULE], [replace(WINDOW, default=46)]).digest != rule_set([RULE], [WINDOW]).digest
    )


def test_what_is_off_is_known_by_its_id_alone_and_is_a_part_of_what_the_rules_mean():
    rules = rule_set([RULE], [], ["z", "y"])
    assert rules.off == {"y", "z"}
    assert [compiled.rule.id for compiled in rules.compiled] == ["b"]
    assert rules.digest == rule_set([RULE], [], ["y", "z"]).digest
    assert rules.digest != rule_set([RULE], []).digest
