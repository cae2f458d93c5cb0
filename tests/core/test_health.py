"""The health score, by examples that can be worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.bands import NO_HEALTH, Band, HealthPart, HealthSettings, Scale
from worker.core.conditions import Compare, Comparison
from worker.core.health import health_facts, health_of
from worker.core.trends import PastScores, movers


def at_least(fact: str, *bounds: float) -> tuple[Scale, ...]:
    """100 points from the first bound, 60 from the second, else 20."""
    bands = [
        Band(name, points, Compare(fact, Comparison.AT_LEAST, (bound,)))
        for name, points, bound in zip(("good", "fair"), (100, 60), bounds, strict=False)
    ]
    return (Scale(None, (*bands, Band("poor", 20, None))),)


YOUNG = Compare("tenure_days", Comparison.UNDER, (90,))
ADOPTION = (
    Scale(YOUNG, at_least("adoption", 30, 10)[0].bands),
    *at_least("adoption", 70, 40),
)
SETTINGS = HealthSettings(
    (
        HealthPart("relationship", 60, {"exec_ties": at_least("exec_ties", 2, 1)}),
        HealthPart(
            "adoption", 40, {"adoption": ADOPTION, "usage_30d": at_least("usage_30d", 100, 10)}
        ),
    )
)
FACTS = {"exec_ties": 1, "adoption": 75.0, "usage_30d": 5, "tenure_days": 200}


def score(**facts):
    return health_of(FACTS | facts, SETTINGS)


def test_parts_weigh_what_they_say_and_the_facts_of_a_part_the_same():
    found = score()
    assert [part.score for part in found.parts] == [60, 60]  # the second is the mean of 100 and 20
    assert (found.score, found.confidence) == (60, 100)
    assert [one.share for part in found.parts for one in part.facts] == pytest.approx(
        [0.6, 0.2, 0.2]
    )
    assert score(exec_ties=2).score == 84


@pytest.mark.parametrize(
    ("adoption", "tenure", "band"),
    [
        (70, 90, "good"),
        (69.9, 90, "fair"),
        (40, 90, "fair"),
        (39.9, 90, "poor"),
        (30, 89, "good"),
        (10, 89, "fair"),
        (9, 89, "poor"),
        (30, None, "poor"),  # an unknown tenure is not a young one
    ],
)
def test_bands_are_those_of_the_first_scale_for_the_account(adoption, tenure, band):
    assert score(adoption=adoption, tenure_days=tenure).parts[1].facts[0].band == band


def test_what_tells_accounts_apart_is_read_like_what_is_scored():
    of = Compare("open_tickets", Comparison.OVER, (3,))
    scales = (Scale(of, at_least("adoption", 30, 10)[0].bands), *at_least("adoption", 70, 40))
    part = HealthPart("adoption", 1, {"adoption": scales})
    assert HealthSettings((part,)).facts == {"adoption", "open_tickets"}


def test_what_is_unknown_drops_out_with_its_weight_and_is_not_scored_as_bad():
    found = score(exec_ties=None)
    assert (found.score, found.confidence) == (60, 40)
    assert found.parts[0].score is None
    found = score(usage_30d=None)
    assert (found.score, found.confidence) == (76, 80)  # 0.6 * 60 + 0.4 * 100
    nothing = score(exec_ties=None, adoption=None, usage_30d=None)
    assert (nothing.score, nothing.confidence) == (None, 0)


def test_the_facts_are_unknown_without_a_score_and_the_change_without_an_earlier_one():
    assert health_facts(FACTS, SETTINGS, 75) == {
        "health": 60,
        "health_confidence": 100,
        "health_change_30d": -15,
    }
    assert health_facts(FACTS, SETTINGS, None)["health_change_30d"] is None
    unknown = dict.fromkeys(FACTS)
    assert set(health_facts(unknown, SETTINGS, 75).values()) == {None}
    assert health_of(FACTS, NO_HEALTH).score is None


def test_what_moved_a_score_adds_up_to_its_change():
    then, now = score(), score(exec_ties=0, adoption=30.0, usage_30d=200)
    assert (then.score, now.score) == (60, 36)
    moved = movers(then, now)
    assert [(one.fact, one.before, one.now, round(one.points)) for one in moved] == [
        ("exec_ties", 1, 0, -24),
        ("adoption", 75.0, 30.0, -16),
        ("usage_30d", 5, 200, 16),
    ]


def test_nothing_moved_where_there_was_no_score_or_no_change():
    unknown = score(exec_ties=None, adoption=None, usage_30d=None)
    assert movers(unknown, score()) == movers(score(), unknown) == movers(score(), score()) == []


VALUES = st.none() | st.integers(0, 200)
GIVEN = st.fixed_dictionaries(
    {"exec_ties": VALUES, "adoption": VALUES, "usage_30d": VALUES, "tenure_days": VALUES}
)


@given(GIVEN, GIVEN)
def test_scores_are_within_their_bands_and_movements_add_up(before, after):
    then, now = health_of(before, SETTINGS), health_of(after, SETTINGS)
    for health in (then, now):
        assert health.score is None or 20 <= health.score <= 100
        assert (health.score is None) is (health.confidence == 0)
        assert 0 <= health.confidence <= 100.0001
    if then.score is not None and now.score is not None:
        moved = sum(one.points for one in movers(then, now))
        assert moved == pytest.approx(now.exact - then.exact, abs=0.2)


def test_past_scores_are_those_of_exactly_thirty_days_before():
    scores = PastScores()
    for day in range(100, 140):
        assert scores.before("acme", day) == (None if day < 130 else day - 30)
        scores.note("acme", day, {"health": day})
    assert scores.before("birch", 130) is None
