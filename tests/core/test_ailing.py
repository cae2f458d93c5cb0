"""What an alert on the health score says of it: the facts that cost it most, the dearest first."""

from tests.core.test_health import SETTINGS, YOUNG, at_least
from worker.core.ailing import lowered_by
from worker.core.bands import Band, HealthPart, HealthSettings, Scale

FACTS = {"tenure_days": 400, "exec_ties": 1, "adoption": 75.0, "usage_30d": 5}


def test_the_facts_that_cost_most_of_the_score_are_named_with_their_values():
    assert lowered_by({"health"}, FACTS, SETTINGS) == (
        "The health score is lowered most by executives with a tie: 1; "
        "uses in the last 30 days: 5.",
    )


def test_what_is_unknown_or_could_not_be_better_lowers_nothing():
    best = {"tenure_days": 400, "exec_ties": 3, "adoption": 75.0, "usage_30d": None}
    assert lowered_by({"health_change_30d"}, best, SETTINGS) == ()


def test_a_fact_is_measured_by_what_it_can_be_worth_to_the_account():
    """Bands of 80 points at most: those of the young end there, the others' with 100."""
    modest = Scale(YOUNG, (Band("good", 80, None),))
    usage = at_least("usage_30d", 10, 1)
    settings = HealthSettings(
        (
            HealthPart("relationship", 1, {"exec_ties": (modest, *at_least("exec_ties", 9, 8))}),
            HealthPart("adoption", 1, {"usage_30d": usage}),
        )
    )
    young = {"tenure_days": 30, "exec_ties": 1, "usage_30d": 5}
    assert lowered_by({"health"}, young, settings) == (
        "The health score is lowered most by uses in the last 30 days: 5.",
    )
    assert lowered_by({"health"}, young | {"usage_30d": 10}, settings) == ()
    (old,) = lowered_by({"health"}, young | {"tenure_days": 90}, settings)
    assert "executives with a tie: 1" in old


def test_of_a_rule_that_does_not_look_at_the_score_nothing_is_said():
    assert lowered_by({"exec_ties"}, FACTS, SETTINGS) == ()
