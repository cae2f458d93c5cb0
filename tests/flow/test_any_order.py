"""The same events come to the same stats, whatever their order, their batches and their repeats."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from tests.histories import ACCOUNTS, TODAY, Raw, any_history, arrivals, histories, parsed
from worker.core.additions import additions
from worker.core.facts import FACTS, facts_of
from worker.core.ties import TieSettings
from worker.store import event_log, stats
from worker.store.fold import fold
from worker.store.stats import read_workspace
from worker.store.ties import rebuild_ties

SETTINGS = TieSettings()
DATES = [TODAY + timedelta(days) for days in (-60, -1, 0, 2)]

Batch = list[Raw]


def ingest(db: Connection, batches: list[Batch], facts: Collection[str] = FACTS) -> int:
    """How many events were new. The facts that rules look at decide on what is folded first."""
    new = 0
    for batch in batches:
        fresh, conflicts = event_log.append(db, parsed(batch))()
        assert not conflicts
        fold(db, additions(fresh), SETTINGS.half_life, TODAY, facts).rest()()
        new += len(fresh)
    return new


def outcome(db: Connection) -> dict[str, Any]:
    """All stats and facts on several dates. Floats are compared as they are: to the last bit."""
    workspace = read_workspace(db, SETTINGS)
    found: dict[str, Any] = {"workspace": workspace}
    for on in DATES:
        for account, of_account in stats.read(db, ACCOUNTS, on, SETTINGS.half_life).items():
            of_account.contacts.sort()
            of_account.ties.sort()
            of_account.mails.sort()
            of_account.goals.sort(key=str)
            of_account.tickets.courses.sort(key=str)
            facts = facts_of(of_account, on.toordinal(), workspace)
            found[f"{account} on {on}"] = of_account, facts
    return found


def outcome_of(
    engine: Engine, batches: list[Batch], facts: Collection[str] = FACTS
) -> dict[str, Any]:
    with engine.connect() as db:  # and roll back
        ingest(db, batches, facts)
        return outcome(db)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.data())
def test_any_order_any_batches_and_any_repeats_give_the_same_facts_and_ties(
    engine: Engine, choice: st.DataObject
) -> None:
    history = choice.draw(any_history)
    arriving = choice.draw(arrivals(history))
    looked_at = choice.draw(st.sampled_from([frozenset(FACTS), frozenset()]))
    assert outcome_of(engine, arriving, looked_at) == outcome_of(engine, [history])


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=histories("crm"), other=histories("mail"), shared=histories("calendar"))
def test_merging_two_histories_equals_taking_in_their_union(
    engine: Engine, one: list[Raw], other: list[Raw], shared: list[Raw]
) -> None:
    # Ids and times meet across the three sources, so the union has ties of every kind.
    union = outcome_of(engine, [one + shared + other])
    assert outcome_of(engine, [one + shared, shared + other]) == union
    assert outcome_of(engine, [other, shared, one]) == union


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.data())
def test_ties_brought_up_to_date_event_by_event_are_those_made_anew_from_their_day_buckets(
    engine: Engine, choice: st.DataObject
) -> None:
    with engine.connect() as db:
        ingest(db, choice.draw(arrivals(choice.draw(any_history))))
        kept = outcome(db)
        rebuild_ties(db, SETTINGS.half_life)
        assert outcome(db) == kept


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.data())
def test_every_event_is_new_once_however_often_it_comes(
    engine: Engine, choice: st.DataObject
) -> None:
    history = choice.draw(any_history)
    with engine.connect() as db:
        assert ingest(db, choice.draw(arrivals(history))) == len(history)
        assert ingest(db, [history]) == 0


def test_one_id_from_two_sources_is_two_events(engine: Engine) -> None:
    raw = {
        "id": "1",
        "source": "crm",
        "type": "usage",
        "time": "2026-03-09T12:00:00Z",
        "subject": "acme",
        "data": {"count": 2},
    }
    with engine.connect() as db:
        assert ingest(db, [[raw, raw | {"source": "mail"}]]) == 2
        _, facts = outcome(db)[f"acme on {TODAY}"]
        assert facts["usage_30d"] == 4
