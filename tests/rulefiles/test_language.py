"""What admins may write in a rule, and what it means."""

from typing import get_args

import pytest

from worker.core.conditions import AllOf, AnyOf, Compare, Comparison, Named, Not, Threshold
from worker.core.contents import Lifecycle
from worker.core.facts import FACTS
from worker.core.rules import Mode, RecipientKind, Rule, Severity
from worker.core.units import NEVER, Unit

C = Comparison

THRESHOLDS = """
thresholds:
  renewal window: {enterprise: 90 days, default: 45 days}
  execs required: {enterprise: 2, mid-market: 2, default: 1}
  little money: $500
"""


def rule_with(when):
    return f"{THRESHOLDS}\nrules:\n  - {{id: x, title: t, severity: low, when: {{{when}}}}}\n"


@pytest.mark.parametrize(
    ("when", "comparison", "operands"),
    [
        ("days_since_contact: at least 15 days", C.AT_LEAST, (15,)),
        ("days_since_contact: at most 1 day", C.AT_MOST, (1,)),
        ("days_since_contact: over 15 days", C.OVER, (15,)),
        ("days_since_contact: more than 15 days", C.OVER, (15,)),
        ("days_since_contact: under 15 days", C.UNDER, (15,)),
        ("known_users: fewer than 2", C.UNDER, (2,)),
        ("known_users: less than 2", C.UNDER, (2,)),
        ("days_to_renewal: between -5 days and 90 days", C.BETWEEN, (-5, 90)),
        ("days_to_renewal: between 90 days and 90 days", C.BETWEEN, (90, 90)),
        ("days_to_renewal: between 15 days and never", C.BETWEEN, (15, NEVER)),
        ("known_users: is 2", C.IS, (2,)),
        ("known_users: 2", C.IS, (2,)),
        ("known_users: is not 2", C.IS_NOT, (2,)),
        ("known_users: [1, 2]", C.IS, (1, 2)),
        ("known_users: 'one of 1, 2'", C.IS, (1, 2)),
        ("days_since_contact: never", C.IS, (NEVER,)),
        ("days_since_contact: is never", C.IS, (NEVER,)),
        ("days_since_contact: is not never", C.IS_NOT, (NEVER,)),
        ("days_since_contact: known", C.KNOWN, ()),
        ("days_since_contact: is unknown", C.UNKNOWN, ()),
        ("days_since_contact: is not known", C.UNKNOWN, ()),
        ("adoption: at least 75%", C.AT_LEAST, (75,)),
        ("adoption: over 74.5 %", C.OVER, (74.5,)),
        ("usage_change: at most -20%", C.AT_MOST, (-20,)),
        ("usage_change: at most −20%", C.AT_MOST, (-20,)),
        ("usage_change: at least +20%", C.AT_LEAST, (20,)),
        ("mrr: at least 10000 EUR", C.AT_LEAST, (10000,)),
        ("mrr: 'over $10,000'", C.OVER, (10000,)),
        ("mrr: 'over EUR 10,000 a month'", C.OVER, (10000,)),
        ("mrr: 'under 1,500.50 per month'", C.UNDER, (1500.5,)),
        ("usage_30d: 'over 1,000'", C.OVER, (1000,)),
        ('adoption: ">= 75%"', C.AT_LEAST, (75,)),
        ('adoption: "<=75%"', C.AT_MOST, (75,)),
        ('adoption: "> 75%"', C.OVER, (75,)),
        ('adoption: "< 75%"', C.UNDER, (75,)),
        ('adoption: "= 75%"', C.IS, (75,)),
        ('adoption: "!= 75%"', C.IS_NOT, (75,)),
        ("segment: smb", C.IS, ("smb",)),
        ("segment: is smb", C.IS, ("smb",)),
        ("segment: is not smb", C.IS_NOT, ("smb",)),
        ("segment: [smb, mid market]", C.IS, ("smb", "mid market")),
        (
            "segment: 'one of smb, mid-market or enterprise'",
            C.IS,
            ("smb", "mid-market", "enterprise"),
        ),
        ("segment: 2024", C.IS, ("2024",)),
        ("segment: 2026-01-05", C.IS, ("2026-01-05",)),
        ("segment: yes", C.IS, ("yes",)),
        ("segment: is under 50 seats", C.IS, ("under 50 seats",)),
        ("segment: known", C.KNOWN, ()),
        ("owner: unknown", C.UNKNOWN, ()),
        ('segment: "= smb"', C.IS, ("smb",)),
        ("strong_exec_ties: fewer than execs required", C.UNDER, (Named("execs required"),)),
        ("strong_exec_ties: execs required", C.IS, (Named("execs required"),)),
        (
            "days_to_renewal: between 0 days and renewal window",
            C.BETWEEN,
            (0, Named("renewal window")),
        ),
        ("mrr: at least little money", C.AT_LEAST, (Named("little money"),)),
    ],
)
def test_a_comparison_means_what_it_says(checked, when, comparison, operands):
    problems, rules = checked(rule_with(when))
    assert problems == []
    fact = when.partition(":")[0]
    assert rules.rules[0].when == Compare(fact, comparison, operands)


