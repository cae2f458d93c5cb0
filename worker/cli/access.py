"""What the commands work on: the database, the queue and the rules that the settings name."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from celery import Celery
from kombu.exceptions import OperationalError as BrokerDown
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from worker import embedded, runtime
from worker.celery_app import connect
from worker.cli.terminal import Refused
from worker.settings import settings
from worker.store import migrations
from worker.store.database import engine_for, reading


def database() -> Engine:
    """The database, ready for use. The embedded one is created and brought up to date by itself.

    Raises:
        Refused: if it cannot be reached, or has not been migrated.
    """
    engine = unchecked_database()
    try:
        if settings().database_url is None:
            migrations.upgrade(engine)
        with reading(engine) as db:
            migrations.require_current(db)
    except migrations.NotMigrated as error:
        raise Refused(str(error)) from error
    except DBAPIError as error:
        raise Refused(database_trouble(error)) from error
    return engine


def unchecked_database() -> Engine:
    """The database, migrated or not."""
    try:
        return engine_for(settings().database)
    except ValueError as error:
        raise Refused(str(error)) from error


def database_trouble(error: DBAPIError) -> str:
    """A database error in a line that prints no password."""
    first_line = str(error.orig).strip().partition("\n")[0]
    return (
        f"The database cannot be used: {first_line}. "
        "Check that it runs and what TIEWATCH_DATABASE_URL says."
    )


@contextmanager
def queue() -> Iterator[Celery]:
    """The queue, checked to answer; the embedded one runs for as long as the block.

    Raises:
        Refused: if the broker cannot be reached, or is not there to be embedded.
    """
    given = settings().broker
    if given is not None:
        yield _reached(connect(given))
        return
    try:
        with embedded.broker(settings().home) as url:
            yield connect(url)
    except embedded.EmbeddedUnavailable as error:
        raise Refused(str(error)) from error


def _reached(app: Celery) -> Celery:
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0.2, timeout=5)
    except (BrokerDown, OSError, ValueError, KeyError) as error:
        with app.connection_for_write() as connection:
            where = connection.as_uri()  # hides the password
        raise Refused(
            f"The broker at {where} does not answer ({error}). "
            "Start it, or check what TIEWATCH_BROKER_URL says. Nothing was sent."
        ) from error
    return app


def today() -> date:
    """The UTC date of the one clock."""
    return runtime.clock().date()


def a_date(value: str | None) -> date:
    """The date of an `--on` option, or today.

    Raises:
        Refused: for anything else than a date like 2026-03-31.
    """
    if value is None:
        return today()
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise Refused(f"{value!r} is not a date: write it like 2026-03-31.") from error
