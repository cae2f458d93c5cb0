"""Engines and transactions: one way to open either database, safely for many processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

SQLITE_WAIT_SECONDS = 60
"""How long a SQLite writer waits for the one before it."""


def engine_for(url: str | URL) -> Engine:
    """An engine for a PostgreSQL or SQLite URL. Each process, forked ones too, makes its own.

    Raises:
        ValueError: for another database, or a URL that is none; the message names no password.
    """
    try:
        parsed = make_url(url)
    except Exception as error:
        raise ValueError("TIEWATCH_DATABASE_URL is not a database URL") from error
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(
            parsed,
            pool_size=5,
            pool_use_lifo=True,
            connect_args={
                # A batch's rows are looked up in indexes that are in memory; the planner, which
                # knows neither their number nor that, would else read whole tables.
                "options": "-c timezone=UTC -c random_page_cost=1.1",
                "connect_timeout": 10,
            },
        )
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": SQLITE_WAIT_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    raise ValueError(
        f"TIEWATCH_DATABASE_URL names {parsed.get_backend_name()}: "
        "tiewatch uses postgresql or sqlite"
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions late, and as readers that cannot become writers.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that commits when the block ends, and rolls back when it raises."""
    with engine.begin() as db:
        yield db


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One unchanging view of the database over several queries."""
    options: dict[str, Any] = {"reading": True}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    with engine.connect().execution_options(**options) as db:
        yield db
