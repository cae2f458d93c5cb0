"""Whatever is killed while clients send: each event that was answered with 2xx is applied once."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import psutil
import pytest
import redis
from sqlalchemy import Engine, func, select

from tests.crash.processes import Workers, environment, until, workers
from tests.servers import Valkey, valkey
from worker.celery_app import INGEST
from worker.running.embedded import free_port
from worker.store import api_keys, tables
from worker.store.api_keys import Scope
from worker.store.database import engine_for, writing

pytestmark = [pytest.mark.crash, pytest.mark.timeout(600)]

SEED = 7
KILLS = ["gateway"] * 5 + ["valkey"] * 6 + ["child"] * 5 + ["worker"] * 4
CLIENTS = 4
PAUSE_SECONDS = 0.4
ACCOUNTS = 20


class Client(threading.Thread):
    """Sends events until told to stop, each request again until it is answered with 2xx."""

    def __init__(self, number: int, url: str, key: str) -> None:
        super().__init__(daemon=True)
        self._number, self._url = number, f"{url}/v1/events"
        self._headers = {"Authorization": f"Bearer {key}"}
        self._chance = Random(number)
        self.stop = threading.Event()
        self.kept: set[str] = set()
        self.repeated = 0

    def run(self) -> None:
        sent = 0
        with httpx2.Client(timeout=20) as http:
            while not self.stop.is_set():
                size = self._chance.choice((1, 1, 5, 40))
                some = [self._event(sent + place) for place in range(size)]
                sent += size
                while not self._send(http, some):
                    self.repeated += 1
                    time.sleep(0.1)
                self.kept.update(event["id"] for event in some)

    def _send(self, http: httpx2.Client, events: list[dict[str, Any]]) -> bool:
        with suppress(httpx2.HTTPError):
            return http.post(self._url, json=events, headers=self._headers).is_success
        return False

    def _event(self, place: int) -> dict[str, Any]:
        return {
            "id": f"{self._number}-{place}",
            "type": "usage",
            "time": f"{datetime.now(UTC).date()}T00:00:00Z",
            "subject": f"account-{place % ACCOUNTS}",
            "data": {"user": "lee"},
        }


class Gateway:
    """A `tiewatch gateway` of two processes."""

    def __init__(self, folder: Path, database_url: str, broker_url: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "gateway.log"
        self._killed = 0
        urls = {"TIEWATCH_DATABASE_URL": database_url, "TIEWATCH_BROKER_URL": broker_url}
        command = ["gateway", "--port", str(self.port), "--processes", "2"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.crash.hurried", *command],
                cwd=folder,
                env=environment(urls),
                stdout=log,
                stderr=log,
            )

    def answers(self) -> bool:
        with suppress(httpx2.HTTPError):
            return httpx2.get(f"{self.url}/healthz").is_success
        return False

    def kill_one(self, chance: Random) -> None:
        """`kill -9` one of the processes that answer; the one above them starts another."""
        until(self._all_serve, self.log.read_text, 120)
        chance.choice(self._serving()).kill()
        self._killed += 1

    def _all_serve(self) -> bool:
        """Whether all that were started have begun to answer."""
        begun = self.log.read_text().count("Application startup complete")
        return begun >= 2 + self._killed and len(self._serving()) == 2

    def _serving(self) -> list[psutil.Process]:
        """The processes that live; one that was killed waits for a moment to be missed."""
        return [
            child
            for child in psutil.Process(self._process.pid).children()
            if child.status() != psutil.STATUS_ZOMBIE
            and any("spawn_main" in part for part in child.cmdline())
        ]

    def end(self) -> int:
        self._process.terminate()
        return self._process.wait(60)


@contextmanager
def gateway(folder: Path, database_url: str, broker_url: str) -> Iterator[Gateway]:
    one = Gateway(folder, database_url, broker_url)
    try:
        until(one.answers, one.log.read_text, 120)
        yield one
    finally:
        one.end()


def test_every_event_that_was_accepted_is_applied_once(postgresql_url: str, tmp_path: Path) -> None:
    engine = engine_for(postgresql_url)
    with writing(engine) as db:
        key = api_keys.create(db, "app", "app", list(Scope), datetime.now(UTC))
    with (
        valkey() as queue,
        workers(tmp_path, postgresql_url, queue.url) as running,
        gateway(tmp_path, postgresql_url, queue.url) as front,
    ):
        clients = [Client(number, front.url, key) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        kill_at_random(Random(SEED), clients, front, queue, running)
        for client in clients:
            client.stop.set()
        for client in clients:
            client.join(60)
            assert not client.is_alive()
        figures = httpx2.get(f"{front.url}/metrics").text
        assert 'route="/v1/events",status="202"' in figures
        kept = set().union(*(client.kept for client in clients))
        repeated = sum(client.repeated for client in clients)
        print(f"{len(kept):,} events kept, {repeated} requests repeated")
        until(lambda: drained(engine, queue), running.logs, 120)

    assert kept == ids(engine)
    with engine.connect() as db:
        assert db.scalar(select(func.sum(tables.usage_days.c.count))) == len(kept)
        assert db.scalar(select(func.count()).select_from(tables.quarantine)) == 0
        assert db.scalar(select(func.count()).select_from(tables.spool)) == 0


def kill_at_random(
    chance: Random, clients: list[Client], front: Gateway, queue: Valkey, running: Workers
) -> None:
    """Kill one thing after another, each some time after the last."""
    worker = running.start(module="tests.crash.hurried")
    for kill in chance.sample(KILLS, len(KILLS)):
        time.sleep(PAUSE_SECONDS + chance.random())
        print(f"{sum(len(client.kept) for client in clients):,} events kept: kill -9 {kill}")
        match kill:
            case "gateway":
                front.kill_one(chance)
            case "valkey":
                queue.kill()
                time.sleep(chance.random())
                queue.start()
            case "child":
                worker.kill_child(chance.randrange(2))
            case "worker":
                worker.kill()
                worker = running.start(module="tests.crash.hurried")


def drained(engine: Engine, queue: Valkey) -> bool:
    with engine.connect() as db:
        spooled = db.scalar(select(func.count()).select_from(tables.spool))
    with redis.Redis.from_url(queue.url) as client:
        return not spooled and not client.llen(INGEST) and not client.hlen("unacked")


def ids(engine: Engine) -> set[str]:
    with engine.connect() as db:
        return set(db.scalars(select(tables.events.c.id)))
