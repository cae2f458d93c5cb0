"""Batches that are taken in as one come to what they come to one by one."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from tests.flow.test_any_order import outcome
from tests.histories import RECEIVED, Raw, any_history, arrivals
from tests.pipeline import rulebook
from worker.core.events import Quarantined
from worker.intake.applying import IsDone, WasHeard, apply
from worker.intake.arrivals import Batch, BatchResult
from worker.intake.ingest import ingest, ingest_as_one
from worker.rulebooks.rulebook import Rulebook
from worker.store.batches import Counts

RULES = "rules: [{id: used, title: Used, severity: low, when: {usage_30d: at least 1}}]\n"


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    return rulebook(tmp_path, RULES)


def applied(db: Connection, book: Rulebook, groups: list[list[Batch]]) -> list[BatchResult]:
    results = [one for group in groups for one in _applied(db, book, group)]
    return [BatchResult(one.counts, one.rejected) for one in results]


def _applied(db: Connection, book: Rulebook, group: list[Batch]) -> list[BatchResult]:
    conflicts = dict[int, Quarantined]()
    while True:  # as `ingest_as_one` does, within one transaction
        try:
            with db.begin_nested():
                return apply(db, group, book, RECEIVED, conflicts, alone=True)
        except WasHeard as found:
            conflicts |= found.conflicts


@st.composite
def arriving(draw: st.DrawFn) -> list[Batch]:
    """Batches of a history, with repeats, bad events and conflicting duplicates among them."""
    sent: list[list[Any]] = draw(arrivals(draw(any_history)))
    chance = Random(draw(st.integers(0, 2**32)))
    known = [event for batch in sent for event in batch]
    for batch in sent:
        for _ in range(chance.randint(0, 2)):
            odd = chance.choice(known) | {"data": {"count": "many"}}
            batch.insert(chance.randint(0, len(batch)), chance.choice([odd, None, "no event"]))
    return [Batch(f"batch-{number}", batch, backfill=True) for number, batch in enumerate(sent)]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=arriving(), choice=st.data())
def test_batches_taken_in_as_one_come_to_the_same_as_one_by_one(
    engine: Engine, book: Rulebook, batches: list[Batch], choice: st.DataObject
) -> None:
    cut = choice.draw(st.integers(0, len(batches)))
    with engine.connect() as db:  # and roll back
        results = applied(db, book, [[one] for one in batches])
        one_by_one = outcome(db)
    with engine.connect() as db:
        groups = [group for group in (batches[:cut], batches[cut:]) if group]
        assert applied(db, book, groups) == results
        assert outcome(db) == one_by_one


def use(id_: str) -> Raw:
    return {
        "id": id_,
        "source": "app",
        "type": "usage",
        "subject": "acme",
        "time": "2026-03-09T12:00:00Z",
        "data": {},
    }


def test_a_batch_that_has_been_applied_before_undoes_those_with_it(
    engine: Engine, book: Rulebook
) -> None:
    first, second = Batch("1", [use("1")]), Batch("2", [use("2")])
    ingest(engine, first, book, RECEIVED)
    with pytest.raises(IsDone):
        ingest_as_one(engine, [second, first], book, RECEIVED)
    assert ingest(engine, second, book, RECEIVED).counts == Counts(1, 1)
