"""The migrations come to the tables that the code uses, and back, on both databases."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine

from worker.store import migrations
from worker.store.database import engine_for
from worker.store.migrations import NotMigrated, downgrade, require_current, upgrade
from worker.store.tables import metadata


@pytest.fixture
def migrated(database_url: str) -> Iterator[Engine]:
    engine = engine_for(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def empty(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Engine]:
    """A database without any table."""
    if database_url.startswith("sqlite"):
        engine = engine_for(f"sqlite:///{tmp_path}/empty/{uuid.uuid4()}.db")
    else:
        engine = engine_for(database_url)
        downgrade(engine)
        with engine.begin() as db:
            db.execute(sa.text("DROP TABLE alembic_version"))
    yield engine
    engine.dispose()


def tables(engine: Engine) -> set[str]:
    return set(sa.inspect(engine).get_table_names()) - {"alembic_version", "sqlite_sequence"}


def shape(engine: Engine) -> object:
    """Columns, keys, indexes and constraints of every table, as the database has them."""
    found = sa.inspect(engine)
    return {
        name: [
            [{**column, "type": str(column["type"])} for column in found.get_columns(name)],
            found.get_pk_constraint(name),
            found.get_foreign_keys(name),
            sorted(map(_index, found.get_indexes(name))),
            sorted(map(repr, found.get_unique_constraints(name))),
            sorted(map(repr, found.get_check_constraints(name))),
        ]
        for name in sorted(tables(engine))
    }


def _index(index: Any) -> str:
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return f"{index['name']} {index['column_names']} {index['unique']} {options}"


def test_no_table_has_drifted_from_what_the_migrations_make(migrated):
    with migrated.connect() as db:
        context = MigrationContext.configure(db, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_migrations_make_what_the_tables_say_to_the_last_constraint(migrated, empty):
    metadata.create_all(empty)
    if migrated.url == empty.url:
        made = shape(empty)
        metadata.drop_all(empty)
        upgrade(empty)
        assert shape(empty) == made
    else:
        assert shape(migrated) == shape(empty)


def test_the_one_row_of_the_workspace_is_there_from_the_start(migrated):
    with migrated.begin() as db:
        assert db.execute(sa.text("SELECT id, demo, half_life FROM workspace")).all() == [
            (1, False, 60)
        ]
    with pytest.raises(sa.exc.IntegrityError), migrated.begin() as db:
        db.execute(sa.text("INSERT INTO workspace (id) VALUES (2)"))


def test_up_down_and_up_again_comes_to_the_same(migrated):
    before = shape(migrated)
    downgrade(migrated)
    assert tables(migrated) == set()
    upgrade(migrated)
    assert shape(migrated) == before


def test_an_upgrade_of_what_is_up_to_date_does_nothing(migrated):
    before = shape(migrated)
    upgrade(migrated)
    assert shape(migrated) == before


def test_a_database_without_tables_says_what_to_run(empty):
    with empty.connect() as db, pytest.raises(NotMigrated, match="tiewatch db upgrade"):
        require_current(db)
    upgrade(empty)
    with empty.connect() as db:
        require_current(db)


def test_tables_of_another_version_are_refused_with_both_versions(migrated):
    with migrated.begin() as db:
        db.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with migrated.connect() as db, pytest.raises(NotMigrated, match="9999"):
        require_current(db)


def test_tables_newer_than_this_tiewatch_are_left_alone_and_said_so(migrated):
    with migrated.begin() as db:
        db.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NotMigrated, match="9999"):
        upgrade(migrated)


def test_an_upgrade_that_breaks_off_leaves_the_database_as_it_was(empty, monkeypatch):
    run = migrations.command.upgrade

    def breaks_off(*args: object) -> None:
        run(*args)
        raise RuntimeError("power cut")

    monkeypatch.setattr(migrations.command, "upgrade", breaks_off)
    with pytest.raises(RuntimeError):
        upgrade(empty)
    assert tables(empty) == set()
    monkeypatch.undo()
    upgrade(empty)
    assert "events" in tables(empty)
