"""Subscriptions as of a day: terms, what they are worth, when they end, and what became of them."""

from datetime import date, datetime
from itertools import permutations
from typing import Any

import pytest

from worker.core.contents import Subscription
from worker.core.subscriptions import (
    NO_TERMS,
    Income,
    SubscriptionEvent,
    Terms,
    as_of,
    extend,
    income_on,
    one_currency,
    terms_on,
)

D = date(2026, 3, 10)


def said(on: str, status: Any, subscription: str = "s1", id_: str = "", **data: Any) -> Any:
    """A subscription event at noon of `on`; terms are given as text."""
    for name in ("term_start", "term_end"):
        if data.get(name):
            data[name] = date.fromisoformat(data[name])
    stamp = (datetime.fromisoformat(f"{on}T12:00:00Z"), id_ or f"{subscription} {status}", "crm")
    return SubscriptionEvent(stamp, Subscription(subscription, status, **data))


def terms(*events: SubscriptionEvent, on: date = D) -> Terms:
    """What those of the events amount to that had happened by the end of the day."""
    contracts = as_of(e for e in events if e.day <= on.toordinal())
    found = terms_on(contracts.subscriptions, on.toordinal())
    return found._replace(mrr=one_currency(found.mrr, None) if found.mrr else None)


def test_without_subscriptions_there_is_nothing_to_tell() -> None:
    assert terms() == NO_TERMS == (None, None, None, None, None, False)


@pytest.mark.parametrize(
    ("term", "active"),
    [
        ({"term_start": "2026-03-10"}, True),
        ({"term_start": "2026-03-11"}, False),
        ({"term_start": "2025-01-01", "term_end": "2026-03-11"}, True),
        ({"term_start": "2025-01-01", "term_end": "2026-03-10"}, False),  # the end is exclusive
        ({"term_start": "2026-03-10", "term_end": "2026-03-11"}, True),
        ({"term_start": "2025-01-01", "term_end": None}, True),
        ({}, False),  # no term was ever recorded
        ({"term_end": "2027-01-01"}, False),
    ],
)
def test_a_subscription_is_active_from_the_start_of_a_term_to_the_day_before_its_end(
    term: dict[str, Any], active: bool
) -> None:
    found = terms(said("2025-01-01", "started", mrr=100, seats=5, **term))
    assert (found.mrr, found.seats) == ((100, 5) if active else (None, None))
    assert found.lifecycle == "active"


def test_mrr_and_seats_are_sums_over_the_active_subscriptions_that_have_them() -> None:
    found = terms(
        said("2025-01-01", "started", "a", mrr=0.1, seats=3, term_start="2025-01-01"),
        said("2025-01-01", "started", "b", mrr=0.2, term_start="2025-01-01"),
        said("2025-01-01", "started", "c", seats=4, term_start="2025-01-01"),
        said("2025-01-01", "started", "d", mrr=90, seats=90, term_start="2027-01-01"),
        said("2025-01-01", "churned", "e", mrr=90, seats=90, term_start="2025-01-01"),
    )
    assert found.mrr == pytest.approx(0.3)
    assert found.seats == 7


def test_the_sum_of_mrr_is_exact_whichever_subscription_pays_what() -> None:
    def total(*mrrs: float) -> float | None:
        return terms(
            *(
                said("2025-01-01", "started", name, mrr=mrr, term_start="2025-01-01")
                for name, mrr in zip("abc", mrrs, strict=True)
            )
        ).mrr

    assert total(0.1, 0.2, 0.3) == total(0.3, 0.2, 0.1) == 0.6


def test_the_latest_mrr_and_seats_hold_whatever_the_order_of_arrival() -> None:
    events = [
        said("2025-01-01", "started", mrr=100, seats=5, term_start="2025-01-01"),
        said("2025-06-01", "changed", mrr=200),
        said("2025-07-01", "changed", seats=9),
        said("2025-08-01", "changed"),
    ]
    for arrived in permutations(events):
        assert terms(*arrived)[:2] == (200, 9)


