"""Brings a database's tables up to date with Alembic, and says when they are not."""

from collections.abc import Callable

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, text

from worker.shipped import alembic_dir


class NotMigrated(Exception):
    """The database's tables are missing or of another version; the message says what to do."""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Create or alter the tables, in one transaction.

    Raises:
        NotMigrated: if the tables are of a version that this one does not know.
    """
    _run(engine, lambda config: command.upgrade(config, revision))


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Undo migrations back to `revision`; to `base`, all tables go, with what is in them."""
    _run(engine, lambda config: command.downgrade(config, revision))


def require_current(db: Connection) -> None:
    """Pass if the tables are those of this version of tiewatch.

    Raises:
        NotMigrated: if there are none, or they are older or newer.
    """
    found = MigrationContext.configure(db).get_current_revision()
    wanted = ScriptDirectory(str(alembic_dir())).get_current_head()
    if found is None:
        raise NotMigrated("The database has no tables yet: run 'tiewatch db upgrade'.")
    if found != wanted:
        raise NotMigrated(_other_version(found))


def _other_version(found: str | None) -> str:
    return (
        f"The database's tables are of version {found}, which is not that of this tiewatch: "
        "run 'tiewatch db upgrade' with the newest tiewatch you use."
    )


def _run(engine: Engine, action: Callable[[Config], None]) -> None:
    config = Config()
    config.set_main_option("script_location", str(alembic_dir()).replace("%", "%%"))
    with engine.begin() as db:
        if db.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
            db.execute(text("SELECT pg_advisory_xact_lock(hashtext('tiewatch migrations'))"))
        config.attributes["connection"] = db
        try:
            action(config)
        except CommandError as error:  # a revision that this version does not know
            found = MigrationContext.configure(db).get_current_revision()
            raise NotMigrated(_other_version(found)) from error