def test_the_lifecycles_that_rules_may_name_are_those_that_events_may_bring():
    assert FACTS["lifecycle"].values == get_args(Lifecycle)


SMB = Compare("segment", C.IS, ("smb",))
QUIET = Compare("days_since_contact", C.OVER, (5,))


@pytest.mark.parametrize(
    ("when", "condition"),
    [
        ("segment: smb", SMB),
        ("segment: smb, days_since_contact: over 5 days", AllOf((SMB, QUIET))),
        ("all: [segment: smb, days_since_contact: over 5 days]", AllOf((SMB, QUIET))),
        ("all: {segment: smb, days_since_contact: over 5 days}", AllOf((SMB, QUIET))),
        ("any: [segment: smb, days_since_contact: over 5 days]", AnyOf((SMB, QUIET))),
        ("any: {segment: smb, days_since_contact: over 5 days}", AnyOf((SMB, QUIET))),
        (
            "any: [{segment: smb, days_since_contact: over 5 days}, segment: smb]",
            AnyOf((AllOf((SMB, QUIET)), SMB)),
        ),
        ("not: {segment: smb}", Not(SMB)),
        ("not: {segment: smb, days_since_contact: over 5 days}", Not(AllOf((SMB, QUIET)))),
        ("not: {any: {segment: smb, days_since_contact: over 5 days}}", Not(AnyOf((SMB, QUIET)))),
        (
            "segment: smb, not: {not: {days_since_contact: over 5 days}}",
            AllOf((SMB, Not(Not(QUIET)))),
        ),
    ],
)
def test_all_any_and_not_nest(checked, when, condition):
    problems, rules = checked(rule_with(when))
    assert problems == []
    assert rules.rules[0].when == condition


def test_when_may_be_a_list(checked):
    problems, rules = checked(
        "rules:\n  - id: x\n    title: t\n    severity: low\n"
        "    when:\n      - segment: smb\n      - days_since_contact: over 5 days\n"
    )
    assert problems == []
    assert rules.rules[0].when == AllOf((SMB, QUIET))


def test_a_whole_file(checked):
    problems, rules = checked(
        THRESHOLDS
        + """
rules:
  - id: single-threaded
    title: >-
      {strong_exec_ties} strong exec ties,
      {execs required} needed
    severity: critical
    when: {strong_exec_ties: fewer than execs required}
    hold_for: 2 days
    keep_open_for: 1 day
    except_when: {lifecycle: [trial, churned]}
    advice: "Ask: who else decides?"
  - id: a
    title: 2
    severity: low
    when: {segment: smb}
"""
    )
    assert problems == []
    first, second = rules.rules
    assert first == Rule("a", "2", Severity.LOW, SMB)
    assert second == Rule(
        "single-threaded",
        "{strong_exec_ties} strong exec ties, {execs required} needed",
        Severity.CRITICAL,
        Compare("strong_exec_ties", C.UNDER, (Named("execs required"),)),
        "Ask: who else decides?",
        hold_for=2,
        keep_open_for=1,
        except_when=Compare("lifecycle", C.IS, ("trial", "churned")),
    )
    assert rules.thresholds == {
        "execs required": Threshold(
            "execs required", Unit.COUNT, {"enterprise": 2, "mid-market": 2}, 1
        ),
        "little money": Threshold("little money", Unit.MONEY, {}, 500),
        "renewal window": Threshold("renewal window", Unit.DAYS, {"enterprise": 90}, 45),
    }


