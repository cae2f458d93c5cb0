"""Where benchmarks run: a durable PostgreSQL and Valkey, and databases in the same state."""

import atexit
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from itertools import islice
from pathlib import Path

import redis
import sqlalchemy as sa

from bench.events import Event
from tests import servers
from worker.evaluating import sweeps
from worker.intake.arrivals import Batch
from worker.intake.ingest import ingest
from worker.rulebooks.rulebook import Rulebook, read_rulebook
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


@cache
def four_rules() -> Path:
    """A rules directory of the four live rules that ship: those that the baseline has too."""
    folder = Path(tempfile.mkdtemp(prefix="tiewatch-rules-"))
    atexit.register(shutil.rmtree, folder)
    shutil.copy(rules_dir() / "relationship.yaml", folder)
    return folder


def rulebook() -> Rulebook:
    """The four rules."""
    return read_rulebook(four_rules())


def load(engine: sa.Engine, events: Iterable[Event], now: datetime) -> None:
    """Take a history in as `tiewatch ingest --backfill` does, sweep, and count alerts as sent."""
    book = rulebook()
    take(engine, "load", batches(events, LOADED_AT_ONCE), book, backfill=True)
    sweep(engine, book, now.date(), now)
    with engine.begin() as db:
        db.execute(sa.text("UPDATE outbox SET planned_at = created_at"))
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
        given = Batch(f"{name}-{number}", batch, backfill=backfill)
        ingest(engine, given, book, now())


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


def now() -> datetime:
    """The time from which a benchmark's events are dated."""
    return datetime.now(UTC)
