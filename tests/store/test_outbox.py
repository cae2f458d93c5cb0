from datetime import UTC, datetime

import msgspec
from sqlalchemy import Engine

from tests.alerts import alert
from worker.core.alerts import Alert
from worker.store import outbox
from worker.store.database import writing

NOW = datetime(2026, 2, 18, 6, tzinfo=UTC)


def put(engine: Engine, *alerts: tuple[str, Alert]) -> int:
    with writing(engine) as db:
        return outbox.put(db, alerts, NOW)


def plan(engine: Engine, limit: int = 10_000) -> list[str]:
    """Plan up to `limit` alerts; their keys."""
    with writing(engine) as db:
        found = outbox.unplanned(db, limit)
        outbox.planned(db, (one.id for one in found), NOW)
    return [one.key for one in found]


def test_an_alert_comes_out_as_it_went_in(engine: Engine):
    odd = alert(account_name='שלום "<&>" \\ 😀\x00')
    put(engine, ("k", odd))
    with writing(engine) as db:
        (row,) = outbox.unplanned(db, 10)
    assert (row.key, row.account, row.alert) == ("k", "acme", odd)
    assert msgspec.json.decode(row.body, type=Alert) == odd


def test_a_key_is_written_once_ever(engine: Engine):
    assert put(engine, ("a", alert()), ("b", alert(account="other")), ("a", alert())) == 2
    assert put(engine, ("a", alert(title="changed")), ("c", alert())) == 1
    assert put(engine) == 0
    with writing(engine) as db:
        (row,) = [row for row in outbox.unplanned(db, 10) if row.key == "a"]
    assert row.alert.title == alert().title


def test_many_alerts_are_put_in_one_statement(engine: Engine):
    many = [(f"k{n}", alert(account=f"a{n}")) for n in range(5_000)]
    assert put(engine, *many) == 5_000


def test_alerts_are_planned_once_the_oldest_first(engine: Engine):
    put(engine, ("1", alert()), ("2", alert()))
    put(engine, ("3", alert(account="a")))
    with writing(engine) as db:
        assert outbox.to_plan(db) == 3
    assert plan(engine, limit=2) == ["1", "2"]
    assert plan(engine) == ["3"]
    assert plan(engine) == []
    with writing(engine) as db:
        assert outbox.to_plan(db) == 0
