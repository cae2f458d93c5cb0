"""What each fact means, on both sides of its windows, from stats written by hand.

That the store's stats hold the right windows in the first place is shown in
tests/flow/test_facts_by_definition.py.
"""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from worker.core.catalogue import Part
from worker.core.contents import Subscription
from worker.core.facts import FACTS, facts_of
from worker.core.stats import AccountStats, ContactStats, UsageStats, Workspace
from worker.core.subscriptions import Contracts, SubscriptionEvent, as_of
from worker.core.ties import Bucket, Tie, state_of
from worker.core.units import NEVER

ON = 740_000
"""The date of all facts here; days are counted back from it."""

BEGAN = Workspace(first_interaction_day=ON - 1_000)

RELATIONSHIP = [
    "strong_user_ties",
    "strong_exec_ties",
    "user_ties",
    "exec_ties",
    "known_users",
    "known_execs",
    "strong_reps",
    "days_since_contact",
    "days_since_user_contact",
    "days_since_exec_contact",
    "days_since_inbound",
]
COMMERCIAL = [
    "segment",
    "lifecycle",
    "owner",
    "mrr",
    "licences",
    "days_to_renewal",
    "tenure_days",
]
USAGE = [
    "licences_used",
    "adoption",
    "usage_30d",
    "usage_prev_30d",
    "usage_change",
    "active_days_30d",
    "days_since_usage",
]


def person(
    contact: str = "dana",
    *,
    title: str | None = None,
    level: str | None = None,
    role: str | None = None,
    gone: bool | None = None,
    used: int | None = None,
) -> ContactStats:
    """`used`: the days since the contact last used the product."""
    return ContactStats(
        contact, None, title, level, role, gone, None if used is None else ON - used
    )


def tie(contact: str, *days: tuple[int, int, int, int], rep: str = "sam") -> Tie:
    """`days` are (age, mutual, outbound, inbound), sums in hundredths."""
    state = state_of(sorted(Bucket(ON - age, *sums) for age, *sums in days), 60)
    assert state is not None
    return Tie(rep, contact, state)


STRONG = [(age, 400, 0, 0) for age in range(3)]
ONE_CALL = (0, 200, 0, 0)


def facts(
    *people: ContactStats,
    ties: list[Tie] | None = None,
    workspace: Workspace = BEGAN,
    **stats: Any,
) -> dict[str, Any]:
    of_account = AccountStats("acme", contacts=list(people), ties=ties or [], **stats)
    return facts_of(of_account, ON, workspace)


def subscribed(status: Any = "started", **said: Any) -> Contracts:
    """One subscription, whose term began ten days ago and is open unless `said`."""
    term = {"term_start": date.fromordinal(ON - 10)}
    stamp = (datetime(2026, 1, 1, tzinfo=UTC), "1", "crm")
    return as_of([SubscriptionEvent(stamp, Subscription("s1", status, **term | said))])


def test_the_catalogue_lists_the_facts_in_the_order_in_which_they_are_shown() -> None:
    base = [name for name, fact in FACTS.items() if fact.part is Part.BASE]
    assert base == [*RELATIONSHIP, *COMMERCIAL, *USAGE]
    assert list(facts()) == list(FACTS)


# Who is who


@pytest.mark.parametrize(
    ("level", "title", "execs"),
    [
        ("c_level", None, 1),
        ("vp", None, 1),
        ("director", None, 1),
        ("manager", None, 0),
        ("staff", None, 0),
        (None, "CIO", 1),
        (None, "Analyst", 0),
        (None, "???", 0),
        (None, None, 0),
        ("staff", "CIO", 0),  # what the event says stands above what the title tells
        ("vp", "Analyst", 1),
    ],
)
def test_an_exec_is_a_director_vp_or_c_level_by_level_else_by_title(
    level: str | None, title: str | None, execs: int
) -> None:
    assert facts(person(level=level, title=title))["known_execs"] == execs


@pytest.mark.parametrize(
    ("role", "users"),
    [
        ("user", 1),
        ("champion", 1),
        ("admin", 1),
        ("economic_buyer", 0),
        ("other", 0),
        (None, 0),
    ],
)
def test_a_user_is_one_by_role(role: str | None, users: int) -> None:
    assert facts(person(role=role))["known_users"] == users


@pytest.mark.parametrize(("used", "users"), [(1, 1), (90, 1), (91, 0)])
def test_a_user_is_one_by_usage_in_the_last_90_complete_days(used: int, users: int) -> None:
    assert facts(person(used=used))["known_users"] == users
    assert facts(person(used=used, role="economic_buyer"))["known_users"] == users


def test_a_contact_may_be_user_and_exec_at_once() -> None:
    found = facts(person(role="admin", level="vp"), ties=[tie("dana", *STRONG)])
    assert found["strong_user_ties"] == found["strong_exec_ties"] == 1


# Relationships


def test_relationship_facts_are_unknown_before_the_workspace_has_any_interaction() -> None:
    known = person(role="user", level="vp")
    for began in (None, ON + 1):
        found = facts(known, workspace=Workspace(began))
        assert {name: found[name] for name in RELATIONSHIP} == dict.fromkeys(RELATIONSHIP)


