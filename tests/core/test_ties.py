"""The tie formula, clause by clause, with the numbers in sight."""

from typing import Any

import pytest

from worker.core.contents import Interaction
from worker.core.ties import (
    Bucket,
    Strength,
    Tier,
    TieSettings,
    decay,
    extend,
    points,
    shares,
    state_of,
    strength,
)

DAY = 740_000  # any day; ages count back from it
DEFAULTS = TieSettings()


def interaction(channel: str, contacts: list[str], **more: Any) -> Interaction:
    return Interaction(channel, ["sam"], contacts, **more)  # type: ignore[arg-type]


def bucket(age: int, mutual: int = 0, outbound: int = 0, inbound: int = 0) -> Bucket:
    return Bucket(DAY - age, mutual, outbound, inbound)


def tie(*buckets: Bucket, settings: TieSettings = DEFAULTS, on: int = DAY) -> Strength:
    state = state_of(sorted(buckets), settings.half_life)
    assert state is not None
    return strength(state, on, settings)


# Points


@pytest.mark.parametrize(
    ("channel", "minutes", "hundredths"),
    [
        ("meeting", None, 300),
        ("meeting", 59.9, 300),
        ("meeting", 60, 400),
        ("meeting", 90, 400),
        ("call", None, 200),
        ("call", 60, 200),
        ("email", None, 100),
        ("chat", None, 50),
        ("other", None, 100),
    ],
)
def test_points_depend_on_the_channel_and_long_meetings_count_more(
    channel: str, minutes: float | None, hundredths: int
) -> None:
    one = interaction(channel, ["dana"], duration_minutes=minutes)
    assert list(shares(one)) == [("sam", "dana", hundredths)]


@pytest.mark.parametrize(
    ("weight", "people", "hundredths"),
    [
        (1, 2, 71),  # 70.7
        (1, 3, 58),  # 57.7
        (3, 2, 212),  # 212.1
        (4, 3, 231),  # 230.9
        (0.5, 2, 35),  # 35.4
        (0.5, 16, 13),  # 12.5, and a half is rounded up
        (0.25, 4, 13),  # 12.5
        (0.25, 1, 25),
        (4, 24, 82),  # 81.6
        (4, 25, 80),
        (4, 26, 80),  # 78.4 but for the cap of the divisor
        (4, 900, 80),
    ],
)
def test_points_are_divided_by_the_root_of_the_number_of_people_up_to_5(
    weight: float, people: int, hundredths: int
) -> None:
    assert points(weight, people) == hundredths


def test_a_copied_contact_gets_a_quarter_point_and_counts_among_the_people() -> None:
    one = interaction("email", ["dana"], cc=["lee"])
    assert list(shares(one)) == [("sam", "dana", 71), ("sam", "lee", 18)]  # 70.7 and 17.7


def test_a_copied_contact_gets_a_quarter_point_of_a_long_meeting_too() -> None:
    one = interaction("meeting", ["dana"], cc=["lee"], duration_minutes=60)
    assert list(shares(one)) == [("sam", "dana", 283), ("sam", "lee", 18)]


def test_a_contact_both_addressed_and_copied_counts_once_and_as_addressed() -> None:
    one = interaction("email", ["dana"], cc=["dana"])
    assert list(shares(one)) == [("sam", "dana", 100)]


def test_names_that_repeat_count_once() -> None:
    one = Interaction("email", ["sam", "ana", "sam"], ["dana", "dana"], cc=["lee", "lee"])
    assert sorted(shares(one)) == [
        ("ana", "dana", 71),
        ("ana", "lee", 18),
        ("sam", "dana", 71),
        ("sam", "lee", 18),
    ]


def test_the_number_of_reps_does_not_divide_the_points() -> None:
    one = Interaction("call", ["sam", "ana"], ["dana"])
    assert sorted(shares(one)) == [("ana", "dana", 200), ("sam", "dana", 200)]


