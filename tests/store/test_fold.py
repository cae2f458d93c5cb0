"""Folding: batches that meet on PostgreSQL take turns, and never wait for each other."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from time import monotonic, sleep

import pytest
from sqlalchemy import Connection, Engine, text

from tests.pipeline import Raw, event, rows
from worker.core.additions import additions
from worker.core.events import Event, parse
from worker.store import tables
from worker.store.database import writing
from worker.store.fold import Folded, fold

D = date(2026, 2, 18)
YESTERDAY = date(2026, 2, 17)


@pytest.fixture
def engine(postgresql_engine: Engine) -> Engine:
    return postgresql_engine


def begun(db: Connection, *events: Raw) -> Folded:
    """The events folded but for what is left for last."""
    parsed = [parse(raw, datetime.combine(D, time(23), UTC)) for raw in events]
    add = additions([one for one in parsed if isinstance(one, Event)])
    return fold(db, add, 60, D, frozenset())


def finish(folded: Folded) -> None:
    folded.rest()()


def use(user: str, day: date = D) -> Raw:
    return event("usage", day, user=user)


def titled(contact: str) -> Raw:
    return event("contact", D, contact=contact, title="CIO")


@contextmanager
def at_the_same_time(engine: Engine, *events: Raw) -> Iterator[None]:
    """A batch that another connection begins before the block, and that has ended after it."""

    def take() -> None:
        with writing(engine) as db:
            finish(begun(db, *events))

    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(take)
        deadline = monotonic() + 10
        while not taken.done() and not waits_for_a_lock(engine) and monotonic() < deadline:
            sleep(0.01)
        yield
        taken.result(10)


def waits_for_a_lock(engine: Engine) -> bool:
    with engine.connect() as db:
        return bool(db.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_a_batch_about_somebody_meets_their_first_usage_of_the_day(engine):
    with writing(engine) as db:
        finish(begun(db, use("ana", YESTERDAY), use("lee", YESTERDAY)))
    with writing(engine) as db:
        about_lee = begun(db, titled("lee"), use("ana"))
        with at_the_same_time(engine, use("ana"), use("lee")):
            finish(about_lee)
            db.commit()
    ana, lee = rows(engine, tables.contacts)
    assert (ana["contact"], ana["last_used"]) == ("ana", D.toordinal())
    assert (lee["contact"], lee["last_used"], lee["title"]) == ("lee", D.toordinal(), "CIO")


def test_more_usage_of_the_day_does_not_wait_for_a_batch_that_has_locked_the_account(engine):
    with writing(engine) as db:
        finish(begun(db, use("ana")))
    with engine.connect() as db:
        begun(db, titled("ana"))
        with writing(engine) as other:
            finish(begun(other, use("ana")))
    assert [row["count"] for row in rows(engine, tables.usage_days)] == [2]
