"""A batch that cannot be applied is put aside, whole, and holds up no other."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from sqlalchemy import Engine, select, text

from tests.crash.doomed import POISON
from tests.crash.processes import publish, tiewatch, until, workers
from worker.celery_app import INGEST
from worker.store.batches import Batch, BatchState, count_start, park, read, restart
from worker.store.tables import batches, quarantine
from worker.store.tables import events as stored_events

pytestmark = [pytest.mark.crash, pytest.mark.timeout(180)]

MAX_STARTS = 5
CURSED = "cursed"
"""The account that `curse` makes trouble about."""


@pytest.fixture
def engine(postgresql_engine: Engine) -> Engine:
    return postgresql_engine


def usage(id_: str, account: str = "acme") -> dict[str, Any]:
    return {
        "id": id_,
        "source": "app",
        "type": "usage",
        "subject": account,
        "time": "2026-01-05T09:00:00Z",
        "data": {},
    }


def good(number: int) -> list[dict[str, Any]]:
    return [usage(f"{number}-{place}") for place in range(20)]


def curse(engine: Engine, trouble: str) -> None:
    """Have PostgreSQL do `trouble` whenever an event of the account CURSED is stored."""
    with engine.begin() as db:
        db.execute(
            text(
                f"""
                CREATE FUNCTION curse() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN {trouble}; RETURN NEW; END $$;
                CREATE TRIGGER curse BEFORE INSERT ON events FOR EACH ROW
                WHEN (NEW.account = '{CURSED}') EXECUTE FUNCTION curse();
                """
            )
        )


def lift_curse(engine: Engine) -> None:
    with engine.begin() as db:
        db.execute(text("DROP TRIGGER curse ON events; DROP FUNCTION curse"))


def batch(engine: Engine, id_: str) -> Batch | None:
    with engine.connect() as db:
        found = read(db, [id_])
    return found[0] if found else None


def is_in(engine: Engine, id_: str, state: BatchState) -> bool:
    row = batch(engine, id_)
    return row is not None and row.state is state


def stored(engine: Engine) -> set[str]:
    with engine.connect() as db:
        return set(db.scalars(select(stored_events.c.id)))


def doctor_on_parked(folder: Path, database_url: str, broker_url: str) -> list[str]:
    """What `tiewatch doctor` says of parked batches."""
    done = tiewatch(folder, database_url, broker_url, "doctor", "--json")
    parked = [one for one in json.loads(done.stdout) if one["subject"] == "parked batch"]
    assert done.returncode == (1 if parked else 0), done
    return [one["detail"] for one in parked]


def test_a_batch_that_kills_its_worker_is_parked_and_taken_in_when_that_is_mended(
    engine: Engine, postgresql_url: str, broker_url: str, tmp_path: Path
) -> None:
    deadly = [*good(100), usage(POISON), *good(101)]
    others = {f"good-{number}": good(number) for number in range(8)}
    publish(broker_url, {"deadly": deadly, **others})
    with workers(tmp_path, postgresql_url, broker_url) as running:
        running.start(module="tests.crash.doomed")
        until(lambda: is_in(engine, "deadly", BatchState.PARKED), running.logs)
        until(lambda: all(is_in(engine, b, BatchState.APPLIED) for b in others), running.logs)
        running.end()

        [said] = doctor_on_parked(tmp_path, postgresql_url, broker_url)
        assert said.startswith("deadly: its worker died")
        assert "tiewatch ingest --parked" in said
        row = batch(engine, "deadly")
        assert row is not None
        assert row.starts == MAX_STARTS + 1  # the last one is that which parks it
        assert not stored(engine) & {event["id"] for event in deadly}

        running.start()
        done = tiewatch(tmp_path, postgresql_url, broker_url, "ingest", "--parked", "--json")
        assert done.returncode == 0, done
        expected = {"received": 41, "applied": 41, "duplicates": 0, "quarantined": 0, "waiting": 0}
        assert json.loads(done.stdout) == expected
    assert doctor_on_parked(tmp_path, postgresql_url, broker_url) == []
    assert {event["id"] for event in deadly} <= stored(engine)


def test_batches_that_wait_are_taken_in_as_one_and_without_the_one_that_fails(
    engine: Engine, postgresql_url: str, broker_url: str, tmp_path: Path
) -> None:
    curse(engine, "RAISE EXCEPTION 'there is a curse on %', NEW.account")
    before, after = ({f"{n}": good(n) for n in some} for some in (range(60), range(60, 120)))
    publish(broker_url, before | {"cursed": [usage("c", CURSED)]} | after)
    with Celery(broker=broker_url, set_as_current=False) as app:
        app.send_task(INGEST, ("not", "events", "at", "all"), queue=INGEST, task_id="odd")
    with workers(tmp_path, postgresql_url, broker_url) as running:
        running.start()
        until(
            lambda: all(is_in(engine, id_, BatchState.APPLIED) for id_ in before | after),
            running.logs,
        )
        until(lambda: is_in(engine, "cursed", BatchState.STARTED), running.logs)
        until(lambda: is_in(engine, "odd", BatchState.APPLIED), running.logs)
    with engine.connect() as db:
        assert "one argument, a list of events" in db.scalar(select(quarantine.c.problems))
        done = list(db.execute(select(batches.c.id, batches.c.finished_at, batches.c.applied)))
    applied = {id_: number for id_, _, number in done if id_ != "cursed"}
    assert applied == dict.fromkeys(before | after, 20) | {"odd": 0}
    assert len({at for _, at, _ in done}) < 100, "hardly any were taken in as one"
    assert stored(engine) == {event["id"] for some in (before | after).values() for event in some}


def test_a_batch_whose_task_raises_is_tried_again_ever_later_and_then_parked(
    engine: Engine, postgresql_url: str, broker_url: str, tmp_path: Path
) -> None:
    curse(engine, "RAISE EXCEPTION 'there is a curse on %', NEW.account")
    cursed = [*good(100), usage("c", CURSED)]
    publish(broker_url, {"cursed": cursed})
    with workers(tmp_path, postgresql_url, broker_url) as running:
        running.start()
        until(lambda: is_in(engine, "cursed", BatchState.STARTED), running.logs)
        publish(broker_url, {"other": good(1)})
        until(lambda: is_in(engine, "other", BatchState.APPLIED), running.logs, 5)
        until(lambda: is_in(engine, "cursed", BatchState.PARKED), running.logs)
        assert waited(running.logs()) == [1, 2, 4, 8]

        [said] = doctor_on_parked(tmp_path, postgresql_url, broker_url)
        assert "there is a curse on cursed" in said
        assert stored(engine) == {event["id"] for event in good(1)}

        lift_curse(engine)
        done = tiewatch(tmp_path, postgresql_url, broker_url, "ingest", "--parked", "--json")
        assert json.loads(done.stdout)["applied"] == len(cursed)
    assert doctor_on_parked(tmp_path, postgresql_url, broker_url) == []


@pytest.mark.parametrize(
    "trouble",
    [
        "PERFORM pg_terminate_backend(pg_backend_pid())",
        "PERFORM pg_sleep(15)",
    ],
    ids=["ends its connection", "takes too long"],
)
def test_a_batch_that_never_ends_well_is_parked_and_not_lost(
    engine: Engine, postgresql_url: str, broker_url: str, tmp_path: Path, trouble: str
) -> None:
    curse(engine, trouble)
    with engine.begin() as db:
        while count_start(db, "cursed", datetime.now(UTC)) < MAX_STARTS - 1:
            pass  # it has been so for a while
    publish(broker_url, {"cursed": [usage("c", CURSED)], "other": good(1)})
    with workers(tmp_path, postgresql_url, broker_url) as running:
        running.start(module="tests.crash.hurried")
        until(lambda: is_in(engine, "other", BatchState.APPLIED), running.logs)
        until(lambda: is_in(engine, "cursed", BatchState.PARKED), running.logs, 40)
        lift_curse(engine)
        done = tiewatch(tmp_path, postgresql_url, broker_url, "ingest", "--parked", "--json")
        assert json.loads(done.stdout)["applied"] == 1


def test_a_parked_batch_stays_parked_as_it_is_when_its_message_comes_again(
    engine: Engine, postgresql_url: str, broker_url: str, tmp_path: Path
) -> None:
    """The queue delivers at least once, so one that is parked may come again; it is not started."""
    told = "an error that somebody should read"
    with engine.begin() as db:
        count_start(db, "parked", datetime.now(UTC))
        park(db, "parked", good(1), told, datetime.now(UTC))
    publish(broker_url, {"parked": good(1), "other": good(2)})
    with workers(tmp_path, postgresql_url, broker_url) as running:
        running.start()
        until(lambda: is_in(engine, "other", BatchState.APPLIED), running.logs)
        until(lambda: "batch parked" in running.logs(), running.logs)
    assert is_in(engine, "parked", BatchState.PARKED)
    [said] = doctor_on_parked(tmp_path, postgresql_url, broker_url)
    assert told in said


def test_a_parked_batch_is_not_forgotten_when_taking_it_in_again_breaks_off(
    engine: Engine, postgresql_url: str, broker_url: str, tmp_path: Path
) -> None:
    with engine.begin() as db:
        count_start(db, "parked", datetime.now(UTC))
        park(db, "parked", good(1), "some error", datetime.now(UTC))
        restart(db, "parked")  # and here `tiewatch ingest --parked` is killed
    [said] = doctor_on_parked(tmp_path, postgresql_url, broker_url)
    assert said.startswith("parked: some error")
    done = tiewatch(
        tmp_path, postgresql_url, broker_url, "ingest", "--parked", "--direct", "--json"
    )
    assert json.loads(done.stdout)["applied"] == len(good(1))
    assert doctor_on_parked(tmp_path, postgresql_url, broker_url) == []


def waited(log: str) -> list[int]:
    """Seconds before each new try, as the log tells them."""
    return [int(n) for n in re.findall(r'"seconds": (\d+), .*"batch will be tried again"', log)]