def test_an_interaction_with_copied_contacts_alone_gives_each_a_quarter_point() -> None:
    assert list(shares(interaction("email", [], cc=["dana"]))) == [("sam", "dana", 25)]


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ({}, True),
        ({"status": "held"}, True),
        ({"status": "cancelled"}, False),
        ({"status": "declined"}, False),
        ({"status": "no_show"}, False),
        ({"automatic": "auto-reply"}, False),
        ({"automatic": "other"}, False),
        ({"status": "held", "automatic": "calendar"}, False),
    ],
)
def test_only_what_was_held_and_is_not_automatic_counts(more: dict[str, Any], counts: bool) -> None:
    assert interaction("meeting", ["dana"], **more).counts is counts


# The score


@pytest.mark.parametrize(
    ("sums", "score"),
    [
        ({"mutual": 200}, 25.0),  # X = 2
        ({"outbound": 300}, 100 * 0.6 / 6.6),  # X = 0.2 * 3
        ({"inbound": 300}, 100 * 0.6 / 6.6),
        ({"outbound": 300, "inbound": 100}, 100 * 1.4 / 7.4),  # X = 1 + 0.2 * 2
        ({"outbound": 100, "inbound": 300}, 100 * 1.4 / 7.4),
        ({"mutual": 100, "outbound": 200, "inbound": 200}, 100 * 3 / 9),  # X = 1 + 2
        ({"mutual": 50, "outbound": 25}, 100 * 0.55 / 6.55),
    ],
)
def test_score_weighs_what_goes_both_ways_in_full_and_the_surplus_of_one_way_by_a_fifth(
    sums: dict[str, int], score: float
) -> None:
    assert tie(bucket(0, **sums)).score == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize(
    ("age", "score"),
    [
        (0, 25.0),
        (30, 100 * 2**0.5 / (2**0.5 + 6)),
        (60, 100 * 1 / 7),
        (120, 100 * 0.5 / 6.5),
        (600, 100 * 2**-9 / (2**-9 + 6)),
    ],
)
def test_points_halve_every_60_days(age: int, score: float) -> None:
    assert tie(bucket(age, mutual=200)).score == pytest.approx(score, abs=1e-12)


def test_a_day_still_to_come_is_of_age_0() -> None:
    assert decay(-1, 60) == decay(0, 60) == 1.0
    assert tie(bucket(-1, mutual=200)).score == 25.0


def test_days_add_up_each_at_its_own_age() -> None:
    found = tie(bucket(0, outbound=100), bucket(60, inbound=400), bucket(120, inbound=400))
    # O = 1, I = 4/2 + 4/4 = 3, X = 1 + 0.2 * 2
    assert found.score == pytest.approx(100 * 1.4 / 7.4, abs=1e-12)


@pytest.mark.parametrize(
    ("sums", "x"),
    [
        ({"mutual": 399}, 3.99),
        ({"mutual": 400}, 4),
        ({"mutual": 401}, 4),
        ({"mutual": 5_000}, 4),
        ({"outbound": 5_000, "inbound": 5_000}, 4),
        ({"mutual": 5_000, "outbound": 5_000, "inbound": 5_000}, 8),  # each sum has its own cap
        ({"outbound": 5_000, "inbound": 100}, 1 + 0.2 * 3),
    ],
)
def test_each_direction_of_one_day_counts_at_most_4_points(sums: dict[str, int], x: float) -> None:
    assert tie(bucket(0, **sums)).score == pytest.approx(100 * x / (x + 6), abs=1e-12)


def test_the_daily_cap_comes_before_the_decay_and_holds_for_every_day() -> None:
    found = tie(bucket(0, mutual=900), bucket(60, mutual=900), bucket(120, mutual=900))
    assert found.score == pytest.approx(100 * 7 / 13, abs=1e-12)  # 4 + 2 + 1


def test_a_day_that_grows_is_capped_as_a_whole_not_in_parts() -> None:
    state = extend(None, bucket(60, mutual=300), 60)
    state = extend(state, bucket(60, mutual=600), 60)
    assert state == state_of([bucket(60, mutual=600)], 60)
    assert strength(state, DAY, DEFAULTS).score == pytest.approx(25.0)  # 4 points, halved
    assert state.active_days == 1


def test_a_score_can_be_read_long_after_the_last_day() -> None:
    days = (bucket(0, mutual=200), bucket(60, mutual=200))
    assert tie(*days, on=DAY + 60).score == pytest.approx(100 * 1.5 / 7.5, abs=1e-12)


