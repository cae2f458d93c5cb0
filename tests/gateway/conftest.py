"""A gateway in this process, on a database and a queue of its own."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import redis
import uvicorn
from fastapi.testclient import TestClient
from kombu import pools
from sqlalchemy import Engine

from tests.pipeline import rulebook
from worker.capture import app as gateway_app
from worker.capture import hosting
from worker.celery_app import INGEST, connect
from worker.celery_app import app as celery
from worker.core.events import Quarantined
from worker.intake.arrivals import Batch
from worker.intake.ingest import ingest
from worker.running import runtime
from worker.running.embedded import free_port
from worker.settings import settings
from worker.store import api_keys
from worker.store.api_keys import Scope
from worker.store.database import engine_for, writing

RULES = """
rules:
  - id: used
    title: "Used {usage_30d} times"
    severity: low
    when: {usage_30d: at least 1}
"""


@dataclass
class Gateway:
    """A gateway, its key, and what it has put on the queue."""

    client: TestClient
    engine: Engine
    key: str
    url: str
    book: Any
    running: bool = True

    def stop(self) -> None:
        """End it, as it ends when it is told to."""
        if self.running:
            self.client.__exit__(None, None, None)
        self.running = False

    def post(self, path: str, body: Any = None, **more: Any) -> httpx2.Response:
        """A request with the key; `body` goes out as JSON."""
        headers = {"Authorization": f"Bearer {self.key}"} | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        return self.client.post(path, headers=headers, **more)

    def key_for(self, name: str, *scopes: Scope) -> str:
        """One more key."""
        with writing(self.engine) as db:
            return api_keys.create(db, name, name, scopes or list(Scope), runtime.clock())

    def queued(self) -> int:
        """How many messages wait for a worker."""
        with redis.Redis.from_url(self.url) as queue:
            return int(queue.llen(INGEST))

    def work(self) -> None:
        """Take in what is queued, as a worker does, in order."""
        with connect(self.url).connection_for_read() as connection:
            queue = connection.SimpleQueue(INGEST)
            while self.queued():
                message = queue.get(timeout=1)
                args, kwargs, _ = message.payload
                events = args[0] if args else kwargs["events"]
                bad = [
                    Quarantined(**one | {"problems": tuple(one["problems"])})
                    for one in kwargs.get("refused", ())
                ]
                batch = message.headers["id"]
                ingest(self.engine, Batch(batch, events, bad), self.book, runtime.clock())
                message.ack()
            queue.close()

    @contextmanager
    def live(self) -> Iterator[str]:
        """The address of a server that answers as this gateway does."""
        config = uvicorn.Config(hosting.FACTORY, port=free_port(), **hosting.OPTIONS)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{config.port}"
        finally:
            server.should_exit = True
            thread.join(20)


Make = Callable[..., Gateway]


def forget() -> None:
    """Have the next gateway read its settings anew."""
    settings.cache_clear()
    runtime._engine.cache_clear()
    pools.reset()
    celery._after_fork()


@pytest.fixture
def make(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    """Starts gateways; variables are given by name, without their prefix."""
    running: list[Gateway] = []

    def start(database_url: str, broker_url: str, **variables: object) -> Gateway:
        monkeypatch.setenv("TIEWATCH_DATABASE_URL", database_url)
        monkeypatch.setenv("TIEWATCH_BROKER_URL", broker_url)
        for name, value in variables.items():
            monkeypatch.setenv(f"TIEWATCH_{name}", str(value))
        forget()
        engine = engine_for(database_url)
        with writing(engine) as db:
            key = api_keys.create(db, "app", "app", list(Scope), runtime.clock())
        client = TestClient(gateway_app.create(), raise_server_exceptions=True)
        client.__enter__()
        book = rulebook(tmp_path_factory.mktemp("rules"), RULES)
        running.append(Gateway(client, engine, key, broker_url, book))
        return running[-1]

    yield start
    for gateway in running:
        gateway.stop()
    forget()


@pytest.fixture
def gateway(make: Make, sqlite_url: str, broker_url: str) -> Gateway:
    """On SQLite: for whatever has little to do with the database."""
    return make(sqlite_url, broker_url)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs Node.js, unless it is asked for: other marks may be given with -m."""
    if "node" in config.getoption("-m"):
        return
    left = [item for item in items if item.get_closest_marker("node")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
