"""Whose account a user's events are of: the user's latest group's, whatever arrives first."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.flow.test_any_order import outcome
from tests.flow.test_merging import RULES, emptied, take_in
from tests.histories import ACCOUNTS, Raw, arrivals
from tests.pipeline import rows, rulebook
from worker.evaluation import Rulebook
from worker.store import tables


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    return rulebook(tmp_path, RULES)


def said(id_: str, day: int, member: str, type_: str, data: Raw, account: str | None = None) -> Raw:
    head = {"id": id_, "source": "app", "type": type_, "time": f"2026-03-{day:02}T10:00:00Z"}
    subject = {"subject": account} if account else {}
    return head | subject | {"tiewatchmember": member, "data": data}


@st.composite
def calls(draw: st.DrawFn) -> list[Raw]:
    """What a product sends of three users who change groups now and then."""
    chance = Random(draw(st.integers(0, 2**32)))
    found = []
    for number in range(draw(st.integers(1, 25))):
        id_, member = f"{number * 7919 % 1009}", chance.choice(["lee", "Kim", "ana"])
        day, account = chance.randint(1, 9), None
        kind, data = chance.choice(
            [
                ("usage", {"user": member, "feature": chance.choice(["a", "b"]), "count": 2}),
                ("contact", {"contact": member, "title": chance.choice(["CIO", "Analyst"])}),
                ("survey", {"kind": "nps", "score": 9, "contact": member}),
                ("account", {}),
            ]
        )
        if kind == "account" or chance.random() < 0.2:
            account = chance.choice(ACCOUNTS)
        found.append(said(id_, day, member, kind, data, account))
    return found


def latest(events: list[Raw]) -> dict[str, str]:
    """Each member's account, by the latest event that says one."""
    told = sorted((e["time"], e["id"], e["tiewatchmember"], e.get("subject")) for e in events)
    return {member: account for *_, member, account in told if account}


def known(engine: Engine) -> dict[str, Any]:
    with engine.connect() as db:
        return outcome(db)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.data())
def test_in_any_order_a_users_events_are_of_the_users_latest_group(
    engine: Engine, book: Rulebook, choice: st.DataObject
) -> None:
    events = choice.draw(calls())
    arriving = choice.draw(arrivals(events))
    emptied(engine)
    take_in(engine, book, arriving)
    found = known(engine)

    accounts = latest(events)
    plain = [
        {"subject": accounts.get(event["tiewatchmember"])} | event
        for event in events
        if event["tiewatchmember"] in accounts
    ]
    for event in plain:
        event.pop("tiewatchmember")
    logged = {row["id"]: row["account"] for row in rows(engine, tables.events)}
    assert logged == {event["id"]: event["subject"] for event in plain}
    emptied(engine)
    take_in(engine, book, [plain])
    assert found == known(engine)
