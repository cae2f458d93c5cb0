"""A migrated, empty database to run the pipeline on."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from worker.store.database import engine_for


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Of each kind in turn: for whatever the database has a part in."""
    engine = engine_for(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    """Of the faster kind only: for words and decisions."""
    engine = engine_for(sqlite_url)
    yield engine
    engine.dispose()