def test_comments_layout_and_order_do_not_change_the_digest(checked):
    rule = "{id: %s, title: t, severity: low, when: {adoption: at least 75%%}}"
    _, one = checked(f"rules:\n  - {rule % 'a'}\n  - {rule % 'b'}\n")
    _, two = checked(f"# twice\nrules: [{rule % 'b'},\n  {rule % 'a'}]\n".replace("75%", "75 %"))
    _, other = checked(f"rules: [{rule % 'a'}]")
    assert one.digest == two.digest
    assert one.digest != other.digest


def test_a_threshold_without_a_default_is_fine_if_it_has_every_segment_that_is_named(checked):
    problems, _ = checked(
        "thresholds: {a: {smb: 1, enterprise: 2}, b: {smb: 1, default: 2}}\n"
        "rules: [{id: x, title: t, severity: low, when: {segment: [smb, enterprise]}}]\n"
    )
    assert problems == []


SHARED = """
conditions:
  small or quiet: {any: {segment: smb, days_since_contact: over 5 days}}
  small but quiet:
    - small
    - days_since_contact: over 5 days
  small: {segment: smb}
"""


@pytest.mark.parametrize(
    ("when", "condition"),
    [
        ("small", SMB),
        ("[small]", SMB),
        ('" small  but quiet "', AllOf((SMB, QUIET))),
        ("[small, {days_since_contact: over 5 days}]", AllOf((SMB, QUIET))),
        ("[[small], days_since_contact: over 5 days]", AllOf((SMB, QUIET))),
        ("{all: [small but quiet, small]}", AllOf((SMB, QUIET, SMB))),
        ("{any: [small, small or quiet]}", AnyOf((SMB, SMB, QUIET))),
        ("{any: [small but quiet, small]}", AnyOf((AllOf((SMB, QUIET)), SMB))),
        ("{any: small}", SMB),
        ("{not: small}", Not(SMB)),
        ("{not: [small, small or quiet]}", Not(AllOf((SMB, AnyOf((SMB, QUIET)))))),
        ("{days_since_contact: over 5 days, not: small}", AllOf((QUIET, Not(SMB)))),
    ],
)
def test_the_name_of_a_condition_stands_for_what_it_says(checked, when, condition):
    rule = f"rules: [{{id: x, title: t, severity: low, when: {when}, except_when: {when}}}]\n"
    for text in (SHARED + rule, rule + SHARED):
        problems, rules = checked(text)
        assert problems == []
        assert rules.rules[0].when == rules.rules[0].except_when == condition


def test_a_named_condition_and_its_lines_written_out_have_one_digest(checked):
    rule = "rules: [{id: x, title: t, severity: low, when: %s}]\n"
    named = "[small but quiet, known_users: 0]"
    written = "{segment: smb, days_since_contact: over 5 days, known_users: 0}"
    _, one = checked(SHARED + rule % named)
    _, two = checked(rule % written)
    _, other = checked(SHARED + rule % "[small or quiet, known_users: 0]")
    assert one.digest == two.digest
    assert one.digest != other.digest


def test_the_segments_of_a_named_condition_count_even_if_no_rule_uses_it(checked):
    problems, _ = checked("thresholds: {t: {enterprise: 1}}\n" + SHARED)
    assert [problem.message for problem in problems] == [
        "threshold 't' has neither a value for 'smb' nor a default"
    ]


def test_a_rule_with_override_takes_the_place_of_the_other_whole(checked):
    shipped = "  - {id: x, title: t, severity: low, when: {segment: smb}, hold_for: 2 days}\n"
    ours = "  - {id: x, override: true, title: ours, severity: high, when: {segment: [big]}}\n"
    digests = set()
    for rules in (shipped + ours, ours + shipped, ours.replace("override: true, ", "")):
        problems, found = checked(f"rules:\n{rules}")
        assert problems == []
        assert found.rules == (
            Rule("x", "ours", Severity.HIGH, Compare("segment", C.IS, ("big",))),
        )
        digests.add(found.digest)
    assert len(digests) == 1


def test_override_false_overrides_nothing(checked):
    problems, rules = checked(rule_with("segment: smb").replace("id: x", "id: x, override: false"))
    assert problems == []
    assert rules.rules == (Rule("x", "t", Severity.LOW, SMB),)


