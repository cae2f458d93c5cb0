"""Digests, from what a sweep finds to the one message that Slack shows."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, insert, update

from tests import slack_server
from tests.alerts import alert
from tests.deliveries import NOW, Clock, know, run
from tests.pipeline import rows
from tests.slack_server import DROP_AFTER, POST, UPDATE, SlackServer
from worker.core.alerts import Alert, AlertReason
from worker.core.flags import State
from worker.core.rules import Severity
from worker.core.telling import Telling
from worker.delivering import planning
from worker.delivering.delivery import Delivered, deliver
from worker.delivering.sending import to_show
from worker.store import outbox, showing, tables
from worker.store.database import writing


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


def opened_flags(engine: Engine, *ids: int) -> None:
    """Open flags of low severity on Sam's accounts, told in a digest that has left."""
    know(engine, sam="U1")
    values = {"rule": "r", "severity": "low", "state": "open", "shadow": False, "title": "t",
              "reasons": "[]", "rules_hash": "h", "first_true_on": NOW.date()}  # fmt: skip
    with writing(engine) as db:
        for id_ in ids:
            account = {"id": id_, "account": f"a{id_}", "opened_on": NOW.date()}
            db.execute(insert(tables.flags).values(values | account))
            outbox.put(db, [(f"o{id_}", low(id_))], NOW)
    planning.plan(engine, NOW)


def low(flag: int, reason: AlertReason = AlertReason.OPENED) -> Alert:
    name = f"Account {flag}"
    about = {"account": f"a{flag}", "account_name": name, "title": f"Quiet {flag}"}
    return alert(**about, flag=flag, severity=Severity.LOW, owner="sam", reason=reason)


def stands(engine: Engine, flag: int, state: State) -> None:
    of = tables.flags
    with writing(engine) as db:
        db.execute(update(of).where(of.c.id == flag).values(state=state))


def test_a_digest_shows_what_was_answered_to_its_flags_since(engine, slack, clock):
    opened_flags(engine, 1, 2)
    clock.passes(hours=3)
    run(engine, slack, clock)
    for state, shown in ((State.ACKNOWLEDGED, "acknowledged"), (State.DISMISSED, "dismissed")):
        stands(engine, 1, state)
        with writing(engine) as db:
            showing.show_again(db, "a1", f"answer/{state}", clock())
        assert run(engine, slack, clock) == Delivered(1, 0, 0)
        (blocks,) = posted(slack)
        assert f"Quiet 1 ({shown})" in blocks
        assert "Quiet 2 (" not in blocks
    assert len(slack.asked(POST)) == 1
    stands(engine, 1, State.OPEN)
    with writing(engine) as db:
        outbox.put(db, [("back", low(1, AlertReason.BACK))], clock())
    planning.plan(engine, clock())
    run(engine, slack, clock)
    assert "Quiet 1 (" not in posted(slack)[0]


def test_a_digest_shows_which_of_its_flags_are_over_in_one_edit(engine, slack, clock):
    opened_flags(engine, 1, 2, 3)
    clock.passes(hours=3)
    run(engine, slack, clock)
    for flag in (1, 2):
        stands(engine, flag, State.RESOLVED)
    ends = [low(flag, AlertReason.RESOLVED) for flag in (1, 2)]
    with writing(engine) as db:
        outbox.put(db, [(f"end{one.flag}", one) for one in ends], clock())
    planning.plan(engine, clock())
    run(engine, slack, clock)
    assert len(slack.asked(UPDATE)) == 1
    (blocks,) = posted(slack)
    assert blocks.count("resolved: Quiet") == 2
    assert blocks.count("tiewatch.more") == 1
    clock.passes(hours=24)
    run(engine, slack, clock)
    assert len(slack.asked(POST)) == 2


@pytest.mark.parametrize("refusal", ["message_not_found", "edit_window_closed", "is_archived"])
def test_a_digest_that_cannot_be_edited_is_left_as_it_is(engine, slack, clock, refusal):
    opened_flags(engine, 1)
    clock.passes(hours=3)
    run(engine, slack, clock)
    stands(engine, 1, State.SNOOZED)
    with writing(engine) as db:
        showing.show_again(db, "a1", "answer/k", clock())
    slack.next(slack_server.error(refusal))
    assert run(engine, slack, clock) == Delivered(0, 0, 0)
    assert len(slack.asked(POST)) == 1


def test_a_digest_of_long_ago_is_not_edited(engine, slack, clock):
    opened_flags(engine, 1)
    clock.passes(hours=3)
    run(engine, slack, clock)
    clock.passes(days=31)
    with writing(engine) as db:
        showing.show_again(db, "a1", "answer/k", clock())
    assert run(engine, slack, clock) == Delivered(0, 0, 0)
