"""Facts and ties of the store are those that their definitions give, read straight from events."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from tests import plain_reading
from tests.histories import ACCOUNTS, RECEIVED, TODAY, Raw, histories
from worker.core.events import Event, parse
from worker.core.facts import FACTS, facts_of
from worker.core.stats import AccountStats
from worker.core.ties import TieSettings, strength
from worker.store import event_log, stats
from worker.store.database import engine_for
from worker.store.fold import fold
from worker.store.stats import read_workspace

SETTINGS = TieSettings()

DATES = [
    *(TODAY - timedelta(days) for days in (400, 366, 91, 61, 31, 1, 0)),
    *(TODAY + timedelta(days) for days in (1, 2, 30, 90, 91, 365, 1000)),
]


@pytest.fixture
def engine(database_url: str) -> Iterable[Engine]:
    engine = engine_for(database_url)
    yield engine
    engine.dispose()


def ingest(db: Connection, raw_events: list[Raw]) -> None:
    events = [parse(raw, RECEIVED) for raw in raw_events]
    assert all(isinstance(event, Event) for event in events), events
    fresh, conflicts = event_log.append(db, [e for e in events if isinstance(e, Event)], "batch")
    assert not conflicts
    fold(db, fresh, SETTINGS.half_life)


def facts_on(db: Connection, on: date) -> dict[str, dict[str, Any]]:
    workspace = read_workspace(db, SETTINGS)
    read = stats.read(db, ACCOUNTS, on, SETTINGS.half_life)
    return {
        account: facts_of(of_account, on.toordinal(), workspace)
        for account, of_account in read.items()
    }


def ties_of(of_account: AccountStats, on: date) -> list[plain_reading.Tie]:
    found = []
    for tie in of_account.ties:
        score, tier = strength(tie.state, on.toordinal(), SETTINGS)
        heard = tie.state.two_way_day
        found.append(
            plain_reading.Tie(
                of_account.account,
                tie.rep,
                tie.contact,
                pytest.approx(score, abs=1e-9),
                str(tier),
                date.fromordinal(tie.state.day),
                None if heard is None else date.fromordinal(heard),
            )
        )
    return sorted(found, key=lambda tie: tie[:3])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), dates=st.lists(st.sampled_from(DATES), min_size=3, max_size=3))
def test_facts_and_ties_are_as_defined_on_any_date_past_or_future(
    engine: Engine, history: list[Raw], dates: list[date]
) -> None:
    with engine.connect() as db:
        ingest(db, history)
        for on in dates:
            expected = {
                account: plain_reading.facts(history, account, on, history)
                for account in {event["subject"] for event in history if "subject" in event}
            }
            found = facts_on(db, on)
            assert found.keys() == expected.keys()
            for account, facts in found.items():
                assert facts == pytest.approx(expected[account], abs=1e-9), (account, on)
            of_all = stats.read(db, ACCOUNTS, on, SETTINGS.half_life)
            for account, of_account in of_all.items():
                own = [event for event in history if event.get("subject") == account]
                assert ties_of(of_account, on) == plain_reading.ties(own, on), (account, on)
        db.rollback()