@pytest.mark.parametrize(
    "link",
    [
        "https://wiki.example.com/renewals?step=1&who=us#call",
        "http://10.0.0.1:8080/~cs/play_book-(1)",
        "https://de.wikipedia.org/wiki/Kündigung",
        "https://a.example/" + "x" * 482,
    ],
)
def test_a_playbook_is_a_link(checked, link):
    problems, rules = checked(
        rule_with("segment: smb").replace("id: x", f'id: x, playbook: "{link}"')
    )
    assert problems == []
    assert rules.rules[0].playbook == link


@pytest.mark.parametrize(
    ("written", "tags"),
    [
        ("renewal", ("renewal",)),
        ("two words", ("two words",)),
        ("[renewal, Führung, q1-2_x, 2026]", ("2026", "Führung", "q1-2_x", "renewal")),
        ("[b, a]", ("a", "b")),
        ("[]", ()),
    ],
)
def test_tags_are_one_text_or_a_list_whose_order_means_nothing(checked, written, tags):
    problems, rules = checked(rule_with("segment: smb").replace("id: x", f"id: x, tags: {written}"))
    assert problems == []
    assert rules.rules[0].tags == tags


RULE_X = "rules:\n  - {id: x, title: t, severity: low, when: {segment: smb}%s}\n"


@pytest.mark.parametrize(
    ("written", "mode"),
    [("", Mode.LIVE), (", mode: live", Mode.LIVE), (", mode: shadow", Mode.SHADOW)],
)
def test_a_rule_is_live_unless_it_says_otherwise(checked, written, mode):
    problems, rules = checked(RULE_X % written)
    assert problems == []
    assert (rules.rules[0].mode, rules.off) == (mode, frozenset())


@pytest.mark.parametrize("written", ["off", "'off'", '"off"'])
def test_a_rule_that_is_off_is_not_in_force(checked, written):
    text = RULE_X % f", mode: {written}" + "  - {id: y, title: t, severity: low, when: {mrr: $1}}\n"
    problems, rules = checked(text)
    assert problems == []
    assert [rule.id for rule in rules.rules] == ["y"]
    assert [compiled.rule.id for compiled in rules.compiled] == ["y"]
    assert rules.facts == {"mrr"}
    assert rules.off == {"x"}


def test_a_rule_that_is_off_is_checked_all_the_same(checked):
    problems, rules = checked(RULE_X.replace("smb", "known, adoptoin: 5%%") % ", mode: off")
    assert rules is None
    assert "unknown fact 'adoptoin'" in problems[0].message


@pytest.mark.parametrize("reverse", [False, True])
def test_an_override_can_switch_a_rule_off_and_on_again(checked, reverse):
    shipped, ours = "{id: x, title: t, severity: low, when: {segment: smb}", ", override: true"
    for theirs, own, off in (("", ", mode: off", {"x"}), (", mode: off", "", set())):
        lines = [f"  - {shipped}{theirs}}}\n", f"  - {shipped}{ours}{own}}}\n"]
        problems, rules = checked("rules:\n" + "".join(lines[::-1] if reverse else lines))
        assert problems == []
        assert rules.off == off
        assert len(rules.rules) == (0 if off else 1)


@pytest.mark.parametrize(
    ("written", "recipients"),
    [
        ("owner", [(RecipientKind.OWNER, "")]),
        ("owner's manager", [(RecipientKind.OWNERS_MANAGER, "")]),
        ("'#renewals_2-große'", [(RecipientKind.CHANNEL, "renewals_2-große")]),
        ("rep sam", [(RecipientKind.REP, "sam")]),
        ("rep  Sam O'Neil", [(RecipientKind.REP, "Sam O'Neil")]),
        ("[rep sam, owner]", [(RecipientKind.OWNER, ""), (RecipientKind.REP, "sam")]),
        ("[]", []),
    ],
)
def test_who_is_to_be_told_is_one_or_a_list_whose_order_means_nothing(checked, written, recipients):
    problems, rules = checked(RULE_X % f", notify: {written}")
    assert problems == []
    assert list(rules.rules[0].notify) == recipients


@pytest.mark.parametrize(("written", "days"), [("1 day", 1), ("365 days", 365)])
def test_a_reminder_comes_after_whole_days(checked, written, days):
    problems, rules = checked(RULE_X % f", remind_every: {written}")
    assert problems == []
    assert rules.rules[0].remind_every == days
    assert checked(RULE_X % "")[1].rules[0].remind_every is None