def test_at_equal_times_the_greater_id_holds() -> None:
    started = said("2025-01-01", "started", term_start="2025-01-01")
    at_once = [
        said("2025-06-01", "changed", id_="10", seats=10),
        said("2025-06-01", "changed", id_="9", seats=9),
    ]
    assert terms(started, *at_once).seats == 9
    assert terms(*reversed(at_once), started).seats == 9


def test_null_clears_what_was_said() -> None:
    found = terms(
        said("2025-01-01", "started", mrr=100, seats=5, term_start="2025-01-01"),
        said("2025-06-01", "changed", mrr=None, seats=None),
    )
    assert found[:4] == (None, None, None, "active")


def test_an_event_with_the_same_term_start_replaces_that_term_as_a_whole() -> None:
    first = said("2025-01-01", "started", term_start="2026-01-01", term_end="2026-04-01", seats=1)
    longer = said("2025-06-01", "changed", term_start="2026-01-01", term_end="2027-01-01")
    opened = said("2025-07-01", "changed", term_start="2026-01-01")
    assert terms(first).next_end == date(2026, 4, 1).toordinal()
    assert terms(first, longer).next_end == date(2027, 1, 1).toordinal()
    assert terms(longer, first, opened).next_end is None
    assert terms(first, opened, on=date(2030, 1, 1)).seats == 1


def test_an_id_may_be_used_again_for_successive_terms() -> None:
    events = [
        said("2024-12-01", "started", term_start="2025-01-01", term_end="2026-01-01", seats=5),
        said("2026-01-20", "renewed", term_start="2026-02-01", term_end="2027-02-01"),
    ]
    seats = {
        on: terms(*events, on=date.fromisoformat(on)).seats
        for on in ("2024-12-31", "2025-01-01", "2025-12-31", "2026-01-01", "2026-01-31",
                   "2026-02-01", "2027-01-31", "2027-02-01")
    }  # fmt: skip
    assert seats == {
        "2024-12-31": None,
        "2025-01-01": 5,
        "2025-12-31": 5,
        "2026-01-01": None,  # between its terms
        "2026-01-31": None,
        "2026-02-01": 5,
        "2027-01-31": 5,
        "2027-02-01": None,
    }


def test_a_churned_subscription_is_not_active_though_its_term_runs_on() -> None:
    found = terms(
        said("2025-01-01", "started", mrr=100, seats=5, term_start="2025-01-01"),
        said("2025-06-01", "churned"),
    )
    assert found[:4] == (None, None, None, "churned")


def test_a_won_back_subscription_is_active_again_with_what_it_had() -> None:
    found = terms(
        said("2025-01-01", "started", mrr=100, seats=5, term_start="2025-01-01",
             term_end="2025-12-31"),
        said("2025-06-01", "churned"),
        said("2026-02-01", "started", mrr=50, term_start="2026-02-01"),
    )  # fmt: skip
    assert found[:4] == (50, 5, None, "active")


def test_a_subscription_has_churned_when_every_one_has() -> None:
    one = said("2025-06-01", "churned", "a", term_start="2025-01-01")
    assert terms(one).lifecycle == "churned"
    assert terms(one, said("2025-01-01", "started", "b")).lifecycle == "active"
    assert terms(one, said("2025-07-01", "churned", "b")).lifecycle == "churned"


def test_an_account_is_in_trial_when_all_active_subscriptions_are_trials() -> None:
    trial = said("2026-03-01", "trial", "a", term_start="2026-03-01", term_end="2026-03-31")
    paid = said("2026-03-01", "started", "b", term_start="2026-03-01")
    lapsed = said("2025-01-01", "started", "c", term_start="2025-01-01", term_end="2026-01-01")
    churned = said("2025-01-01", "churned", "d", term_start="2025-01-01")
    assert terms(trial).lifecycle == "trial"
    assert terms(trial, lapsed, churned).lifecycle == "trial"
    assert terms(trial, paid).lifecycle == "active"
    assert terms(trial, said("2026-03-05", "started", "a")).lifecycle == "active"
    assert terms(trial, on=date(2026, 3, 31)).lifecycle == "active"  # none is active any more


