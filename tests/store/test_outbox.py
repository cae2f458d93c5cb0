from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, select

from tests.alerts import alert
from worker.core.alerts import Alert
from worker.store import outbox
from worker.store.database import engine_for, writing
from worker.store.outbox import Waiting
from worker.store.tables import outbox as rows
from worker.store.tables import reps

NOW = datetime(2026, 2, 18, 6, tzinfo=UTC)
LEASE = timedelta(minutes=5)
SECOND = timedelta(seconds=1)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = engine_for(database_url)
    yield engine
    engine.dispose()


def put(engine: Engine, *alerts: tuple[str, Alert], now: datetime = NOW) -> int:
    with writing(engine) as db:
        return outbox.put(db, alerts, now)


def take(engine: Engine, now: datetime = NOW, limit: int = 100) -> list[Waiting]:
    with writing(engine) as db:
        return outbox.take(db, now, LEASE, limit)


def keys(taken: list[Waiting]) -> list[str]:
    return [row.key for row in taken]


def state(engine: Engine, key: str) -> tuple:
    with engine.connect() as db:
        found = db.execute(
            select(rows.c.state, rows.c.attempts, rows.c.due_at, rows.c.error).where(
                rows.c.key == key
            )
        ).one()
    return tuple(found)


def test_an_alert_comes_out_as_it_went_in(engine: Engine):
    put(engine, ("k", alert(account_name='שלום "<&>" \\ 😀\x00')))
    (row,) = take(engine)
    assert row.alert == alert(account_name='שלום "<&>" \\ 😀\x00')
    assert row.attempts == 1
    assert row.leased_until == NOW + LEASE


def test_a_key_is_written_once_ever(engine: Engine):
    assert put(engine, ("a", alert()), ("b", alert(account="other")), ("a", alert())) == 2
    assert put(engine, ("a", alert(title="changed")), ("c", alert())) == 1
    assert put(engine) == 0
    (row,) = [row for row in take(engine) if row.key == "a"]
    assert row.alert.title == alert().title


def test_many_alerts_are_put_in_one_statement(engine: Engine):
    many = [(f"k{n}", alert(account=f"a{n}")) for n in range(5_000)]
    assert put(engine, *many) == 5_000


def test_what_was_taken_is_taken_by_nobody_else_until_the_lease_ends(engine: Engine):
    put(engine, ("a", alert()))
    assert keys(take(engine)) == ["a"]
    assert keys(take(engine, NOW + LEASE - SECOND)) == []
    (again,) = take(engine, NOW + LEASE)
    assert again.attempts == 2


def test_rows_are_taken_when_due_the_longest_due_first(engine: Engine):
    put(engine, ("late", alert(account="l")), now=NOW + 2 * SECOND)
    put(engine, ("soon", alert(account="s")), now=NOW + SECOND)
    put(engine, ("now", alert(account="n")))
    assert keys(take(engine, NOW + SECOND, limit=1)) == ["now"]
    assert keys(take(engine, NOW + SECOND)) == ["soon"]
    assert keys(take(engine, NOW + 2 * SECOND)) == ["late"]


def test_an_account_s_alerts_come_one_after_the_other(engine: Engine):
    put(engine, ("1", alert()), ("2", alert()), ("other", alert(account="other")))
    (first, other) = take(engine)
    assert (first.key, other.key) == ("1", "other")
    with writing(engine) as db:
        outbox.put_back(db, first, NOW + 10 * SECOND, "away")
    assert keys(take(engine, NOW + SECOND)) == []
    (first,) = take(engine, NOW + 10 * SECOND)
    with writing(engine) as db:
        outbox.sent(db, first, "C1", "1.2", NOW)
    assert keys(take(engine, NOW + 10 * SECOND)) == ["2"]


def test_an_alert_given_up_does_not_hold_up_the_next_one(engine: Engine):
    put(engine, ("1", alert()), ("2", alert()))
    (first,) = take(engine)
    with writing(engine) as db:
        outbox.failed(db, first, "no channel")
    assert keys(take(engine)) == ["2"]


def test_a_row_put_back_keeps_the_error_and_the_count_of_attempts(engine: Engine):
    put(engine, ("a", alert()))
    (row,) = take(engine)
    with writing(engine) as db:
        outbox.put_back(db, row, NOW + SECOND, "away")
    assert state(engine, "a") == ("waiting", 1, NOW + SECOND, "away")


