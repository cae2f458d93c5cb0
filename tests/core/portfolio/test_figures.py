"""The figures of a portfolio, each by an example that can be worked out by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.portfolio.catalogue import FIGURES, Kind, shown
from worker.core.portfolio.contracts import Due
from worker.core.portfolio.courses import Held
from worker.core.portfolio.figures import (
    Correlation,
    Member,
    Movements,
    correlation,
    currencies,
    figures,
    grouped,
    movements,
    renewals,
    without_revenue,
)

NONE = Held(False)


def member(before: float | None, after: float | None, **more) -> Member:
    """An account by what it paid at opening and at closing; None is no customer."""
    opening, closing = (NONE if mrr is None else Held(True, mrr) for mrr in (before, after))
    return Member("acme", opening, closing, **more)


QUARTER = [member(30, 35), member(45, 40), member(25, None), member(None, 45)]
"""Opens with 100, 45 new, 5 expansion, loses 25 to churn and 5 to downgrades."""


def test_the_worked_example_comes_out_exactly():
    assert movements(QUARTER) == Movements(100, 45, 5, -5, -25, 120)
    found = figures(
        [*QUARTER, member(None, None, contracts=[Due("s", 1, n < 90) for n in range(100)])]
    )
    assert found["recurring_revenue_rate"] == 120
    assert found["net_revenue_retention"] == 75
    assert found["gross_revenue_retention"] == 70
    assert found["revenue_churn"] == 25
    assert found["gross_upsell"] == 5
    assert found["contract_renewal_rate"] == 90
    assert (found["contracts_due"], found["contracts_renewed"]) == (100, 90)


def test_recurring_revenue_rate_counts_new_customers_and_net_retention_does_not():
    grown = [*QUARTER, member(None, 5)]
    assert figures(grown)["recurring_revenue_rate"] == 125
    assert figures(grown)["mrr_growth"] == 25
    assert figures(grown)["net_revenue_retention"] == 75


def test_customers_are_counted_at_both_ends():
    found = figures(QUARTER)
    assert {name: found[name] for name in list(FIGURES)[:6]} == {
        "customers": 3,
        "customers_at_start": 3,
        "new_customers": 1,
        "lost_customers": 1,
        "customer_retention": pytest.approx(200 / 3),
        "logo_churn": pytest.approx(100 / 3),
    }


def test_a_portfolio_of_nobody_has_counts_and_nothing_else():
    found = figures([])
    assert list(found) == list(FIGURES)
    counts = {name for name, value in found.items() if value == 0}
    assert counts == {name for name, one in FIGURES.items() if one.none_when == "never"}
    assert all(found[name] is None for name in FIGURES.keys() - counts)


def test_a_quarter_that_opens_without_revenue_has_no_rates():
    found = figures([member(None, 10)])
    assert (found["mrr"], found["net_revenue_retention"], found["mrr_growth"]) == (10, None, None)


@pytest.mark.parametrize(
    ("answers", "nps"),
    [
        ([9], 100),
        ([10, 9, 8, 7], 50),
        ([8, 7], 0),
        ([6], -100),
        ([0, 10, 6], -100 / 3),
        ([], None),
    ],
)
def test_nps_is_promoters_minus_detractors(answers, nps):
    assert figures([member(1, 1, nps=answers)])["nps"] == pytest.approx(nps)


@pytest.mark.parametrize(
    ("answers", "csat"), [([4, 5], 100), ([3, 4], 50), ([1, 2, 3], 0), ([], None)]
)
def test_csat_is_the_share_of_4_and_5(answers, csat):
    assert figures([member(1, 1, csat=answers)])["csat"] == csat


def test_time_to_value_is_the_average_over_those_who_reached_it():
    of = [member(1, 1, days_to_value=days) for days in (30, 0, None, 90)]
    assert figures(of)["time_to_value_days"] == 40


def test_risk_is_that_of_customers_at_closing():
    found = figures([member(50, 30, flagged=True), member(50, 70), member(50, None, flagged=True)])
    assert (found["at_risk"], found["revenue_at_risk"]) == (50, 30)
    assert found["revenue_at_risk_share"] == 30


def test_the_engaged_are_a_share_of_those_of_whom_it_is_known():
    of = [member(1, 1, engaged=engaged) for engaged in (True, False, None, True)]
    assert figures(of)["engaged"] == pytest.approx(200 / 3)
    assert figures([member(1, 1)])["engaged"] is None


def test_revenue_of_several_currencies_is_not_added_up():
    mixed = [member(10, 10, currency="EUR"), member(10, 20, currency="USD", flagged=True)]
    found = figures(mixed)
    assert currencies(mixed) == ["EUR", "USD"]
    money = [name for name, one in FIGURES.items() if one.kind is Kind.MONEY]
    rates = ["net_revenue_retention", "mrr_growth", "revenue_at_risk_share"]
    assert all(found[name] is None for name in (*money, *rates))
    assert (found["customer_retention"], found["at_risk"]) == (100, 50)
    assert movements(mixed) is None
    assert renewals([replace(one, days_to_renewal=3) for one in mixed])[0].mrr is None


def test_a_currency_that_nobody_pays_in_and_amounts_without_one_disturb_nothing():
    of = [member(10, 10, currency="EUR"), member(5, 5), member(None, None, currency="USD")]
    assert figures(of)["mrr"] == 15


def test_customers_whose_revenue_nobody_knows_count_as_customers_only():
    unknown = Member("birch", Held(True, 20), Held(True, None))
    of = [member(10, 10), unknown]
    assert figures(of)["net_revenue_retention"] == 100
    assert figures(of)["customer_retention"] == 100
    assert without_revenue(of) == 1
    assert figures([unknown])["mrr"] is None


def test_renewals_ahead_are_those_of_customers_within_the_window():
    of = [
        member(1, 10, days_to_renewal=0),
        member(1, 20, days_to_renewal=30, flagged=True),
        member(1, 30, days_to_renewal=31),
        member(1, 40, days_to_renewal=91),
        member(1, 50, days_to_renewal=-1),
        member(1, None, days_to_renewal=5),
        member(1, 60),
    ]
    assert renewals(of) == [(30, 2, 1, 30), (60, 3, 1, 60), (90, 3, 1, 60)]


def test_a_correlation_needs_three_pairs_that_vary():
    assert correlation([(1, 10), (2, 20)]) == Correlation(None, 2)
    assert correlation([(1, 5), (2, 5), (3, 5)]) == Correlation(None, 3)
    assert correlation([(1, 2), (2, 4), (3, 6)]).r == pytest.approx(1)
    assert correlation([(1, 6), (2, 4), (3, 2)]).r == pytest.approx(-1)
    assert correlation([(1, 1), (2, 3), (3, 2), (4, 4)]) == Correlation(pytest.approx(0.8), 4)


def test_groups_come_in_order_and_those_without_a_value_last():
    names = [None, "b", "a", "b"]
    of = [member(n, n) for n in range(1, 5)]
    found = grouped(of, lambda one: names[int(one.opening.mrr) - 1])
    assert [(name, len(members)) for name, members in found] == [("a", 1), ("b", 2), (None, 1)]


AMOUNT = st.none() | st.integers(0, 10_000)


@given(st.lists(st.tuples(AMOUNT, AMOUNT)))
def test_the_movements_lead_from_opening_to_closing(pairs):
    moved = movements([member(*pair) for pair in pairs])
    if moved is None:
        assert all(pair == (None, None) for pair in pairs)
    else:
        assert sum(moved[:-1]) == moved.closing
        assert min(moved.new, moved.expansion, -moved.downgrades, -moved.churn) >= 0


@given(st.lists(st.tuples(AMOUNT, AMOUNT)))
def test_retention_and_churn_share_a_whole_and_gross_is_at_most_net(pairs):
    found = figures([member(*pair) for pair in pairs])
    if found["customers_at_start"]:
        assert found["customer_retention"] + found["logo_churn"] == pytest.approx(100)
    if found["net_revenue_retention"] is not None:
        assert 0 <= found["gross_revenue_retention"] <= found["net_revenue_retention"]
        assert found["net_revenue_retention"] <= found["recurring_revenue_rate"]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, Kind.PERCENT, "-"),
        (75, Kind.PERCENT, "75.0%"),
        (12400.4, Kind.MONEY, "12,400 EUR"),
        (-12.5, Kind.POINTS, "-12"),
        (40, Kind.POINTS, "+40"),
        (1, Kind.DAYS, "1 day"),
        (61.2, Kind.DAYS, "61 days"),
        (1204, Kind.COUNT, "1,204"),
    ],
)
def test_figures_are_shown_with_their_unit(value, kind, text):
    assert shown(value, kind, "EUR") == text
