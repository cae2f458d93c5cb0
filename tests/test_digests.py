"""Digests, from what a sweep finds to the one message that Slack shows."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, insert

from tests.alerts import alert
from tests.delivering import NOW, Clock, know, run, slack_at
from tests.pipeline import rows
from tests.slack_server import DROP_AFTER, POST, SlackServer
from worker import planning
from worker.core.rules import Severity
from worker.core.telling import Telling
from worker.delivery import deliver
from worker.sending import to_show
from worker.store import outbox, tables
from worker.store.database import engine_for, writing


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack(clock: Clock) -> Iterator[SlackServer]:
    with slack_at(clock) as server:
        yield server


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = engine_for(database_url)
    yield engine
    engine.dispose()


def found_by_a_sweep(engine: Engine, number: int) -> None:
    """So many flags of Sam's accounts; the more valuable, the later its id."""
    with writing(engine) as db:
        sweep = {"id": 1, "kind": "daily", "slot": "x", "on_date": NOW.date(), "created_at": NOW}
        db.execute(insert(tables.sweeps).values(sweep))
        found = [
            alert(account=f"a{n:04}", account_name=f"Account {n}", mrr=float(n), owner="sam")
            for n in range(number)
        ]
        outbox.put(db, [(one.account, one) for one in found], NOW, 1)


def posted(slack: SlackServer) -> list[str]:
    """What Slack shows in each message, as JSON."""
    return [json.dumps(one["blocks"]) for one in slack.messages("D1")]


def test_hundreds_of_new_flags_are_one_message_by_value_and_not_sent_again_after_a_drop(
    engine, slack, clock
):
    know(engine, sam="U1")
    found_by_a_sweep(engine, 450)
    planning.plan(engine, NOW)
    slack.next(DROP_AFTER)
    run(engine, slack, clock)
    clock.passes(seconds=30)
    assert run(engine, slack, clock).sent == 450
    assert len(slack.asked(POST)) == 1
    (blocks,) = posted(slack)
    places = [blocks.index(f"Account {n}") for n in (449, 448, 447)]
    assert places == sorted(places)
    assert "450 flags on 450 accounts" in blocks
    assert {row["state"] for row in rows(engine, tables.messages)} == {"sent"}


def test_a_day_of_low_flags_leaves_once_in_the_morning(engine, slack, clock):
    know(engine, sam="U1")
    telling = Telling(timezone="Europe/Berlin")
    for hour in range(24):  # from 7:00 in Berlin
        with writing(engine) as db:
            low = alert(account=f"a{hour}", severity=Severity.LOW)
            outbox.put(db, [(f"k{hour}", low)], clock())
        planning.plan(engine, clock(), telling)
        run(engine, slack, clock)
        clock.passes(hours=1)
    run(engine, slack, clock)
    assert len(slack.messages("D1")) == 1
    clock.passes(hours=1)
    run(engine, slack, clock)
    first, second = posted(slack)
    assert "2 flags on 2 accounts" in first  # raised at 7:00, and at 8:00 on the dot
    assert "22 flags on 22 accounts" in second
    (due,) = {row["due_at"] for row in rows(engine, tables.messages)} - {NOW + timedelta(hours=1)}
    assert due == NOW + timedelta(hours=25)


# Two days before the clocks change, at any minute past the hour.
CHANGES = [
    ("America/New_York", "2026-03-06T10:20"),
    ("America/New_York", "2026-10-30T10:20"),
    ("Europe/Berlin", "2026-03-27T05:40"),
    ("Europe/Berlin", "2026-10-23T05:40"),
    ("Pacific/Auckland", "2026-04-03T18:00"),
    ("Pacific/Auckland", "2026-09-25T18:00"),
    ("Asia/Kolkata", "2026-03-27T01:10"),
]


@pytest.mark.parametrize(("zone", "start"), CHANGES)
def test_each_local_day_has_one_digest_in_its_morning_when_clocks_change(engine, zone, start):
    clock = Clock(datetime.fromisoformat(start).replace(tzinfo=UTC))
    sent: list[datetime] = []
    for hour in range(24 * 4):
        with writing(engine) as db:
            if hour == 0:
                db.execute(insert(tables.reps).values(rep="sam", timezone=zone))
            low = alert(account=f"a{hour}", severity=Severity.LOW)
            outbox.put(db, [(f"k{hour}", low)], clock())
        planning.plan(engine, clock())
        deliver(engine, to_show(lambda _: sent.append(clock())), clock)
        clock.passes(hours=1)
    local = [at.astimezone(ZoneInfo(zone)) for at in sent]
    days = [at.date() for at in local]
    assert days == [days[0] + timedelta(n) for n in range(4)]
    assert {at.hour for at in local} <= {8, 9}, "the first look after 8:00, local time"