def test_relationship_facts_are_zero_or_never_from_the_day_of_the_first_interaction_on() -> None:
    found = facts(workspace=Workspace(ON))
    assert {name: found[name] for name in RELATIONSHIP} == {
        name: NEVER if name.startswith("days_since") else 0 for name in RELATIONSHIP
    }


@pytest.mark.parametrize(
    ("days", "strong", "any_tie"),
    [
        (STRONG, 1, 1),
        (STRONG[:2], 0, 1),  # two active days are moderate
        ([ONE_CALL], 0, 1),
        ([(60, 200, 0, 0)], 0, 1),  # one point: a score of 14
        ([(150, 200, 0, 0)], 0, 1),  # 5.6
        ([(160, 200, 0, 0)], 0, 0),  # 4.99: below weak
        ([(0, 0, 100, 0)], 0, 0),
        ([(age, 0, 400, 0) for age in range(20)], 0, 0),  # weak, but never a word from them
        ([*[(age, 0, 400, 0) for age in range(20)], (365, 0, 0, 1)], 0, 1),
        ([*[(age, 0, 400, 0) for age in range(20)], (366, 0, 0, 1)], 0, 0),
        ([*[(age, 0, 400, 0) for age in range(20)], (90, 0, 0, 1)], 1, 1),
        ([*[(age, 0, 400, 0) for age in range(20)], (91, 0, 0, 1)], 0, 1),
    ],
)
def test_ties_count_when_strong_or_when_weak_and_heard_from_within_365_days(
    days: list[tuple[int, int, int, int]], strong: int, any_tie: int
) -> None:
    found = facts(person(role="user", level="vp"), ties=[tie("dana", *days)])
    assert found["strong_user_ties"] == found["strong_exec_ties"] == strong
    assert found["strong_reps"] == strong
    assert found["user_ties"] == found["exec_ties"] == any_tie


def test_a_contact_with_several_ties_counts_once_by_the_best_of_them() -> None:
    found = facts(
        person(level="vp"),
        ties=[
            tie("dana", *STRONG, rep="ana"),
            tie("dana", *STRONG, rep="sam"),
            tie("dana", (0, 0, 100, 0), rep="zoe"),
        ],
    )
    assert found["strong_exec_ties"] == found["exec_ties"] == 1
    assert found["strong_reps"] == 2


def test_ties_with_contacts_of_unknown_level_and_role_make_no_exec_or_user_ties() -> None:
    found = facts(person(), ties=[tie("dana", *STRONG)])
    assert [found[name] for name in RELATIONSHIP[:7]] == [0, 0, 0, 0, 0, 0, 1]


def test_a_contact_who_left_leaves_the_counts_but_not_the_days_since() -> None:
    left = person(level="vp", role="user", gone=True)
    found = facts(left, ties=[tie("dana", *((age + 4, 400, 0, 0) for age in range(3)))])
    assert {name: found[name] for name in RELATIONSHIP} == {
        **dict.fromkeys(RELATIONSHIP[:7], 0),
        **dict.fromkeys(RELATIONSHIP[7:], 4),
    }


def test_a_tie_with_a_rep_who_left_counts_nowhere_but_was_contact() -> None:
    found = facts(
        person(level="vp", role="user"),
        ties=[tie("dana", *STRONG)],
        workspace=Workspace(ON - 1_000, gone_reps=frozenset({"sam"})),
    )
    assert [found[name] for name in RELATIONSHIP[:7]] == [0, 0, 0, 0, 1, 1, 0]
    assert found["days_since_exec_contact"] == 0


def test_days_since_are_those_of_the_latest_contact_of_each_kind() -> None:
    found = facts(
        person("dana", level="vp"),
        person("lee", role="user"),
        person("kim"),
        ties=[
            tie("dana", (30, 0, 100, 0), (40, 0, 0, 100)),
            tie("lee", (20, 0, 100, 0), (50, 100, 0, 0)),
            tie("kim", (10, 0, 100, 0), (60, 0, 0, 100)),
        ],
    )
    assert found["days_since_contact"] == 10
    assert found["days_since_user_contact"] == 20
    assert found["days_since_exec_contact"] == 30
    assert found["days_since_inbound"] == 40


def test_contact_that_never_was_inbound_is_never_not_unknown() -> None:
    found = facts(person(), ties=[tie("dana", (10, 0, 100, 0))])
    assert found["days_since_inbound"] == NEVER
    assert found["days_since_exec_contact"] == NEVER
    assert found["days_since_contact"] == 10


# The contract


def test_commercial_facts_are_the_accounts_own_without_subscriptions() -> None:
    found = facts(
        segment="enterprise",
        lifecycle="onboarding",
        owner="sam",
        mrr=1200.5,
        seats=10,
        renewal_day=ON + 41,
        first_day=ON - 7,
    )
    assert {name: found[name] for name in COMMERCIAL} == {
        "segment": "enterprise",
        "lifecycle": "onboarding",
        "owner": "sam",
        "mrr": 1200.5,
        "licences": 10,
        "days_to_renewal": 41,
        "tenure_days": 7,
    }


