"""Runs the migrations: on the connection handed over, or for a developer's own `alembic`."""

from alembic import context
from sqlalchemy import Connection

from worker.store.database import engine_for
from worker.store.tables import metadata


def run(connection: Connection) -> None:
    """Run what was asked for on this connection."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    from worker.settings import settings

    with engine_for(settings().database).begin() as own:
        run(own)
