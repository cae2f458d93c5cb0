"""What the commands work on: the database, the queue and the rules that the settings name."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date

from celery import Celery
from kombu.exceptions import OperationalError as BrokerDown
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from worker.celery_app import connect
from worker.cli.terminal import Refused
from worker.core.units import YEARS
from worker.running import embedded, runtime
from worker.settings import settings
from worker.store import migrations
from worker.store.database import engine_for, reading


def database() -> Engine:
    """The database, ready for use. The embedded one is created and brought up to date by itself.

    Raises:
        Refused: if it cannot be reached, or has not been migrated.
    """
    with _said_plainly():
        engine = engine_for(settings().database)
        if settings().database_url is None:
            migrations.upgrade(engine)
        with reading(engine) as db:
            migrations.require_current(db)
    return engine


def upgrade_database() -> None:
    """Create the tables, or bring them up to date.

    Raises:
        Refused: if the database cannot be reached, or is of a newer tiewatch.
    """
    with _said_plainly():
        migrations.upgrade(engine_for(settings().database))


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Turn what can be wrong with a database into a line for whoever can put it right."""
    try:
        yield
    except migrations.NotMigrated as error:
        raise Refused(str(error)) from error
    except DBAPIError as error:
        raise Refused(database_trouble(error)) from error
    except OSError as error:
        raise Refused(
            f"The database's folder cannot be made: {error}. "
            "Check TIEWATCH_DATABASE_URL and TIEWATCH_HOME."
        ) from error
    except (ValueError, TypeError) as error:  # whose text may repeat a password
        raise Refused(
            "TIEWATCH_DATABASE_URL is not the URL of a database that tiewatch can use: "
            "write it like postgresql://user:password@host/name."
        ) from error


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
    with ExitStack() as held:
        try:
            url = held.enter_context(embedded.broker(settings().home))
        except (embedded.EmbeddedUnavailable, OSError) as error:
            raise Refused(f"The embedded queue cannot run: {error}") from error
        yield connect(url)


def _reached(app: Celery) -> Celery:
    try:
        where = app.connection_for_write().as_uri()  # hides the password
        if "://" not in str(app.conf.broker_url):
            raise ValueError("no scheme")
    except (ValueError, KeyError) as error:  # whose text may repeat the password
        raise Refused(
            "TIEWATCH_BROKER_URL is not the URL of a broker that tiewatch can use: "
            "write it like redis://host:6379/0 or amqp://host//."
        ) from error
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0.2, timeout=5)
    except (BrokerDown, OSError) as error:
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
        day = date.fromisoformat(value)
    except ValueError as error:
        raise Refused(f"{value!r} is not a date: write it like 2026-03-31.") from error
    if day.year not in YEARS:
        raise Refused(f"{value} is too far away: tiewatch counts in days near today.")
    return day
