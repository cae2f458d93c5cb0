"""Conditions that can never be true, or always are."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conditions import C
from worker.core.conditions import AllOf, AnyOf, Compare, Named, Not, Threshold, evaluate
from worker.core.foregone import Effort, Foregone, comparisons_in, foregone, thresholds_in
from worker.core.units import NEVER, Unit

NEVER_TRUE, ALWAYS_TRUE, OPEN = Foregone.NEVER, Foregone.ALWAYS, None
THRESHOLDS = {
    "few": Threshold("few", Unit.COUNT, {"enterprise": 5}, 2),
    "many": Threshold("many", Unit.COUNT, {"enterprise": 6}, 4),
    "nought": Threshold("nought", Unit.COUNT, {"enterprise": 0}, 1),
    "big only": Threshold("big only", Unit.COUNT, {"enterprise": 5}),
}


def users(comparison, *operands):
    return Compare("known_users", comparison, operands)


def quiet(comparison, *operands):
    return Compare("days_since_contact", comparison, operands)


def renews(comparison, *operands):
    return Compare("days_to_renewal", comparison, operands)


def adoption(comparison, *operands):
    return Compare("adoption", comparison, operands)


def segment(comparison, *operands):
    return Compare("segment", comparison, operands)


def lifecycle(comparison, *operands):
    return Compare("lifecycle", comparison, operands)


def both(*parts):
    return AllOf(parts)


def either(*parts):
    return AnyOf(parts)


FEW, MANY, NOUGHT, BIG_ONLY = map(Named, THRESHOLDS)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (both(users(C.AT_LEAST, 5), users(C.UNDER, 3)), NEVER_TRUE),
        (both(users(C.AT_LEAST, 3), users(C.UNDER, 5)), OPEN),
        (both(users(C.OVER, 3), users(C.UNDER, 4)), NEVER_TRUE),  # no whole number
        (both(users(C.AT_LEAST, 3), users(C.UNDER, 4)), OPEN),
        (both(adoption(C.OVER, 3), adoption(C.UNDER, 4)), OPEN),  # 3.5%
        (both(adoption(C.OVER, 3), adoption(C.AT_MOST, 3)), NEVER_TRUE),
        (either(users(C.AT_LEAST, 3), users(C.UNDER, 5)), ALWAYS_TRUE),
        (either(users(C.AT_LEAST, 5), users(C.UNDER, 5)), ALWAYS_TRUE),
        (either(users(C.AT_LEAST, 5), users(C.UNDER, 3)), OPEN),
        (either(users(C.OVER, 3), users(C.UNDER, 4)), ALWAYS_TRUE),
        (Not(either(users(C.AT_LEAST, 3), users(C.UNDER, 5))), NEVER_TRUE),
        (both(users(C.BETWEEN, 1, 3), users(C.BETWEEN, 4, 6)), NEVER_TRUE),
        (both(users(C.BETWEEN, 1, 4), users(C.BETWEEN, 4, 6)), OPEN),
        (both(users(C.IS, 1, 2), users(C.IS_NOT, 1, 2)), NEVER_TRUE),
        (both(users(C.IS, 1, 2), users(C.IS_NOT, 1)), OPEN),
        (both(users(C.IS, 1), either(users(C.IS, 2), adoption(C.OVER, 5))), OPEN),
        (
            both(users(C.IS, 1), either(users(C.IS, 2), both(users(C.IS, 3), quiet(C.IS, 0)))),
            NEVER_TRUE,
        ),
        (both(users(C.AT_LEAST, 5), adoption(C.UNDER, 3)), OPEN),
    ],
)
def test_comparisons_of_numbers_that_exclude_or_complete_each_other(condition, expected):
    assert foregone(condition, {}, Effort()) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (users(C.AT_LEAST, 0), ALWAYS_TRUE),
        (users(C.AT_LEAST, 1), OPEN),
        (users(C.UNDER, 0), NEVER_TRUE),
        (users(C.AT_MOST, 0), OPEN),
        (adoption(C.UNDER, 0), NEVER_TRUE),
        (adoption(C.OVER, 250), OPEN),  # more users than licences
        (Compare("usage_change", C.AT_MOST, (-100,)), OPEN),
        (Compare("usage_change", C.UNDER, (-100,)), NEVER_TRUE),
        (Compare("usage_change", C.AT_LEAST, (-100,)), ALWAYS_TRUE),
        (Compare("active_days_30d", C.OVER, (30,)), NEVER_TRUE),
        (Compare("active_days_30d", C.AT_LEAST, (30,)), OPEN),
        (Compare("mrr", C.UNDER, (0,)), OPEN),  # a credit
        (quiet(C.UNDER, 0), NEVER_TRUE),
        (quiet(C.AT_LEAST, 0), ALWAYS_TRUE),
        (quiet(C.AT_MOST, NEVER), ALWAYS_TRUE),
        (quiet(C.UNDER, NEVER), OPEN),
        (quiet(C.OVER, NEVER), NEVER_TRUE),
        (quiet(C.IS, NEVER), OPEN),
        (both(quiet(C.OVER, 15), quiet(C.IS_NOT, NEVER)), OPEN),
        (both(quiet(C.UNDER, 15), quiet(C.IS, NEVER)), NEVER_TRUE),
        (renews(C.UNDER, 0), OPEN),  # overdue
        (renews(C.IS, NEVER), NEVER_TRUE),
        (renews(C.BETWEEN, 15, NEVER), OPEN),
        (Compare("tenure_days", C.IS, (NEVER,)), NEVER_TRUE),
    ],
)
def test_facts_have_a_natural_range(condition, expected):
    assert foregone(condition, {}, Effort()) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (both(segment(C.IS, "smb"), segment(C.IS, "big")), NEVER_TRUE),
        (both(segment(C.IS, "smb", "big"), segment(C.IS_NOT, "smb")), OPEN),
        (either(segment(C.IS_NOT, "smb"), segment(C.IS_NOT, "big")), ALWAYS_TRUE),
        (either(segment(C.IS, "smb"), segment(C.IS_NOT, "smb")), ALWAYS_TRUE),
        (either(segment(C.IS, "smb"), segment(C.IS, "big")), OPEN),
        (both(segment(C.IS_NOT, "smb"), segment(C.IS_NOT, "big")), OPEN),
        (lifecycle(C.IS, "trial", "onboarding", "active", "churned"), ALWAYS_TRUE),
        (lifecycle(C.IS, "trial", "onboarding", "active"), OPEN),
        (lifecycle(C.IS_NOT, "trial", "onboarding", "active", "churned"), NEVER_TRUE),
        (lifecycle(C.UNKNOWN), NEVER_TRUE),
        (lifecycle(C.KNOWN), ALWAYS_TRUE),
    ],
)
def test_texts(condition, expected):
    assert foregone(condition, {}, Effort()) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (adoption(C.KNOWN), OPEN),
        (adoption(C.UNKNOWN), OPEN),
        (both(adoption(C.KNOWN), adoption(C.UNKNOWN)), NEVER_TRUE),
        (either(adoption(C.KNOWN), adoption(C.UNKNOWN)), ALWAYS_TRUE),
        (both(adoption(C.UNKNOWN), adoption(C.OVER, 5)), NEVER_TRUE),
        (both(adoption(C.KNOWN), adoption(C.OVER, 5)), OPEN),
        (either(adoption(C.UNKNOWN), adoption(C.OVER, 5)), OPEN),
        (either(adoption(C.UNKNOWN), adoption(C.AT_LEAST, 0)), ALWAYS_TRUE),
        (both(adoption(C.KNOWN), adoption(C.AT_LEAST, 0)), OPEN),
    ],
)
def test_what_is_unknown_is_neither_true_nor_false(condition, expected):
    assert foregone(condition, {}, Effort()) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (both(users(C.AT_LEAST, MANY), users(C.UNDER, FEW)), NEVER_TRUE),
        (both(users(C.AT_LEAST, FEW), users(C.UNDER, MANY)), OPEN),
        (both(users(C.AT_LEAST, 3), users(C.UNDER, FEW)), OPEN),  # enterprise: 3 and 4
        (both(users(C.AT_LEAST, 3), users(C.UNDER, FEW), segment(C.IS, "smb")), NEVER_TRUE),
        (both(users(C.AT_LEAST, 3), users(C.UNDER, FEW), segment(C.UNKNOWN)), NEVER_TRUE),
        (both(users(C.AT_LEAST, 3), users(C.UNDER, FEW), segment(C.IS, "enterprise")), OPEN),
        (either(users(C.AT_LEAST, FEW), users(C.UNDER, MANY)), ALWAYS_TRUE),
        (either(users(C.AT_LEAST, FEW), users(C.UNDER, 4)), OPEN),  # enterprise: 4
        (users(C.AT_LEAST, NOUGHT), OPEN),
        (both(users(C.AT_LEAST, NOUGHT), segment(C.IS, "enterprise")), OPEN),
        (either(users(C.AT_LEAST, NOUGHT), segment(C.IS_NOT, "enterprise")), ALWAYS_TRUE),
        (both(users(C.AT_LEAST, BIG_ONLY), segment(C.IS, "smb")), NEVER_TRUE),
    ],
)
def test_thresholds_have_the_value_of_the_segment_that_is_asked_for(condition, expected):
    assert foregone(condition, THRESHOLDS, Effort()) is expected


def wide(facts):
    names = ["known_users", "known_execs", "user_ties", "exec_ties", "licences", "usage_30d"]
    names += ["strong_reps", "usage_prev_30d", "licences_used", "strong_user_ties"]
    return tuple(Compare(name, C.OVER, (5,)) for name in names[:facts])


def test_with_too_many_combinations_nothing_is_claimed():
    never = either(users(C.UNDER, 0))
    assert foregone(both(*wide(5), never), {}, Effort()) is NEVER_TRUE
    assert foregone(both(*wide(10), never), {}, Effort()) is OPEN


def test_effort_is_spent_and_then_nothing_is_claimed():
    never, effort = both(users(C.AT_LEAST, 5), users(C.UNDER, 3)), Effort(left=1_000)
    answers = [foregone(never, {}, effort) for _ in range(1_000)]
    assert answers[0] is NEVER_TRUE
    assert answers[-1] is OPEN
    assert 0 <= effort.left < 100


def test_comparisons_and_thresholds_are_found_however_deep_they_are():
    deep = both(users(C.OVER, FEW), Not(either(quiet(C.OVER, 5), users(C.BETWEEN, 0, MANY))))
    assert len(list(comparisons_in(deep))) == 3
    assert thresholds_in(deep) == {"few", "many"}


LIMITS = st.one_of(st.integers(-1, 3), st.sampled_from([NEVER, FEW, NOUGHT, BIG_ONLY]))
FACTS = {
    "known_users": [None, *range(8)],
    "days_since_contact": [None, *range(8), NEVER],
    "days_to_renewal": [None, *range(-3, 8)],
    "segment": [None, "enterprise", "smb", "other"],
}


@st.composite
def comparisons(draw):
    fact = draw(st.sampled_from(list(FACTS)))
    if fact == "segment":
        comparison = draw(st.sampled_from([C.IS, C.IS_NOT, C.KNOWN, C.UNKNOWN]))
        return Compare(fact, comparison, (draw(st.sampled_from(["enterprise", "smb"])),))
    comparison = draw(st.sampled_from(list(C)))
    count = 2 if comparison in (C.BETWEEN, C.NOT_BETWEEN) else 1
    return Compare(fact, comparison, tuple(draw(LIMITS) for _ in range(count)))


TREES = st.recursive(
    comparisons(),
    lambda part: st.one_of(
        st.builds(AllOf, st.lists(part, min_size=2, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(part, min_size=2, max_size=3).map(tuple)),
        st.builds(Not, part),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(TREES)
def test_what_is_found_is_what_trying_every_account_finds(condition):
    names = sorted({one.fact for one in comparisons_in(condition)} | {"segment"})
    outcomes = {
        evaluate(condition, dict(zip(names, values, strict=True)), THRESHOLDS)
        for values in product(*(FACTS[name] for name in names))
    }
    expected = OPEN
    if True not in outcomes:
        expected = NEVER_TRUE
    elif False not in outcomes:
        expected = ALWAYS_TRUE
    assert foregone(condition, THRESHOLDS, Effort()) is expected