def test_commercial_facts_without_anything_said_are_unknown_but_the_lifecycle() -> None:
    found = facts(first_day=ON + 1)
    assert {name: found[name] for name in COMMERCIAL} == {
        **dict.fromkeys(COMMERCIAL),
        "lifecycle": "active",
    }


def test_mrr_and_licences_are_those_of_active_subscriptions_before_the_accounts_own() -> None:
    found = facts(mrr=7, seats=7, contracts=subscribed(mrr=0, seats=0))
    assert (found["mrr"], found["licences"]) == (0, 0)


def test_mrr_and_licences_are_the_accounts_own_when_no_active_subscription_says() -> None:
    found = facts(mrr=7, seats=7, contracts=subscribed())
    assert (found["mrr"], found["licences"]) == (7, 7)
    found = facts(mrr=7, seats=7, contracts=subscribed("churned", mrr=9, seats=9))
    assert (found["mrr"], found["licences"]) == (7, 7)


def test_the_accounts_own_lifecycle_stands_above_that_of_its_subscriptions() -> None:
    churned = subscribed("churned")
    assert facts(contracts=churned)["lifecycle"] == "churned"
    assert facts(contracts=churned, lifecycle="active")["lifecycle"] == "active"


@pytest.mark.parametrize(
    ("own", "term", "days"),
    [
        (None, None, None),
        (5, None, 5),
        (0, 3, 0),  # today is not before today
        (9, 3, 9),  # the account's own stands above an earlier term end
        (-1, 3, 3),
        (-1, 0, 0),  # a term that ends today still renews today
        (-1, -2, -1),  # both are past: the account's
        (None, 3, 3),
        (None, -2, None),
    ],
)
def test_renewal_is_the_accounts_date_else_the_next_term_end_else_the_accounts_past_date(
    own: int | None, term: int | None, days: int | None
) -> None:
    ends = {} if term is None else {"term_end": date.fromordinal(ON + term)}
    found = facts(renewal_day=None if own is None else ON + own, contracts=subscribed(**ends))
    assert found["days_to_renewal"] == days


def test_tenure_counts_from_the_first_event_and_is_unknown_before_it() -> None:
    assert facts(first_day=ON)["tenure_days"] == 0
    assert facts(first_day=ON - 365)["tenure_days"] == 365
    assert facts(first_day=ON + 1)["tenure_days"] is None


# Usage


def usage(last: int | None, count: int = 0, previous: int = 0, active: int = 0) -> dict[str, Any]:
    """Stats of an account whose last usage was `last` days ago, by nobody in particular."""
    day = None if last is None else ON - last
    return {"usage": UsageStats(day, count, previous, active), "first_usage_day": day}


def test_usage_facts_are_unknown_without_a_usage_event_by_the_date() -> None:
    never = facts(seats=10)
    later = facts(seats=10, first_usage_day=ON + 1, first_user_day=ON + 1)
    for found in (never, later):
        assert {name: found[name] for name in USAGE} == dict.fromkeys(USAGE)


def test_usage_facts_are_zero_once_there_was_usage_and_licences_wait_for_a_user() -> None:
    found = facts(seats=10, **usage(last=61))
    assert {name: found[name] for name in USAGE} == {
        "licences_used": None,
        "adoption": None,
        "usage_30d": 0,
        "usage_prev_30d": 0,
        "usage_change": None,
        "active_days_30d": 0,
        "days_since_usage": 61,
    }


@pytest.mark.parametrize(
    ("count", "previous", "change"),
    [(80, 100, -20.0), (0, 100, -100.0), (150, 100, 50.0), (1, 3, -200 / 3), (5, 0, None)],
)
def test_usage_change_is_relative_to_the_previous_window_and_unknown_if_that_is_empty(
    count: int, previous: int, change: float | None
) -> None:
    found = facts(**usage(1, count, previous))
    assert found["usage_change"] == (None if change is None else pytest.approx(change))


@pytest.mark.parametrize(("used", "licences"), [(1, 1), (30, 1), (31, 0)])
def test_a_licence_is_used_for_30_complete_days(used: int, licences: int) -> None:
    found = facts(person(used=used), seats=4, first_user_day=ON - 400, **usage(used))
    assert found["licences_used"] == licences
    assert found["adoption"] == 25 * licences


def test_a_contact_who_left_uses_no_licence() -> None:
    people = person("dana", used=1, gone=True), person("lee", used=1)
    found = facts(*people, seats=4, first_user_day=ON - 1, **usage(1))
    assert (found["licences_used"], found["adoption"]) == (1, 25)


@pytest.mark.parametrize("seats", [None, 0])
def test_adoption_is_unknown_without_licences(seats: int | None) -> None:
    found = facts(person(used=1), seats=seats, first_user_day=ON - 1, **usage(1))
    assert (found["licences_used"], found["adoption"]) == (1, None)


def test_adoption_can_pass_100_percent() -> None:
    people = person("dana", used=1), person("lee", used=1), person("kim", used=1)
    found = facts(*people, seats=2, first_user_day=ON - 1, **usage(1))
    assert found["adoption"] == 150
