"""What is answered with 2xx is kept: by the broker, in the spool, and never by neither."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from tests.gateway.conftest import Gateway, Make
from tests.pipeline import event, rows
from tests.servers import valkey
from tests.today import TODAY
from worker.capture import gathering, publishing
from worker.capture.gathering import Gatherer, Overloaded
from worker.capture.publishing import Batch, NotKept
from worker.capture.taking import Taken
from worker.store import spool, tables
from worker.store.database import engine_for, reading, writing

NOW = datetime(2026, 3, 5, tzinfo=UTC)
EVENTS = "/v1/events"


def used(id_: str) -> dict[str, Any]:
    return event("usage", TODAY) | {"id": id_}


def spooled(gateway: Gateway) -> list[str]:
    return [row["batch"] for row in rows(gateway.engine, tables.spool)]


@pytest.mark.timeout(60)
def test_while_the_broker_is_away_batches_are_spooled_and_then_handed_on(
    make: Make, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "BROKER_SECONDS", 1)
    with valkey() as queue:
        gateway = make(database_url, queue.url)
        queue.kill()
        for number in range(3):
            assert gateway.post(EVENTS, used(str(number))).status_code == 202
        assert gateway.client.get("/readyz").json()["broker"] == "does not answer"
        order = spooled(gateway)
        assert len(order) == 3
        queue.start()
        wait_until(lambda: not spooled(gateway))
        assert gateway.queued() == 3
        gateway.work()
        assert [row["id"] for row in rows(gateway.engine, tables.events)] == ["0", "1", "2"]
        assert {row["id"] for row in rows(gateway.engine, tables.batches)} == set(order)


@pytest.mark.timeout(60)
def test_with_the_spool_full_senders_are_told_to_come_back(
    make: Make, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with valkey() as queue:
        gateway = make(sqlite_url, queue.url, SPOOL_MEGABYTES=0)
        queue.kill()
        answer = gateway.post(EVENTS, used("a"))
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert spooled(gateway) == []


@pytest.mark.timeout(60)
def test_with_the_database_away_too_nothing_is_said_to_be_kept(
    make: Make, postgresql_url: str
) -> None:
    import sqlalchemy as sa

    with valkey() as queue:
        gateway = make(postgresql_url, queue.url)
        assert gateway.post(EVENTS, used("a")).status_code == 202
        name = sa.make_url(postgresql_url).database
        admin = sa.create_engine(
            sa.make_url(postgresql_url).set(database="postgres"), isolation_level="AUTOCOMMIT"
        )
        with admin.connect() as db:
            db.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
            db.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :n"
                ),
                {"n": name},
            )
        try:
            assert gateway.post(EVENTS, used("b")).status_code == 202, "the broker has it"
            queue.kill()
            answer = gateway.post(EVENTS, used("c"))
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert gateway.client.get("/readyz").status_code == 503
            assert gateway.client.get("/healthz").status_code == 200
        finally:
            with admin.connect() as db:
                db.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
            admin.dispose()
        gateway.engine.dispose()
        queue.start()
        gateway.work()
        assert [row["id"] for row in rows(gateway.engine, tables.events)] == ["a", "b"]


def test_ready_is_whoever_has_a_database_with_tables_and_a_broker(gateway: Gateway) -> None:
    answer = gateway.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "migrations": "ok", "broker": "ok"}


def test_tables_of_another_version_are_not_ready(gateway: Gateway) -> None:
    with gateway.engine.begin() as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    answer = gateway.client.get("/readyz")
    assert answer.status_code == 503
    assert "tiewatch db upgrade" in answer.json()["migrations"]


def test_the_spool_is_bounded_and_leaves_in_order(database_url: str) -> None:
    engine = engine_for(database_url)
    payload = {"events": ["x" * 80]}
    with writing(engine) as db:
        for number in range(3):
            spool.add(db, f"b{number}", payload, 320, NOW)
        spool.add(db, "b0", payload, 1_000, NOW)
    with writing(engine) as db, pytest.raises(spool.SpoolFull):
        spool.add(db, "b3", payload, 320, NOW)
    left = []
    with writing(engine) as db:
        while (one := spool.oldest(db)) is not None:
            left.append(one.batch)
            assert one.payload == payload
            spool.remove(db, one.id)
    assert left == ["b0", "b1", "b2"]
    with reading(engine) as db:
        assert spool.held(db) == spool.Held(0, 0, None)


class Broker:
    """Notes what it is asked to keep, after `seconds`."""

    def __init__(self, seconds: float = 0, fails: bool = False) -> None:
        self.batches: list[Batch] = []
        self._seconds, self._fails = seconds, fails

    async def keep(self, batch: Batch) -> str:
        await asyncio.sleep(self._seconds)
        if self._fails:
            raise NotKept("away")
        self.batches.append(batch)
        return "broker"


def test_small_requests_at_the_same_time_are_one_batch_and_wait_some_milliseconds() -> None:
    async def run() -> tuple[list[int], float]:
        broker = Broker()
        gatherer = Gatherer(broker.keep)
        began = time.perf_counter()
        await asyncio.gather(*(gatherer.bring(Taken([n]), 100) for n in range(50)))
        return [len(one.events) for one in broker.batches], time.perf_counter() - began

    sizes, seconds = asyncio.run(run())
    assert sizes == [50]
    assert gathering.WAIT_SECONDS <= seconds < 0.5


def test_a_full_batch_leaves_and_no_event_is_lost_or_doubled() -> None:
    async def run() -> list[list[Any]]:
        broker = Broker(0.01)
        gatherer = Gatherer(broker.keep)
        await asyncio.gather(*(gatherer.bring(Taken([n] * 90), 9_000) for n in range(40)))
        return [one.events for one in broker.batches]

    batches = asyncio.run(run())
    assert all(len(one) <= gathering.BATCH_EVENTS + 90 for one in batches)
    assert sorted(event for one in batches for event in one) == sorted(list(range(40)) * 90)


def test_whoever_brought_what_could_not_be_kept_hears_so() -> None:
    async def run() -> list[Any]:
        gatherer = Gatherer(Broker(fails=True).keep)
        brought = (gatherer.bring(Taken([n]), 100) for n in range(3))
        heard = await asyncio.gather(*brought, return_exceptions=True)
        assert gatherer.waiting_bytes == 0
        return list(heard)

    assert [str(one) for one in asyncio.run(run())] == ["away"] * 3


def test_no_more_waits_in_memory_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MOST_WAITING_BYTES", 250)

    async def run() -> list[Any]:
        gatherer = Gatherer(Broker(0.01).keep)
        brought = (gatherer.bring(Taken([n]), 100) for n in range(4))
        return list(await asyncio.gather(*brought, return_exceptions=True))

    heard = asyncio.run(run())
    assert [type(one) for one in heard] == [str, str, Overloaded, Overloaded]


def test_what_was_brought_is_kept_before_the_gateway_ends(make: Make, sqlite_url, broker_url):
    gateway = make(sqlite_url, broker_url)
    gateway.post(EVENTS, [used(str(n)) for n in range(10)])
    gateway.stop()
    gateway.work()
    assert len(rows(gateway.engine, tables.events)) == 10


def wait_until(holds: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_queue_that_may_lose_what_it_has_taken_is_told_of() -> None:
    with valkey() as server:
        assert publishing.doubt(server.url) is None
        with redis.Redis.from_url(server.url) as client:
            client.config_set("appendfsync", "everysec")
        told = publishing.doubt(server.url)
        assert told is not None
        assert "appendfsync always" in told
    assert publishing.doubt("amqp://nowhere//") is None
    assert publishing.doubt(server.url) is None, "it is gone, which is told elsewhere"