# Tiers


@pytest.mark.parametrize(
    ("score", "tier"),
    [
        (0.0, Tier.NONE),
        (4.9999, Tier.NONE),
        (5.0, Tier.WEAK),
        (24.9999, Tier.WEAK),
        (25.0, Tier.MODERATE),
        (49.9999, Tier.MODERATE),
        (50.0, Tier.STRONG),
        (74.9999, Tier.STRONG),
        (75.0, Tier.VERY_STRONG),
        (100.0, Tier.VERY_STRONG),
    ],
)
def test_a_tier_begins_at_its_bound_and_takes_the_score_unrounded(score: float, tier: Tier) -> None:
    assert DEFAULTS.tier(score) is tier


def test_the_bounds_and_the_half_life_are_settings() -> None:
    settings = TieSettings(half_life=30, weak=1, moderate=10, strong=14, very_strong=14.5)
    found = tie(bucket(30, mutual=200), settings=settings)
    assert found.score == pytest.approx(100 / 7)  # 14.3: halved once in 30 days
    assert settings.tier(found.score) is Tier.STRONG
    assert found.tier is Tier.MODERATE  # the gates stay: one active day


def test_six_points_are_exactly_strong() -> None:
    found = tie(bucket(0, mutual=300), bucket(60, mutual=400), bucket(120, mutual=400))
    assert found == (50.0, Tier.STRONG)  # 3 + 2 + 1


@pytest.mark.parametrize(("days", "tier"), [(2, Tier.MODERATE), (3, Tier.STRONG)])
def test_a_strong_tie_needs_3_distinct_active_days(days: int, tier: Tier) -> None:
    found = tie(*(bucket(age, mutual=400, outbound=100, inbound=100) for age in range(days)))
    assert 50 < found.score < 75
    assert found.tier is tier


def test_active_days_may_lie_far_back_and_in_any_direction() -> None:
    found = tie(
        bucket(0, mutual=400, outbound=400, inbound=400), bucket(500, outbound=1), bucket(900, 1)
    )
    assert found.tier is Tier.STRONG


def monologue(days: int) -> list[Bucket]:
    """Enough outbound days for a strong score without a word from the contact."""
    return [bucket(age, outbound=400) for age in range(days)]


@pytest.mark.parametrize("answer", [{"mutual": 1}, {"inbound": 1}])
@pytest.mark.parametrize(
    ("age", "tier"),
    [
        (90, Tier.STRONG),
        (91, Tier.MODERATE),
        (365, Tier.MODERATE),
        (366, Tier.WEAK),
    ],
)
def test_a_strong_tie_needs_a_word_within_90_days_and_a_moderate_one_within_365(
    age: int, tier: Tier, answer: dict[str, int]
) -> None:
    days = {day.day: day for day in monologue(20)} | {DAY - age: bucket(age, **answer)}
    found = tie(*days.values())
    assert 50 < found.score < 75
    assert found.tier is tier


def test_without_any_word_from_the_contact_a_tie_is_at_most_weak() -> None:
    found = tie(*monologue(40))
    assert found.score > 75
    assert found.tier is Tier.WEAK


def test_gates_lower_a_tier_and_never_raise_one() -> None:
    assert tie(bucket(0, outbound=100)).tier is Tier.NONE
    assert tie(bucket(91, mutual=300)).tier is Tier.WEAK
    assert tie(bucket(366, mutual=400)).tier is Tier.NONE


def test_a_gate_closes_as_days_pass_without_an_event() -> None:
    days = [bucket(age, mutual=400) for age in range(10)]
    assert tie(*days).tier is Tier.VERY_STRONG
    assert tie(*days, on=DAY + 90).tier is Tier.STRONG
    assert 50 < tie(*days, on=DAY + 91).score < 75
    assert tie(*days, on=DAY + 91).tier is Tier.MODERATE


def test_tiers_are_ordered_and_named_as_they_are_shown() -> None:
    assert [str(tier) for tier in Tier] == ["none", "weak", "moderate", "strong", "very_strong"]
    assert sorted(Tier) == list(Tier)
