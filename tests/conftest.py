"""What tests of more than one folder need: servers, and a migrated database of each kind."""

import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
import sqlalchemy as sa
from hypothesis import settings

from tests import servers

if TYPE_CHECKING:
    from tests.deliveries import Clock
    from tests.slack_server import SlackServer

# A slow or busy machine is no failure of the property, and a failure must be repeatable elsewhere.
settings.register_profile("tiewatch", deadline=None, print_blob=True)
settings.load_profile("tiewatch")

MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 2 << 30
"""Bytes free in it, of which a run takes less than half."""


def _use_memory() -> None:
    """Have temporary folders in memory where Linux offers that: tests kill processes, never the
    machine, so waiting for a disk would prove nothing, and takes longer than all they do."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    programs_run = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    if programs_run and shutil.disk_usage(MEMORY).free >= MEMORY_NEEDED:
        tempfile.tempdir = os.environ["TMPDIR"] = str(MEMORY)


_use_memory()


def pytest_collection_finish() -> None:
    """Look through thousands of tests and all that they import for garbage once, not all along."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The SQLAlchemy URL of a PostgreSQL in which tests may create databases."""
    if url := os.environ.get("TIEWATCH_TEST_DATABASE_URL"):
        yield url
    else:
        with servers.postgres() as url:
            yield url


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[str]:
    """The URL of a Redis or Valkey for the tests of this process alone."""
    if url := os.environ.get("TIEWATCH_TEST_BROKER_URL"):
        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
        base, _, number = url.rpartition("/")
        yield f"{base}/{int(number) + int(worker)}"
    else:
        with servers.valkey() as server:
            yield server.url


@pytest.fixture
def broker_url(valkey_server: str) -> str:
    """The URL of `valkey_server`, emptied."""
    with redis.Redis.from_url(valkey_server) as client:
        client.flushdb()
    return valkey_server


@pytest.fixture(params=["postgresql", "sqlite"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty, migrated database, of each kind in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def postgresql_url(postgres_server: str, postgresql_template: str) -> Iterator[str]:
    """The URL of an empty, migrated database in PostgreSQL."""
    with _database(postgres_server, postgresql_template) as url:
        yield url


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of an empty, migrated SQLite file."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'tiewatch.db')}"


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """An empty, migrated database of each kind in turn: for whatever it has a part in."""
    yield from _engine(database_url)


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[sa.Engine]:
    """One of the faster kind only: for words and decisions."""
    yield from _engine(sqlite_url)


@pytest.fixture
def postgresql_engine(postgresql_url: str) -> Iterator[sa.Engine]:
    """One of PostgreSQL only: for what SQLite does not have."""
    yield from _engine(postgresql_url)


def _engine(url: str) -> Iterator[sa.Engine]:
    # Not at the top: the tests of the core run without any database code.
    from worker.store.database import engine_for

    engine = engine_for(url)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> "Clock":
    """The time of delivery, which a test sets."""
    from tests.deliveries import Clock

    return Clock()


@pytest.fixture
def slack(clock: "Clock") -> Iterator["SlackServer"]:
    """A Slack whose time that is."""
    from tests.deliveries import slack_at

    with slack_at(clock) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_template(postgres_server: str) -> Iterator[str]:
    """The name of a migrated database, for `postgresql_url` to copy: faster than to migrate."""
    with _database(postgres_server, "template0") as url:
        _migrate(url)
        yield str(sa.make_url(url).database)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, for `sqlite_url` to copy."""
    file = tmp_path_factory.mktemp("template") / "tiewatch.db"
    _migrate(f"sqlite:///{file}")
    return file


def _migrate(url: str) -> None:
    # Not at the top: the tests of the core run without any database code.
    from worker.store.database import engine_for
    from worker.store.migrations import upgrade

    engine = engine_for(url)
    upgrade(engine)
    engine.dispose()


@contextmanager
def _database(server: str, template: str) -> Iterator[str]:
    """Create a copy of the database `template`, yield its URL and drop it, whoever is connected."""
    name = f"tiewatch_{uuid.uuid4().hex}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as db:
        db.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    try:
        yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as db:
            db.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