def test_an_attempt_that_was_none_is_not_counted(engine: Engine):
    put(engine, ("a", alert()))
    (row,) = take(engine)
    with writing(engine) as db:
        outbox.put_back(db, row, NOW, "pause", counted=False)
    assert state(engine, "a")[1] == 0


def test_whoever_lost_the_lease_cannot_move_the_row_any_more(engine: Engine):
    put(engine, ("a", alert()))
    (slow,) = take(engine)
    (fast,) = take(engine, NOW + LEASE)
    with writing(engine) as db:
        outbox.put_back(db, slow, NOW, "slow")
        outbox.failed(db, slow, "slow")
    assert state(engine, "a")[0] == "sending"
    with writing(engine) as db:
        outbox.sent(db, fast, "C1", "1.2", NOW)
        outbox.failed(db, fast, "late")
    assert state(engine, "a")[0] == "sent"


def test_a_message_sent_by_one_who_lost_the_lease_is_recorded_all_the_same(engine: Engine):
    put(engine, ("a", alert()))
    (slow,) = take(engine)
    (fast,) = take(engine, NOW + LEASE)
    with writing(engine) as db:
        outbox.sent(db, slow, "C1", "1.1", NOW)
        outbox.sent(db, fast, "C1", "2.2", NOW)
        assert db.scalar(select(rows.c.message_ts)) == "1.1"
    assert take(engine, NOW + 3 * LEASE) == []


def test_in_a_pause_nothing_is_taken_and_a_shorter_one_does_not_end_it(engine: Engine):
    put(engine, ("a", alert()))
    with writing(engine) as db:
        outbox.pause(db, NOW + 10 * SECOND)
        outbox.pause(db, NOW + 5 * SECOND)
        assert outbox.paused_until(db) == NOW + 10 * SECOND
    assert take(engine, NOW + 9 * SECOND) == []
    assert keys(take(engine, NOW + 10 * SECOND)) == ["a"]


def test_a_rep_is_found_in_slack_unless_they_left(engine: Engine):
    with writing(engine) as db:
        db.execute(
            insert(reps),
            [
                {"rep": "sam", "slack_user": "U1", "gone": None},
                {"rep": "kim", "slack_user": "U2", "gone": True},
                {"rep": "alex", "slack_user": None, "gone": False},
                {"rep": "noa", "slack_user": "U3", "gone": False},
            ],
        )
        found = [outbox.slack_user(db, rep) for rep in ("sam", "kim", "alex", "noa", "new", None)]
    assert found == ["U1", None, None, "U3", None, None]


def test_doctor_sees_how_many_rows_are_where_and_why_some_failed(engine: Engine):
    put(engine, *((f"k{n}", alert(account=f"a{n}")) for n in range(4)))
    first, second, third = take(engine, limit=3)
    with writing(engine) as db:
        outbox.sent(db, first, "C1", "1.2", NOW)
        outbox.failed(db, second, "no channel")
        outbox.failed(db, third, "archived")
        assert outbox.counts(db) == {"waiting": 1, "sending": 0, "sent": 1, "failed": 2}
        assert outbox.unsent(db) == 1
        newest, oldest = outbox.failures(db, 10)
        assert outbox.failures(db, 1) == [newest]
    assert (newest.account, newest.error, newest.attempts) == ("a2", "archived", 1)
    assert (oldest.account, oldest.created_at) == ("a1", NOW)


def test_alerts_given_up_can_wait_again_as_new_ones(engine: Engine):
    put(engine, ("a", alert()), ("b", alert(account="b")))
    row, other = take(engine)
    with writing(engine) as db:
        outbox.failed(db, row, "no channel")
        outbox.sent(db, other, "C1", "1.2", NOW)
        assert outbox.requeue(db, NOW + SECOND) == 1
    assert take(engine) == []
    (again,) = take(engine, NOW + SECOND)
    assert (again.key, again.attempts) == ("a", 1)


def test_taking_passes_over_a_row_that_another_transaction_is_taking(postgresql_url: str):
    engine = engine_for(postgresql_url)
    put(engine, ("a", alert(account="a")), ("b", alert(account="b")), ("a2", alert(account="a")))
    with engine.begin() as one, engine.begin() as two:
        assert keys(outbox.take(one, NOW, LEASE)) == ["a"]
        assert keys(outbox.take(two, NOW, LEASE, 10)) == ["b"]
    engine.dispose()
