"""What an account was on a day: a customer or not, what it paid, and for which plan."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from worker.core.contents import Subscription
from worker.core.events import Event, parse
from worker.core.portfolio.cohorts import Began, cohorts, quarter_ends, quarter_of
from worker.core.portfolio.contracts import Due, contracts_due
from worker.core.portfolio.courses import NO_CUSTOMER, Held, History, began_on, course
from worker.core.subscriptions import SubscriptionEvent

START = date(2025, 1, 1)


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def said(on: str, status: Any, subscription: str = "s1", **data: Any) -> SubscriptionEvent:
    """A subscription event at noon of `on`; terms are given as text."""
    for name in ("term_start", "term_end"):
        if data.get(name):
            data[name] = date.fromisoformat(data[name])
    stamp = (datetime.fromisoformat(f"{on}T12:00:00Z"), f"{subscription} {status} {on}", "crm")
    return SubscriptionEvent(stamp, Subscription(subscription, status, **data))


def described(on: str, **fields: Any) -> Event:
    raw = {"id": on, "source": "crm", "type": "account", "time": f"{on}T12:00:00Z",
           "subject": "acme", "data": fields}  # fmt: skip
    event = parse(raw, datetime(2030, 1, 1, tzinfo=UTC))
    assert isinstance(event, Event)
    return event


def on(history: History, *days: str) -> list[Held]:
    return course(history, [day(text) for text in days])


def test_a_customer_is_one_from_the_start_of_a_term_to_the_day_before_its_end():
    term = said("2025-01-10", "started", mrr=10, plan="pro",
                term_start="2025-02-01", term_end="2025-03-01")  # fmt: skip
    held = on(History(1, [term]), "2025-01-31", "2025-02-01", "2025-02-28", "2025-03-01")
    assert held == [NO_CUSTOMER, Held(True, 10, "pro"), Held(True, 10, "pro"), NO_CUSTOMER]


def test_the_past_does_not_change_when_prices_and_plans_do():
    history = History(
        1,
        [
            said("2025-01-01", "started", mrr=10, plan="basic", term_start="2025-01-01"),
            said("2025-04-01", "changed", mrr=30, plan="pro"),
        ],
    )
    assert on(history, "2025-03-31", "2025-04-01") == [
        Held(True, 10, "basic"),
        Held(True, 30, "pro"),
    ]


def test_what_was_told_late_was_not_known_before():
    late = said("2025-03-15", "started", mrr=10, term_start="2025-01-01")
    assert on(History(1, [late]), "2025-03-14", "2025-03-15") == [NO_CUSTOMER, Held(True, 10)]


def test_the_plan_is_that_of_the_subscription_that_pays_most():
    both = [
        said("2025-01-01", "started", "a", mrr=10, plan="small", term_start="2025-01-01"),
        said("2025-01-01", "started", "b", mrr=90, plan="big", term_start="2025-01-01"),
        said("2025-06-01", "churned", "b"),
    ]
    held = on(History(1, both), "2025-02-01", "2025-06-01")
    assert held == [Held(True, 100, "big"), Held(True, 10, "small")]


def test_who_only_tries_or_has_left_is_no_customer():
    trial = said("2025-01-01", "trial", mrr=5, term_start="2025-01-01")
    gone = said("2025-05-01", "churned")
    held = on(History(1, [trial, gone]), "2025-02-01", "2025-05-01")
    assert held == [NO_CUSTOMER, NO_CUSTOMER]


def test_without_subscriptions_anywhere_an_account_is_a_customer_from_its_first_event_on():
    assert on(History(day("2025-02-01")), "2025-01-31", "2025-02-01") == [NO_CUSTOMER, Held(True)]


def test_where_subscriptions_are_recorded_an_account_without_one_must_say_that_it_is_a_customer():
    first = day("2025-01-01")
    assert on(History(first, billed=True), "2025-02-01") == [NO_CUSTOMER]
    told = [described("2025-02-01", segment="smb"), described("2025-03-01", mrr=7)]
    paying = History(first, described=told, billed=True)
    assert [began_on(one) for one in (paying, History(first, billed=True))] == [
        day("2025-03-01"),
        None,
    ]
    assert on(paying, "2025-02-28", "2025-03-01") == [NO_CUSTOMER, Held(True, 7)]


def test_an_account_without_subscriptions_is_read_as_of_the_day_too():
    history = History(
        day("2025-01-01"),
        described=[
            described("2025-01-01", mrr=10, lifecycle="onboarding"),
            described("2025-03-01", mrr=20),
            described("2025-05-01", lifecycle="churned"),
        ],
    )
    held = on(history, "2025-01-01", "2025-03-01", "2025-04-30", "2025-05-01")
    assert held == [Held(True, 10), Held(True, 20), Held(True, 20), NO_CUSTOMER]


def test_an_accounts_own_lifecycle_comes_first():
    term = said("2025-01-01", "started", mrr=10, term_start="2025-01-01")
    history = History(1, [term], [described("2025-06-01", lifecycle="churned")])
    assert on(history, "2025-05-31", "2025-06-01") == [Held(True, 10), NO_CUSTOMER]


@pytest.mark.parametrize(
    ("events", "began"),
    [
        ([said("2025-01-10", "started", term_start="2025-02-01")], "2025-02-01"),
        ([said("2025-03-10", "started", term_start="2025-02-01")], "2025-03-10"),
        ([said("2025-01-01", "trial", term_start="2025-01-01"),
          said("2025-01-20", "started", term_start="2025-02-01")], "2025-02-01"),
        ([said("2025-01-01", "trial", term_start="2025-01-01")], None),
        ([], "2024-12-24"),
    ],
)  # fmt: skip
def test_an_account_begins_with_its_first_term_that_is_no_trial(events, began):
    expected = None if began is None else day(began)
    assert began_on(History(day("2024-12-24"), events)) == expected


YEAR = said("2025-01-01", "started", term_start="2025-01-01", term_end="2026-01-01")


def due(*events: SubscriptionEvent) -> list[Due]:
    return contracts_due(sorted(events), day("2025-12-15"), day("2026-01-31"))


@pytest.mark.parametrize(
    ("more", "renewed"),
    [
        ([], False),
        ([said("2025-12-01", "renewed", term_start="2026-01-01", term_end="2027-01-01")], True),
        ([said("2026-01-20", "renewed", term_start="2026-01-20")], True),  # late
        ([said("2025-06-01", "changed", term_start="2025-06-01", term_end="2026-06-01")], True),
        ([said("2025-06-01", "changed", term_start="2025-06-01", term_end="2025-12-01")], False),
        ([said("2025-12-01", "renewed", term_start="2026-01-01"),
          said("2025-12-20", "churned")], False),  # and taken back
        ([said("2025-12-01", "renewed", term_start="2026-01-01"),
          said("2026-01-25", "churned")], True),  # renewed, and left later
        ([said("2026-01-05", "started", "s2", term_start="2026-01-05")], True),  # another plan
        ([said("2026-01-05", "trial", "s2", term_start="2026-01-05")], False),
        ([said("2025-08-01", "started", "s2", term_start="2025-08-01")], False),  # an extra
        ([said("2025-12-20", "churned")], False),
    ],
)  # fmt: skip
def test_a_contract_due_is_renewed_by_what_follows_it(more, renewed):
    assert Due("s1", day("2026-01-01"), renewed) in due(YEAR, *more)


def test_a_new_subscription_takes_the_place_of_one_contract_only():
    other = said("2025-01-01", "started", "s0", term_start="2025-01-01", term_end="2026-01-01")
    heir = said("2026-01-01", "started", "s2", term_start="2026-01-01", term_end="2027-01-01")
    assert sorted(one.renewed for one in due(YEAR, other, heir)) == [False, True]


def test_trials_and_terms_that_end_before_they_start_are_no_contracts():
    trial = said("2025-12-01", "trial", "t", term_start="2025-12-01", term_end="2026-01-01")
    wrong = said("2025-12-01", "started", "w", term_start="2026-03-01", term_end="2026-01-01")
    assert due(trial, wrong) == []
    kept = said("2025-12-20", "started", "t", mrr=5)  # the trial goes on as a contract
    assert due(trial, kept) == [Due("t", day("2026-01-01"), False)]


def test_each_term_is_a_contract_of_its_own():
    months = [
        said(f"2025-{month}-01", "renewed", term_start=f"2025-{month}-01", term_end=end)
        for month, end in (("11", "2025-12-01"), ("12", "2026-01-01"))
    ]
    monthly = [
        *months,
        said("2026-01-01", "renewed", term_start="2026-01-01", term_end="2026-01-31"),
    ]
    assert [(one.day, one.renewed) for one in due(*monthly)] == [
        (day("2026-01-01"), True),
        (day("2026-01-31"), False),
    ]


def test_an_extended_term_is_due_at_its_new_end():
    longer = said("2025-12-01", "changed", term_start="2025-01-01", term_end="2026-06-01")
    assert due(YEAR, longer) == []


def test_quarters_end_with_their_last_month_and_the_last_one_at_closing():
    ends = quarter_ends(date(2026, 5, 10))
    assert ends[-3:] == [date(2025, 12, 31), date(2026, 3, 31), date(2026, 5, 10)]
    assert (len(ends), quarter_of(ends[0])) == (12, "2023-Q3")
    assert [quarter_of(date(2026, month, 1)) for month in (1, 3, 4, 12)] == [
        "2026-Q1", "2026-Q1", "2026-Q2", "2026-Q4"]  # fmt: skip


def test_a_cohort_is_followed_from_the_end_of_its_quarter():
    closing = date(2026, 5, 10)
    ends = [end.toordinal() for end in quarter_ends(closing)]

    def began(text: str, *mrrs: float | None) -> Began:
        """Held at the last three ends as given, and no customer before."""
        last = [NO_CUSTOMER if mrr is None else Held(True, mrr) for mrr in mrrs]
        held = [*[NO_CUSTOMER] * (12 - len(last)), *last]
        return Began(day(text), dict(zip(ends, held, strict=True)))

    of = [
        began("2025-11-01", 10, 20, None),
        began("2025-12-31", 30, 30, 30),
        began("2026-04-01", None, None, 5),
        began("2026-06-01", None, None, None),  # not yet
        began("2020-01-01", 1, 1, 1),  # too long ago
    ]
    assert cohorts(of, closing, one_currency=True) == [
        ("2025-Q4", 2, [100, 100, 50], [100, 125, 75]),
        ("2026-Q2", 1, [100], [100]),
    ]
    (first, _) = cohorts(of, closing, one_currency=False)
    assert first.revenue_kept == [None, None, None]


def test_a_course_can_be_asked_for_every_day_and_comes_to_the_same_as_for_one():
    events = [
        said("2025-01-01", "started", mrr=10, term_start="2025-01-01", term_end="2025-02-01"),
        said("2025-02-05", "renewed", mrr=12, term_start="2025-02-05", term_end="2025-03-01"),
        said("2025-02-20", "changed", mrr=9),
        said("2025-02-25", "churned"),
    ]
    history = History(1, events)
    days = [(START + timedelta(days=n)).toordinal() for n in range(90)]
    assert course(history, days) == [course(history, [one])[0] for one in days]
