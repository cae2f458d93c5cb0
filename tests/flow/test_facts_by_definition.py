"""Facts and ties of the store are those that their definitions give, read straight from events."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from tests import plain_reading, plain_reading_more
from tests.histories import ACCOUNTS, TODAY, Raw, histories, parsed
from worker.core.additions import additions
from worker.core.catalogue import Part
from worker.core.facts import FACTS, facts_of
from worker.core.health import HEALTH_FACTS
from worker.core.metrics import Metrics
from worker.core.reading import EVERYTHING
from worker.core.stats import AccountStats
from worker.core.ties import TieSettings, strength
from worker.core.units import NEVER
from worker.store import event_log, stats
from worker.store.fold import fold
from worker.store.stats import read_workspace

SETTINGS = TieSettings()

OTHER_DATES = [
    *(TODAY - timedelta(days) for days in (400, 366, 91, 61, 31, 1)),
    *(TODAY + timedelta(days) for days in (1, 2, 30, 90, 91, 365, 1000)),
]
# The edges of all windows lie around today's; of the other dates two a history are enough.
dates_to_check = st.lists(st.sampled_from(OTHER_DATES), min_size=2, max_size=2).map(
    lambda others: [TODAY, *others]
)


def ingest(db: Connection, history: list[Raw]) -> None:
    fresh, conflicts = event_log.append(db, parsed(history))()
    assert not conflicts
    fold(db, additions(fresh), SETTINGS.half_life, TODAY, FACTS).rest()()


LAUNCHED = {"board": TODAY - timedelta(40), "api": TODAY + timedelta(20)}
ADVANCED = ("api", "export")
METRICS = Metrics(ADVANCED, {name: day.toordinal() for name, day in LAUNCHED.items()})


def stats_on(db: Connection, on: date) -> dict[str, AccountStats]:
    return stats.read(db, ACCOUNTS, on, SETTINGS.half_life, EVERYTHING, METRICS)


def facts_on(db: Connection, on: date) -> dict[str, dict[str, Any]]:
    workspace = read_workspace(db, SETTINGS)
    return {
        account: facts_of(of_account, on.toordinal(), workspace, METRICS)
        for account, of_account in stats_on(db, on).items()
    }


def ties_on(db: Connection, on: date) -> list[plain_reading.Tie]:
    found = []
    for account, of_account in stats_on(db, on).items():
        for rep, contact, state in of_account.ties:
            score, tier = strength(state, on.toordinal(), SETTINGS)
            heard = None if state.two_way_day is None else date.fromordinal(state.two_way_day)
            last = date.fromordinal(state.day)
            tie = plain_reading.Tie(account, rep, contact, score, str(tier), last, heard)
            found.append(tie)
    return sorted(found)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.one_of(histories(), histories(further=True)), dates=dates_to_check)
def test_facts_are_as_defined_on_any_date_past_or_future(
    engine: Engine, history: list[Raw], dates: list[date]
) -> None:
    accounts = {event["subject"] for event in history if event["type"] != "rep"}
    with engine.connect() as db:
        ingest(db, history)
        for on in dates:
            found = facts_on(db, on)
            assert found.keys() == accounts
            for account in sorted(accounts):
                defined = plain_reading.facts(history, account, on, history)
                defined |= plain_reading_more.facts(
                    history, account, on, history, ADVANCED, LAUNCHED
                )
                defined |= dict.fromkeys(HEALTH_FACTS)  # there are no settings for it here
                assert found[account].keys() == defined.keys()
                wrong = {
                    name: (value, defined[name])
                    for name, value in found[account].items()
                    if value != pytest.approx(defined[name], abs=1e-6)
                }
                assert not wrong, (account, on)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), dates=dates_to_check)
def test_ties_have_the_score_and_tier_that_the_formula_gives_on_any_date(
    engine: Engine, history: list[Raw], dates: list[date]
) -> None:
    with engine.connect() as db:
        ingest(db, history)
        for on in dates:
            found, defined = ties_on(db, on), plain_reading.ties(history, on)
            assert [tie.score for tie in found] == pytest.approx(
                [tie.score for tie in defined], abs=1e-9
            )
            assert [t._replace(score=0) for t in found] == [t._replace(score=0) for t in defined]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    choice=st.data(),
    history=st.one_of(histories(), histories(further=True)),
    on=st.sampled_from([TODAY, *OTHER_DATES]),
    looked_at=st.sampled_from([frozenset(FACTS), frozenset(FACTS) - {"days_since_usage"}]),
)
def test_facts_change_of_no_other_accounts_than_those_that_folding_names(
    engine: Engine, choice: st.DataObject, history: list[Raw], on: date, looked_at: frozenset[str]
) -> None:
    # The same things happen again, on days that have stats already. Reps are left out: who of them
    # has left is the workspace's, and may change any account.
    again = [one | {"source": "mail"} for one in history if one["type"] != "rep"]
    again = choice.draw(st.permutations(again))[:20]
    half = len(history) // 2
    with engine.connect() as db:
        ingest(db, history[:half])
        workspace, before = read_workspace(db, SETTINGS), facts_on(db, on)
        for raw in again:
            fresh, _ = event_log.append(db, parsed([raw]))()
            folded = fold(db, additions(fresh), SETTINGS.half_life, on, looked_at)
            evaluated = facts_on(db, on)
            folded.rest()()
            began, after = read_workspace(db, SETTINGS), facts_on(db, on)
            for name in folded.accounts:  # what is evaluated is what will have been
                assert all(evaluated[name][each] == after[name][each] for each in looked_at), raw
            if began == workspace:  # the first interaction of all may change any account, too
                changed = {
                    name
                    for name, facts in after.items()
                    if any(facts[each] != before.get(name, facts)[each] for each in looked_at)
                }
                assert changed <= set(folded.accounts), raw
            workspace, before = began, after


@pytest.mark.parametrize("days_ago", [1, 60])
def test_more_usage_on_a_day_that_had_some_names_the_account(engine: Engine, days_ago: int) -> None:
    with engine.connect() as db:
        ingest(db, [event(1, days_ago, "usage", {"count": 1})])
        fresh, _ = event_log.append(db, parsed([event(2, days_ago, "usage", {})]))()
        assert fold(db, additions(fresh), SETTINGS.half_life, TODAY, ()).accounts == ["acme"]


# The windows, by hand: the property above leans on a second reading of the definitions, these on
# nothing but numbers.

ON = date(2026, 3, 10)


RELATIONSHIP_FACTS = [
    name for name, fact in FACTS.items() if fact.part is Part.BASE and "interaction" in fact.events
]


def event(number: int, days_ago: int, kind: str, data: Raw, at: str = "12:00:00Z") -> Raw:
    time = f"{(ON - timedelta(days_ago)).isoformat()}T{at}"
    return {
        "id": f"e{number}",
        "source": "crm",
        "type": kind,
        "time": time,
        "subject": "acme",
        "data": data,
    }


def facts_after(engine: Engine, *happened: tuple[int, str, Raw], on: date = ON) -> dict[str, Any]:
    """The facts of acme after these (days ago, type, content)."""
    with engine.connect() as db:
        ingest(db, [event(n, *one) for n, one in enumerate(happened)])
        return facts_on(db, on)["acme"]


def mail(*contacts: str, **more: Any) -> Raw:
    people = {"reps": ["sam"], "contacts": [*contacts]}
    return {"channel": "email", "direction": "outbound", **people, **more}


def test_usage_windows_are_the_30_complete_days_before_the_date_and_the_30_before_those(
    engine: Engine,
) -> None:
    uses = [(0, 1), (1, 10), (30, 100), (31, 1_000), (60, 10_000), (61, 100_000)]
    facts = facts_after(engine, *((days, "usage", {"count": count}) for days, count in uses))
    assert facts["usage_30d"] == 110
    assert facts["usage_prev_30d"] == 11_000
    assert facts["usage_change"] == pytest.approx(-99.0)
    assert facts["active_days_30d"] == 2
    assert facts["days_since_usage"] == 0


@pytest.mark.parametrize(("days_ago", "used"), [(0, 0), (1, 1), (30, 1), (31, 0)])
def test_a_licence_counts_as_used_for_30_complete_days(
    engine: Engine, days_ago: int, used: int
) -> None:
    facts = facts_after(engine, (days_ago, "usage", {"user": "dana"}), (5, "account", {"seats": 4}))
    assert facts["licences_used"] == used
    assert facts["adoption"] == 25 * used


@pytest.mark.parametrize(("days_ago", "users"), [(0, 0), (1, 1), (90, 1), (91, 0)])
def test_usage_makes_a_user_for_90_complete_days(engine: Engine, days_ago: int, users: int) -> None:
    facts = facts_after(
        engine, (days_ago, "usage", {"user": "dana"}), (3, "interaction", mail("dana", "lee"))
    )
    assert facts["known_users"] == users
    assert facts["days_since_user_contact"] == (3 if users else NEVER)


@pytest.mark.parametrize("later", [[0], [0, -1], [-1]])
@pytest.mark.parametrize(("before", "used"), [(1, 1), (30, 1), (31, 0)])
def test_usage_of_today_and_tomorrow_does_not_hide_the_usage_before(
    engine: Engine, before: int, later: list[int], used: int
) -> None:
    uses = [(days_ago, "usage", {"user": "dana"}) for days_ago in (*later, before)]
    assert facts_after(engine, *uses)["licences_used"] == used


@pytest.mark.parametrize(
    ("at", "lifecycle"), [("23:59:59.999999Z", "churned"), ("00:00:00-00:30", "churned"),
                          ("23:30:00-00:30", "active")]
)  # fmt: skip
def test_a_subscription_has_churned_by_the_end_of_the_utc_date_of_that_event(
    engine: Engine, at: str, lifecycle: str
) -> None:
    churned = {"subscription": "s1", "status": "churned"}
    with engine.connect() as db:
        ingest(db, [event(1, 5, "subscription", churned, at)])
        assert facts_on(db, ON - timedelta(5))["acme"]["lifecycle"] == lifecycle


def test_on_a_past_date_later_events_are_not_there_yet_but_attributes_are_the_current_ones(
    engine: Engine,
) -> None:
    facts = facts_after(
        engine,
        (10, "interaction", mail("dana")),
        (5, "interaction", mail("dana")),
        (5, "usage", {"user": "dana"}),
        (4, "subscription", {"subscription": "s", "status": "churned"}),
        (4, "account", {"segment": "enterprise", "mrr": 90}),
        (4, "contact", {"contact": "dana", "title": "CIO"}),
        on=ON - timedelta(6),
    )
    assert facts["days_since_exec_contact"] == 4
    assert facts["known_execs"] == 1
    assert facts["days_since_usage"] is None
    assert facts["segment"] == "enterprise"
    assert facts["mrr"] == 90
    assert facts["lifecycle"] == "active"
    assert facts["tenure_days"] == 4


def test_relationship_facts_are_unknown_until_the_workspace_has_an_interaction_of_any_kind(
    engine: Engine,
) -> None:
    known = (9, "contact", {"contact": "dana", "level": "vp", "role": "champion"})
    cancelled = (5, "interaction", mail("kim", status="cancelled"))
    before = facts_after(engine, known, cancelled, on=ON - timedelta(6))
    assert [before[name] for name in RELATIONSHIP_FACTS] == [None] * 11
    after = facts_after(engine, known, cancelled, on=ON - timedelta(5))
    ties, people, reps, days_since = [0, 0, 0, 0], [1, 1], [0], [NEVER] * 4
    assert [after[name] for name in RELATIONSHIP_FACTS] == ties + people + reps + days_since


def test_an_interaction_of_another_account_makes_relationship_facts_known(engine: Engine) -> None:
    other = event(1, 3, "interaction", mail("lee")) | {"subject": "Birch"}
    with engine.connect() as db:
        ingest(db, [event(0, 3, "account", {"name": "Acme"}), other])
        assert facts_on(db, ON)["acme"]["days_since_contact"] == NEVER


@pytest.mark.parametrize(
    ("at", "days"),
    [
        ("23:59:59Z", 1),
        ("23:30:00-01:00", 0),
        ("00:30:00+01:00", 2),
        ("23:59:59.9999999Z", 1),  # as .NET writes the end of a day
    ],
)
def test_a_day_is_the_utc_date_of_the_instant(engine: Engine, at: str, days: int) -> None:
    with engine.connect() as db:
        ingest(db, [event(1, 1, "interaction", mail("dana"), at)])
        assert facts_on(db, ON)["acme"]["days_since_contact"] == days
