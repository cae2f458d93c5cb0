"""Where benchmarks run: a durable PostgreSQL and Valkey, databases alike, and real workers."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import redis
import sqlalchemy as sa
from celery import Celery

from bench.events import Event
from tests import servers
from worker import sweeps
from worker.evaluation import Rulebook, read_rulebook
from worker.ingest import ingest
from worker.shipped import rules_dir
from worker.store import migrations
from worker.store.database import engine_for
from worker.tasks import LEASE

POSTGRES = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
}
"""Nothing that could be lost, and memory as anybody gives it to a database."""

LOADED_AT_ONCE = 5_000
PATIENCE_SECONDS = 120
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Stage:
    """A PostgreSQL in which databases may be created, and a broker to use alone."""

    server: str
    broker: str


@contextmanager
def stage() -> Iterator[Stage]:
    """Start both servers, and end them."""
    with servers.postgres(**POSTGRES) as server, servers.valkey() as queue:
        yield Stage(server, queue.url)


def described(on: Stage) -> str:
    """Which servers these are, and how safely they keep what they are given."""
    with connected(on.server) as engine, engine.connect() as db:
        postgres = db.scalar(sa.text("SHOW server_version"))
        kept = {name: db.scalar(sa.text(f"SHOW {name}")) for name in POSTGRES}
    with redis.Redis.from_url(on.broker) as client:
        valkey = client.info("server")["valkey_version"]
        kept |= client.config_get("append*")
    told = ", ".join(f"{name} {kept[name]}" for name in (*POSTGRES, "appendonly", "appendfsync"))
    return f"PostgreSQL {postgres}, Valkey {valkey}: {told}"


@contextmanager
def database(on: Stage, template: str | None = None) -> Iterator[str]:
    """Create a migrated database, or a copy of the one at the URL `template`, and drop it."""
    name = f"bench_{uuid.uuid4().hex}"
    url = sa.make_url(on.server).set(database=name).render_as_string(hide_password=False)
    admin = sa.create_engine(on.server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    copied = sa.make_url(template).database if template else "template0"
    with admin.connect() as db:
        db.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {copied}"))
    try:
        if template is None:
            with connected(url) as engine:
                migrations.upgrade(engine)
        yield url
    finally:
        with admin.connect() as db:
            db.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def connected(url: str) -> Iterator[sa.Engine]:
    """tiewatch's own engine for a database, closed at the end."""
    engine = engine_for(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def polled(url: str) -> Iterator[sa.Connection]:
    """A connection to look at a database while others work on it."""
    with connected(url) as engine, engine.connect() as db:
        yield db.execution_options(isolation_level="AUTOCOMMIT")


def rulebook() -> Rulebook:
    """The rules that ship."""
    return read_rulebook(rules_dir())


def load(engine: sa.Engine, events: Iterable[Event], now: datetime) -> None:
    """Take a history in as `tiewatch ingest --backfill` does, sweep, and count alerts as sent."""
    book = rulebook()
    take(engine, "load", batches(events, LOADED_AT_ONCE), book, backfill=True)
    sweep(engine, book, now.date(), now)
    with engine.begin() as db:
        db.execute(sa.text("UPDATE outbox SET state = 'sent'"))
    vacuum(engine)


def take(
    engine: sa.Engine,
    name: str,
    batches: Iterable[Sequence[Event]],
    book: Rulebook,
    *,
    backfill: bool = False,
) -> None:
    """Take batches in, in this process, as a worker does."""
    for number, batch in enumerate(batches):
        ingest(engine, f"{name}-{number}", batch, book, now(), backfill=backfill)


def vacuum(engine: sa.Engine) -> None:
    """VACUUM ANALYZE, which a database in use gets from its autovacuum."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(sa.text("VACUUM ANALYZE"))


def sweep(engine: sa.Engine, book: Rulebook, on: date, now: datetime) -> None:
    """Sweep all accounts in this process."""
    number = sweeps.open_sweep(engine, "bench", now.isoformat(), on, now)
    shard = 0
    while number is not None and sweeps.sweep_shard(engine, number, shard, book, now, LEASE):
        shard += 1


def batches(events: Iterable[Event], size: int) -> Iterator[list[Event]]:
    """The events in lists of `size`."""
    left = iter(events)
    while batch := list(islice(left, size)):
        yield batch


def publish(on: Stage, task: str, arguments: Iterable[Any]) -> None:
    """Send one message an argument to the queue that has the task's name, as any program can."""
    with Celery(broker=on.broker, set_as_current=False) as producer:
        for argument in arguments:
            producer.send_task(task, [argument], queue=task)


Workers = subprocess.Popen[bytes]
"""The leader of a process group of workers."""


@contextmanager
def tiewatch_workers(
    on: Stage, url: str, processes: int, *queues: str, **settings: str
) -> Iterator[Workers]:
    """`tiewatch worker` on a database, with these settings beside."""
    variables = {
        "TIEWATCH_DATABASE_URL": url,
        "TIEWATCH_BROKER_URL": on.broker,
        "TIEWATCH_RULES_DIR": str(rules_dir()),
        **{f"TIEWATCH_{name.upper()}": value for name, value in settings.items()},
    }
    command = ["-m", "worker", "worker", "--processes", str(processes), "--quiet"]
    command += [part for queue in queues for part in ("--queue", queue)]
    with group(command, variables) as leader:
        yield leader


@contextmanager
def group(arguments: Sequence[str], variables: dict[str, str]) -> Iterator[Workers]:
    """Run Python with these arguments as a process group of its own, and end it.

    What it writes comes out only if the block fails.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("TIEWATCH_")}
    with tempfile.TemporaryFile("w+") as output:
        leader = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=inherited | variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield leader
        except RuntimeError as error:
            output.seek(0)
            raise RuntimeError(f"{error}; the workers wrote:\n{output.read()[-4_000:]}") from error
        finally:
            leader.terminate()
            try:
                leader.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(leader.pid, signal.SIGKILL)
                leader.wait()


@contextmanager
def held(workers: Workers) -> Iterator[None]:
    """Keep all processes of a group from running while the block fills their queue."""
    os.killpg(workers.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(workers.pid, signal.SIGCONT)


def wait_for(
    workers: Workers, db: sa.Connection, counting: str, number: int, **values: Any
) -> None:
    """Return once the query `counting` counts up to `number`; looks fifty times a second.

    Raises:
        RuntimeError: the workers have ended, or it has not within two minutes.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    statement = sa.text(counting)
    while (found := db.scalar(statement, values)) != number:
        if workers.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{found} of {number} arrived")
        time.sleep(0.02)


def empty(on: Stage) -> None:
    """Forget what is queued."""
    with redis.Redis.from_url(on.broker) as client:
        client.flushdb()


def now() -> datetime:
    """The time from which a benchmark's events are dated."""
    return datetime.now(UTC)