@pytest.mark.parametrize("before", ["trial", "started", "renewed", "churned"])
def test_changed_is_a_status_like_any_other_and_the_latest_status_holds(before: str) -> None:
    found = terms(
        said("2026-03-01", before, seats=5, term_start="2026-03-01"),
        said("2026-03-05", "changed", seats=6),
    )
    assert (found.seats, found.lifecycle) == (6, "active")


@pytest.mark.parametrize(
    ("end", "next_end"),
    [("2026-03-09", None), ("2026-03-10", "2026-03-10"), ("2026-03-11", "2026-03-11")],
)
def test_the_next_end_is_that_of_a_term_that_ends_today_or_later(
    end: str, next_end: str | None
) -> None:
    found = terms(said("2025-01-01", "started", term_start="2025-01-01", term_end=end)).next_end
    assert found == (date.fromisoformat(next_end).toordinal() if next_end else None)


def test_the_next_end_is_the_earliest_over_all_terms_of_subscriptions_not_churned() -> None:
    found = terms(
        said("2025-01-01", "started", "a", term_start="2025-01-01", term_end="2026-05-01"),
        said("2025-01-02", "started", "a", term_start="2026-05-01", term_end="2027-05-01"),
        said("2025-01-01", "started", "b", term_start="2026-06-01", term_end="2026-04-30"),
        said("2025-01-01", "churned", "c", term_start="2025-01-01", term_end="2026-04-01"),
    )
    assert found.next_end == date(2026, 4, 30).toordinal()


# The history


def steps(*events: SubscriptionEvent, on: date = D) -> list[tuple[str, dict[str, float]]]:
    found = income_on(as_of(events), on.toordinal())
    return [(date.fromordinal(step.day).isoformat(), step.mrr) for step in found]


def test_income_steps_where_terms_begin_change_and_end() -> None:
    found = steps(
        said("2025-01-01", "started", mrr=100, term_start="2025-01-05", term_end="2025-07-05"),
        said("2025-02-01", "changed", mrr=150),
        said("2025-03-01", "changed", mrr=150),  # no step: nothing changes
        said("2025-08-01", "renewed", mrr=80, term_start="2025-08-01", term_end="2026-02-01"),
    )
    assert found == [
        ("2025-01-01", {}),
        ("2025-01-05", {"": 100}),
        ("2025-02-01", {"": 150}),
        ("2025-07-05", {}),
        ("2025-08-01", {"": 80}),
        ("2026-02-01", {}),
    ]


def test_income_is_the_same_however_its_events_are_batched() -> None:
    events = [
        said("2025-01-01", "started", mrr=100, term_start="2025-01-01", term_end="2025-03-01"),
        said("2025-02-01", "started", "s2", mrr=50, term_start="2025-01-15", currency="EUR"),
        said("2025-02-01", "changed", "s2", "z", mrr=60),
        said("2025-04-01", "churned", "s2"),
    ]
    whole = as_of(events)
    for cut in range(len(events) + 1):
        parts = as_of(events[:cut])
        extend(parts, events[cut:])
        assert parts == whole
    assert whole.income[-1] == Income(date(2025, 4, 1).toordinal(), {})


@pytest.mark.parametrize(
    ("amounts", "currency", "amount"),
    [
        ({"": 5.0}, None, 5),
        ({"": 5.0, "EUR": 2.0}, "EUR", 7),
        ({"EUR": 2.0}, None, 2),
        ({"EUR": 2.0, "USD": 3.0}, None, None),
        ({"USD": 3.0}, "EUR", None),
        ({"": 5.0, "USD": 3.0}, "EUR", None),
        ({}, "EUR", 0),
    ],
)
def test_amounts_in_another_currency_than_the_accounts_are_not_added(
    amounts: dict[str, float], currency: str | None, amount: float | None
) -> None:
    assert one_currency(amounts, currency) == amount


def test_overlapping_terms_of_one_subscription_count_once() -> None:
    found = terms(
        said("2025-01-01", "started", mrr=100, term_start="2025-01-01", term_end="2026-06-01"),
        said("2026-01-01", "renewed", term_start="2026-01-01", term_end="2027-01-01"),
    )
    assert found.mrr == 100
    assert found.elapsed == pytest.approx(100 * (D - date(2025, 1, 1)).days / 516)
