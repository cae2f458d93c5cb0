"""Conditions: three-valued outcomes, and the sentences that explain them."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conditions import FEW_EXECS, QUIET, RENEWS, THRESHOLDS, C, known
from worker.core.conditions import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Named,
    Not,
    evaluate,
    facts_in,
)
from worker.core.facts import FACTS
from worker.core.reasons import clears, opposite, reasons
from worker.core.units import NEVER

ENTERPRISE = Compare("segment", C.IS, ("enterprise",))
SMB = Compare("segment", C.IS, ("smb",))


def outcome(condition, **facts):
    return evaluate(condition, known(**facts), THRESHOLDS)


@pytest.mark.parametrize(
    ("comparison", "limits", "holds_for", "fails_for"),
    [
        (C.AT_LEAST, (15,), [15, 16, NEVER], [14, -1]),
        (C.AT_MOST, (15,), [15, 0, -3], [16, NEVER]),
        (C.OVER, (15,), [16, NEVER], [15, 0]),
        (C.UNDER, (15,), [14, -1], [15, NEVER]),
        (C.BETWEEN, (0, 15), [0, 7, 15], [-1, 16, NEVER]),
        (C.BETWEEN, (5, NEVER), [5, NEVER], [4]),
        (C.NOT_BETWEEN, (0, 15), [-1, 16, NEVER], [0, 15]),
        (C.IS, (15,), [15, 15.0], [14, NEVER]),
        (C.IS, (NEVER,), [NEVER], [0, 99999]),
        (C.IS_NOT, (NEVER,), [0, 99999], [NEVER]),
        (C.IS, (1, 3), [1, 3], [2]),
        (C.IS_NOT, (1, 3), [2, NEVER], [1, 3]),
        (C.KNOWN, (), [0, NEVER], [None]),
        (C.UNKNOWN, (), [None], [0, NEVER]),
    ],
)
def test_each_comparison_at_both_sides_of_its_limits(comparison, limits, holds_for, fails_for):
    condition = Compare("days_to_renewal", comparison, limits)
    assert [outcome(condition, days_to_renewal=value) for value in holds_for] == [True] * len(
        holds_for
    )
    assert [outcome(condition, days_to_renewal=value) for value in fails_for] == [False] * len(
        fails_for
    )


@pytest.mark.parametrize("comparison", [c for c in C if c not in (C.KNOWN, C.UNKNOWN)])
def test_an_unknown_fact_leaves_every_comparison_but_known_and_unknown_open(comparison):
    assert outcome(Compare("days_to_renewal", comparison, (1, 2))) is None


def test_texts_are_compared_to_the_letter():
    assert outcome(ENTERPRISE, segment="enterprise") is True
    assert outcome(ENTERPRISE, segment="Enterprise") is False


@pytest.mark.parametrize(
    ("segment", "days", "holds"),
    [
        ("enterprise", 90, True),
        ("enterprise", 91, False),
        ("smb", 45, True),
        ("smb", 46, False),
        (None, 45, True),
        (None, 46, False),
    ],
)
def test_a_threshold_is_that_of_the_accounts_segment_or_the_default(segment, days, holds):
    assert outcome(RENEWS, segment=segment, days_to_renewal=days) is holds


@pytest.mark.parametrize(("segment", "holds"), [("enterprise", True), ("smb", None), (None, None)])
def test_a_threshold_without_a_value_for_the_segment_is_unknown(segment, holds):
    assert outcome(FEW_EXECS, segment=segment, strong_exec_ties=1) is holds


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (AllOf((QUIET, ENTERPRISE)), None),
        (AllOf((QUIET, SMB)), False),
        (AnyOf((QUIET, ENTERPRISE)), True),
        (AnyOf((QUIET, SMB)), None),
        (Not(QUIET), None),
        (Not(SMB), True),
    ],
)
def test_an_unknown_part_counts_only_where_the_other_parts_do_not_decide(condition, expected):
    assert outcome(condition, segment="enterprise") is expected


NUMBERS = ("days_to_renewal", "days_since_exec_contact", "strong_exec_ties")
LIMITS = st.one_of(st.integers(-1, 2), st.sampled_from([NEVER, Named("needed")]))


@st.composite
def comparisons(draw, presence=True):
    if presence and draw(st.booleans()):
        return Compare(draw(st.sampled_from(NUMBERS)), draw(st.sampled_from([C.KNOWN, C.UNKNOWN])))
    comparison = draw(st.sampled_from([c for c in C if c not in (C.KNOWN, C.UNKNOWN)]))
    count = 2 if comparison in (C.BETWEEN, C.NOT_BETWEEN) else 1
    limits = tuple(draw(LIMITS) for _ in range(count))
    return Compare(draw(st.sampled_from(NUMBERS)), comparison, limits)


def conditions(presence=True):
    return st.recursive(
        comparisons(presence),
        lambda part: st.one_of(
            st.builds(AllOf, st.lists(part, min_size=1, max_size=3).map(tuple)),
            st.builds(AnyOf, st.lists(part, min_size=1, max_size=3).map(tuple)),
            st.builds(Not, part),
        ),
        max_leaves=8,
    )


FACT_VALUES = st.fixed_dictionaries(
    {name: st.sampled_from([None, -1, 0, 1, 2, NEVER]) for name in NUMBERS}
    | {"segment": st.sampled_from([None, "enterprise", "smb"])}
)


def truth(condition, facts):
    """Kleene's logic as arithmetic: 1 is true, 0 false, 1/2 unknown."""
    if isinstance(condition, Not):
        return 1 - truth(condition.part, facts)
    if isinstance(condition, AllOf):
        return min(truth(part, facts) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return max(truth(part, facts) for part in condition.parts)
    value = facts[condition.fact]
    needed = 2 if facts["segment"] == "enterprise" else None
    limits = [needed if isinstance(limit, Named) else limit for limit in condition.operands]
    if condition.comparison in (C.KNOWN, C.UNKNOWN):
        return int((value is None) == (condition.comparison is C.UNKNOWN))
    if value is None or None in limits:
        return 0.5
    low, high = limits[0], limits[-1]
    return int(
        {
            C.AT_LEAST: value >= low,
            C.AT_MOST: value <= low,
            C.OVER: value > low,
            C.UNDER: value < low,
            C.IS: value == low,
            C.IS_NOT: value != low,
            C.BETWEEN: low <= value and value <= high,
            C.NOT_BETWEEN: value < low or value > high,
        }[condition.comparison]
    )


@given(conditions(), FACT_VALUES)
def test_outcomes_are_those_of_three_valued_logic(condition, facts):
    expected = {1: True, 0: False, 0.5: None}[truth(condition, facts)]
    assert outcome(condition, **facts) is expected


@given(conditions(presence=False), FACT_VALUES)
def test_what_is_decided_stays_so_whatever_the_unknown_facts_turn_out_to_be(condition, facts):
    decided = outcome(condition, **facts)
    open_facts = [name for name in NUMBERS if facts[name] is None]
    for values in product([-1, 0, 1, 2, NEVER], repeat=len(open_facts)):
        if decided is not None:
            filled = facts | dict(zip(open_facts, values, strict=True))
            assert outcome(condition, **filled) is decided


@given(conditions(), FACT_VALUES)
def test_the_opposite_of_a_condition_has_the_opposite_outcome(condition, facts):
    assert outcome(opposite(condition), **facts) is outcome(Not(condition), **facts)


@given(conditions(), FACT_VALUES)
def test_a_condition_that_holds_says_why_and_what_would_end_it_in_plain_words(condition, facts):
    if outcome(condition, **facts):
        why = reasons(condition, known(**facts), THRESHOLDS)
        assert why
        labels = [line.partition(":")[0] for line in why]
        assert len(set(labels)) == len(labels)
        assert set(labels) <= {fact.label for fact in FACTS.values()}
        end = clears(condition, known(**facts), THRESHOLDS)
        assert end
        assert not any(sign in text for text in (*why, end) for sign in ("_", "{", "()", "None"))


def why(condition, **facts):
    return list(reasons(condition, known(**facts), THRESHOLDS))


def end(condition, **facts):
    return clears(condition, known(**facts), THRESHOLDS)


def test_a_reason_gives_the_value_the_comparison_and_whose_threshold_it_is():
    both = AllOf((RENEWS, QUIET))
    assert why(both, segment="enterprise", days_to_renewal=41, days_since_exec_contact=22) == [
        "time to renewal: 41 days (between 0 days and window, 90 days for enterprise)",
        "last contact with an executive: 22 days ago (over 15 days)",
    ]
    assert why(both, segment="smb", days_to_renewal=1, days_since_exec_contact=NEVER) == [
        "time to renewal: 1 day (between 0 days and window, 45 days by default)",
        "last contact with an executive: never (over 15 days)",
    ]


@pytest.mark.parametrize(
    ("condition", "facts", "expected"),
    [
        (FEW_EXECS, {"strong_exec_ties": 1}, "(fewer than needed, 2 for enterprise)"),
        (Compare("strong_exec_ties", C.OVER, (0,)), {"strong_exec_ties": 1}, "(more than 0)"),
        (
            Compare("adoption", C.AT_LEAST, (75,)),
            {"adoption": 80.0},
            "adoption: 80% (at least 75%)",
        ),
        (Compare("mrr", C.OVER, (9000,)), {"mrr": 20000}, "revenue: 20,000 (over 9,000)"),
        (ENTERPRISE, {}, "segment: enterprise"),
        (Not(SMB), {}, "segment: enterprise (not smb)"),
        (Compare("segment", C.IS, ("enterprise", "smb")), {}, "(one of enterprise, smb)"),
        (Compare("owner", C.UNKNOWN), {}, "owner: unknown"),
        (Not(Compare("owner", C.UNKNOWN)), {"owner": "sam"}, "owner: sam (known)"),
        (
            Not(Compare("days_since_exec_contact", C.IS_NOT, (NEVER,))),
            {"days_since_exec_contact": NEVER},
            "last contact with an executive: never",
        ),
    ],
)
def test_reasons_read_naturally_for_every_unit(condition, facts, expected):
    (line,) = why(condition, segment="enterprise", **facts)
    assert line.endswith(expected)


def test_only_the_parts_that_hold_are_reasons():
    either = AnyOf((SMB, QUIET, RENEWS))
    assert why(either, segment="enterprise", days_since_exec_contact=16) == [
        "last contact with an executive: 16 days ago (over 15 days)"
    ]


def test_a_reason_that_counts_twice_is_given_once():
    assert why(AnyOf((QUIET, QUIET)), days_since_exec_contact=16) == [
        "last contact with an executive: 16 days ago (over 15 days)"
    ]


def test_two_comparisons_of_one_fact_are_one_reason():
    range_ = AllOf((QUIET, Compare("days_since_exec_contact", C.UNDER, (30,))))
    assert why(range_, days_since_exec_contact=16) == [
        "last contact with an executive: 16 days ago (over 15 days and under 30 days)"
    ]


def test_what_clears_a_condition_is_said_with_the_accounts_own_numbers():
    both = AllOf((RENEWS, QUIET))
    facts = {"segment": "enterprise", "days_to_renewal": 41, "days_since_exec_contact": 22}
    assert end(both, **facts) == (
        "the time to renewal is not between 0 days and 90 days, "
        "or the last contact with an executive is at most 15 days ago"
    )
    assert end(FEW_EXECS, segment="enterprise", strong_exec_ties=1) == (
        "the number of executives with a strong tie is at least 2"
    )
    assert end(opposite(FEW_EXECS), segment="enterprise", strong_exec_ties=2) == (
        "the number of executives with a strong tie is under 2"
    )


def test_where_one_of_several_was_enough_all_that_hold_must_end():
    either = AnyOf((SMB, QUIET, ENTERPRISE))
    facts = {"segment": "enterprise", "days_since_exec_contact": 22}
    assert end(either, **facts) == (
        "the last contact with an executive is at most 15 days ago "
        "and the segment is not enterprise"
    )


def test_what_never_happened_clears_once_it_is_on_record():
    never = Compare("days_since_exec_contact", C.IS, (math.inf,))
    assert end(never, days_since_exec_contact=NEVER) == (
        "the last contact with an executive is on record"
    )


def test_every_fact_has_a_label_that_is_its_own():
    labels = [fact.label for fact in FACTS.values()]
    assert len(set(labels)) == len(labels)
    assert not [label for label in labels if "_" in label]


def test_the_facts_of_a_condition_are_found_however_deep_they_are():
    one, two, three = (
        Compare(name, Comparison.KNOWN) for name in ("mrr", "segment", "days_since_usage")
    )
    assert facts_in(AllOf((one, AnyOf((Not(two), three))))) == {
        "mrr",
        "segment",
        "days_since_usage",
    }
