"""The servers that tests rely on are real ones, and end with the block that asked for them."""

from pathlib import Path

import pytest
import redis
import sqlalchemy as sa

from tests import servers


def test_postgres_answers_queries(postgres_server: str) -> None:
    with sa.create_engine(postgres_server).connect() as db:
        assert db.scalar(sa.text("SELECT 1")) == 1


def test_postgres_takes_other_settings_and_is_gone_afterwards() -> None:
    with servers.postgres(work_mem="7MB") as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.connect() as db:
            assert db.scalar(sa.text("SHOW work_mem")) == "7MB"
    with pytest.raises(sa.exc.OperationalError):
        engine.connect()
    assert not Path(str(engine.url.query["host"])).exists()


def test_valkey_answers(broker_url: str) -> None:
    with redis.Redis.from_url(broker_url) as client:
        assert client.ping()
        assert client.dbsize() == 0


def test_a_killed_valkey_comes_back_on_its_port_with_what_it_had() -> None:
    with servers.valkey() as server, redis.Redis.from_url(server.url, retry=None) as client:
        client.set("account", "acme")
        server.kill()
        with pytest.raises(redis.ConnectionError):
            client.get("account")
        server.start()
        assert client.get("account") == b"acme"


def test_every_kind_of_database_comes_migrated(database_url: str) -> None:
    with sa.create_engine(database_url, poolclass=sa.NullPool).connect() as db:
        assert {"events", "alembic_version"} <= set(sa.inspect(db).get_table_names())
