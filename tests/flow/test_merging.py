"""Merged accounts and contacts are what the same events sent under one id would be; undone, what
they would be had they never been merged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.flow.test_any_order import outcome
from tests.histories import CONTACTS, RECEIVED, Raw, any_history, arrivals
from tests.pipeline import rulebook
from worker.evaluation import Rulebook
from worker.ingest import ingest
from worker.merging import Order, merge_accounts, merge_contacts, unmerge_account, unmerge_contact
from worker.store import tables
from worker.store.database import writing

RULES = "rules: [{id: used, title: Used, severity: low, when: {usage_30d: at least 1}}]\n"
PROPERTY = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])

Names = Callable[[str | None, str], str]
"""What a contact of an account is called instead."""


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    return rulebook(tmp_path, RULES)


@pytest.fixture
def order(book: Rulebook) -> Order:
    return Order("ana", RECEIVED, book)


def emptied(engine: Engine) -> None:
    with writing(engine) as db:
        for table in reversed(tables.metadata.sorted_tables):
            if table is not tables.workspace:
                db.execute(table.delete())
        db.execute(tables.workspace.update().values(first_interaction_day=None))


def take_in(engine: Engine, book: Rulebook, batches: list[list[Raw]]) -> None:
    for number, batch in enumerate(batches):
        done = ingest(engine, f"{id(batches)}-{number}", batch, book, RECEIVED, backfill=True)
        assert not done.rejected


def known(engine: Engine) -> dict[str, Any]:
    with engine.connect() as db:
        return outcome(db)


def told_otherwise(history: list[Raw], accounts: dict[str, str], names: Names) -> list[Raw]:
    """The same events, sent under other ids."""

    def of(raw: Raw) -> Raw:
        account, data = raw.get("subject"), dict(raw["data"])
        for field in ("contacts", "cc"):
            if data.get(field):
                data[field] = [names(account, one) for one in data[field]]
        for field in ("user", "contact"):
            if data.get(field):
                data[field] = names(account, data[field])
        subject = {} if account is None else {"subject": accounts.get(account, account)}
        return raw | subject | {"data": data}

    return [of(raw) for raw in history]


def same_name(account: str | None, contact: str) -> str:
    return contact


def cut(choice: st.DataObject) -> tuple[list[Raw], list[Raw], list[Raw]]:
    """A history, and its events as they arrive before and after a merge."""
    history = choice.draw(any_history)
    place = choice.draw(st.integers(0, len(history)))
    return history, history[:place], history[place:]


NAMED = [
    {"id": "n1", "source": "names", "type": "account", "time": "2020-01-01T00:00:00Z"}
    | {"subject": account, "data": {}}
    for account in ("acme", "Birch")
]
NAMED = [raw | {"id": f"n{number}"} for number, raw in enumerate(NAMED)] + [
    {"id": f"c{number}", "source": "names", "type": "contact", "time": "2020-01-01T00:00:00Z"}
    | {"subject": "acme", "data": {"contact": contact}}
    for number, contact in enumerate(CONTACTS)
]
"""All whom the tests merge exist from the beginning."""


@PROPERTY
@given(choice=st.data())
def test_merged_accounts_are_what_the_same_events_of_one_account_are(
    engine: Engine, book: Rulebook, order: Order, choice: st.DataObject
) -> None:
    history, before, after = cut(choice)
    emptied(engine)
    take_in(engine, book, [NAMED, *choice.draw(arrivals(before))])
    merge_accounts(engine, order, "Birch", "acme")
    take_in(engine, book, choice.draw(arrivals(after)))
    merged = known(engine)

    unmerge_account(engine, order, "Birch")
    undone = known(engine)

    emptied(engine)
    take_in(engine, book, [NAMED, history])
    assert undone == known(engine)
    emptied(engine)
    take_in(engine, book, [told_otherwise(NAMED + history, {"Birch": "acme"}, same_name)])
    assert merged == known(engine)


@PROPERTY
@given(choice=st.data())
def test_merged_contacts_are_what_the_same_events_of_one_contact_are(
    engine: Engine, book: Rulebook, order: Order, choice: st.DataObject
) -> None:
    history, before, after = cut(choice)
    emptied(engine)
    take_in(engine, book, [NAMED, *choice.draw(arrivals(before))])
    merge_contacts(engine, order, "acme", "Kim", "dana")
    merge_contacts(engine, order, "acme", "dana", "lee")
    take_in(engine, book, choice.draw(arrivals(after)))
    merged = known(engine)

    unmerge_contact(engine, order, "acme", "dana")
    half = known(engine)
    unmerge_contact(engine, order, "acme", "Kim")
    undone = known(engine)

    def one(*many: str, into: str) -> Names:
        return lambda account, contact: into if account == "acme" and contact in many else contact

    for found, names in (
        (merged, one("Kim", "dana", into="lee")),
        (half, one("Kim", into="dana")),
        (undone, same_name),
    ):
        emptied(engine)
        take_in(engine, book, [told_otherwise(NAMED + history, {}, names)])
        assert found == known(engine)
