"""A condition explained: every line with its value, its limits and its outcome."""

import pytest

from tests.conditions import FEW_EXECS, QUIET, RENEWS, THRESHOLDS, C, known
from worker.core.conditions import (
    AllOf,
    AnyOf,
    Compare,
    Not,
    evaluate,
)
from worker.core.explanation import Group, Kind, Limit, Line, explained
from worker.core.facts import FACTS
from worker.core.reasons import missing
from worker.core.units import NEVER

ADOPTED = Compare("adoption", C.AT_LEAST, (75,))


def explain(condition, **facts):
    return explained(condition, known(**facts), THRESHOLDS)


def fires(condition, **facts):
    return missing(condition, known(**facts), THRESHOLDS)


@pytest.mark.parametrize(("days", "outcome"), [(15, False), (16, True), (NEVER, True)])
def test_a_line_has_the_facts_value_the_limits_and_what_comes_of_them(days, outcome):
    line = explain(QUIET, days_since_exec_contact=days)
    assert isinstance(line, Line)
    assert (line.fact, line.value, line.comparison) == ("days_since_exec_contact", days, C.OVER)
    assert (line.limits, line.outcome, line.unknown_because) == ((Limit(15),), outcome, None)


@pytest.mark.parametrize(
    ("segment", "value", "whose"),
    [("enterprise", 90, "90 days for enterprise"), ("smb", 45, "45 days by default")],
)
def test_a_threshold_is_said_by_its_name_its_value_and_for_whom_it_is(segment, value, whose):
    line = explain(RENEWS, days_to_renewal=41, segment=segment)
    assert line.limits == (Limit(0), Limit(value, "window"))
    assert line.words == f"time to renewal: 41 days (between 0 days and window, {whose})"


@pytest.mark.parametrize(
    ("compare", "value", "words"),
    [
        (Compare("user_ties", C.IS, (0,)), 3, "users with a tie: 3 (is 0)"),
        (Compare("segment", C.IS, ("smb",)), "smb", "segment: smb (is smb)"),
        (Compare("segment", C.IS, ("a", "b")), "c", "segment: c (one of a, b)"),
        (Compare("segment", C.IS_NOT, ("a",)), "c", "segment: c (not a)"),
        (Compare("adoption", C.KNOWN), None, "adoption: unknown (is known)"),
        (Compare("days_since_usage", C.IS, (NEVER,)), 4, "last usage: 4 days ago (is never)"),
        (QUIET, NEVER, "last contact with an executive: never (over 15 days)"),
    ],
)
def test_a_line_reads_naturally_whether_it_holds_or_not(compare, value, words):
    assert explain(compare, **{compare.fact: value}).words == words


def test_an_unknown_fact_says_when_it_is_unknown():
    line = explain(ADOPTED)
    assert (line.value, line.outcome) == (None, None)
    assert line.words == "adoption: unknown (at least 75%)"
    assert line.unknown_because == FACTS["adoption"].unknown_when


@pytest.mark.parametrize(
    ("before", "why"), [(None, "the account has no usage event yet"), (0, "usage_prev_30d is 0")]
)
def test_of_two_causes_it_names_the_one_at_work(before, why):
    line = explain(Compare("usage_change", C.AT_MOST, (-20,)), usage_prev_30d=before)
    assert line.unknown_because == why


@pytest.mark.parametrize(
    ("segment", "whom"), [("smb", "the segment smb"), (None, "an account without a segment")]
)
def test_a_threshold_without_a_value_is_why_the_outcome_is_unknown(segment, whom):
    line = explain(FEW_EXECS, strong_exec_ties=1, segment=segment)
    assert (line.limits, line.outcome) == ((Limit(None, "needed"),), None)
    assert line.words == "executives with a strong tie: 1 (fewer than needed)"
    assert line.unknown_because == f"needed has no value for {whom}"
    assert fires(FEW_EXECS, strong_exec_ties=1).endswith("strong tie is under needed")


def test_groups_nest_as_they_are_written_each_with_its_own_outcome():
    condition = AllOf((Not(QUIET), AnyOf((ADOPTED, RENEWS))))
    tree = explain(condition, days_since_exec_contact=22, days_to_renewal=10, segment="smb")
    assert isinstance(tree, Group)
    assert (tree.kind, tree.outcome) == (Kind.ALL, False)
    negated, either = tree.parts
    assert (negated.kind, negated.outcome, negated.parts[0].outcome) == (Kind.NOT, False, True)
    assert (either.kind, either.outcome) == (Kind.ANY, True)
    assert [part.outcome for part in either.parts] == [None, True]


def test_what_is_missing_leaves_out_what_holds():
    both = AllOf((QUIET, ADOPTED))
    assert fires(both, days_since_exec_contact=22) == "adoption is at least 75%"
    assert fires(both, days_since_exec_contact=2, adoption=10.0) == (
        "the last contact with an executive is over 15 days ago and adoption is at least 75%"
    )
    assert fires(AnyOf((QUIET, ADOPTED)), days_since_exec_contact=2, adoption=10.0) == (
        "the last contact with an executive is over 15 days ago, or adoption is at least 75%"
    )
    assert fires(Not(QUIET), days_since_exec_contact=22) == (
        "the last contact with an executive is at most 15 days ago"
    )


@pytest.mark.parametrize("adoption", [None, 10.0, 80.0])
@pytest.mark.parametrize("days", [None, 2, 22, NEVER])
def test_every_outcome_of_the_tree_is_that_of_the_condition(adoption, days):
    condition = AnyOf((AllOf((QUIET, ADOPTED)), Not(ADOPTED)))
    facts = known(adoption=adoption, days_since_exec_contact=days)
    tree = explained(condition, facts, THRESHOLDS)
    assert tree.outcome is evaluate(condition, facts, THRESHOLDS)
    inner, negated = tree.parts
    assert inner.outcome is evaluate(condition.parts[0], facts, THRESHOLDS)
    assert negated.outcome is evaluate(condition.parts[1], facts, THRESHOLDS)
