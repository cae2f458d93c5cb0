"""The scheduler: one sweep a day at its hour, in any time zone, whoever was down meanwhile."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from kombu.exceptions import OperationalError as BrokerDown
from sqlalchemy import Engine

from tests.pipeline import at, event, rows, rulebook, sweep_shards, take_in
from worker import scheduler, tasks
from worker.delivering import delivery, planning
from worker.delivering.sending import to_show
from worker.evaluating import sweeps
from worker.running import runtime
from worker.scheduler import daily_sweep, due_slot, hand_out, minute_pass, watch_rules
from worker.store import behind, tables, waiting, webhooks
from worker.store.database import engine_for, writing
from worker.store.webhooks import New

BERLIN = ZoneInfo("Europe/Berlin")
D = date(2026, 2, 18)


class Clock:
    """The one clock of tiewatch, as a test sets it."""

    now = at(D, 6)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(runtime, "clock", lambda: clock.now)
    return clock


RULE = "rules: [{id: x, title: X, severity: high, when: {mrr: over 1 EUR}}]"


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The messages that were sent: a shard, "deliver", "webhooks", "release" or "catch up"."""
    sent: list[Any] = []
    monkeypatch.setattr(
        tasks.sweep_shard, "apply_async", lambda args, **_: sent.append(args), raising=False
    )
    monkeypatch.setattr(
        tasks.deliver, "apply_async", lambda **_: sent.append("deliver"), raising=False
    )
    monkeypatch.setattr(
        tasks.send_to_webhooks, "apply_async", lambda **_: sent.append("webhooks"), raising=False
    )
    monkeypatch.setattr(
        tasks.release_waiting, "apply_async", lambda **_: sent.append("release"), raising=False
    )
    monkeypatch.setattr(
        tasks.catch_up, "apply_async", lambda **_: sent.append("catch up"), raising=False
    )
    monkeypatch.setattr(tasks.plan_weeks, "apply_async", lambda **_: None, raising=False)
    return sent


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def slots(engine: Engine) -> list[str]:
    return [row["slot"] for row in rows(engine, tables.sweeps)]


# Which slot is due


@pytest.mark.parametrize(
    ("now", "zone", "slot"),
    [
        ("2026-02-18T05:59:59+00:00", "UTC", "2026-02-17"),
        ("2026-02-18T06:00:00+00:00", "UTC", "2026-02-18"),
        ("2026-02-18T23:59:59+00:00", "UTC", "2026-02-18"),
        ("2026-02-18T04:59:59+00:00", "Europe/Berlin", "2026-02-17"),
        ("2026-02-18T05:00:00+00:00", "Europe/Berlin", "2026-02-18"),
        ("2026-02-17T21:00:00+00:00", "Asia/Tokyo", "2026-02-18"),
        ("2026-02-17T20:59:59+00:00", "Asia/Tokyo", "2026-02-17"),
        ("2026-02-18T13:59:59+00:00", "America/Los_Angeles", "2026-02-17"),
        ("2026-02-18T14:00:00+00:00", "America/Los_Angeles", "2026-02-18"),
    ],
)
def test_a_slot_is_due_from_its_hour_in_its_zone_on(now, zone, slot):
    assert due_slot(utc(now), 6, ZoneInfo(zone)) == date.fromisoformat(slot)


@pytest.mark.parametrize(
    ("hour", "now", "slot"),
    [
        (2, "2026-03-29T01:59:59+01:00", "2026-03-28"),
        (2, "2026-03-29T03:00:00+02:00", "2026-03-29"),  # 02:00 is not on the clock that day
        (3, "2026-03-29T03:00:00+02:00", "2026-03-29"),
        (2, "2026-10-25T01:59:59+02:00", "2026-10-24"),
        (2, "2026-10-25T02:00:00+02:00", "2026-10-25"),  # the first of two
        (2, "2026-10-25T02:00:00+01:00", "2026-10-25"),
        (2, "2026-10-25T03:00:00+01:00", "2026-10-25"),
    ],
)
def test_a_slot_is_due_once_where_the_clocks_are_changed(hour, now, slot):
    assert due_slot(utc(now), hour, BERLIN) == date.fromisoformat(slot)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("hour", [0, 1, 2, 3, 23])
def test_over_a_year_every_date_is_due_once_and_in_order(zone, hour):
    start = datetime(2026, 1, 1, 12, tzinfo=UTC)
    found = [
        due_slot(start + timedelta(minutes=30 * n), hour, ZoneInfo(zone)) for n in range(365 * 48)
    ]
    days = (found[-1] - found[0]).days
    assert days >= 363
    assert sorted(set(found)) == [found[0] + timedelta(n) for n in range(days + 1)]
    assert found == sorted(found)


# What a due slot comes to


def test_the_daily_sweep_is_of_the_utc_date_and_is_handed_to_the_workers(engine, clock, queued):
    clock.now = utc("2026-02-18T06:30:00+09:00")
    id_ = daily_sweep(engine, 6, ZoneInfo("Asia/Tokyo"))
    (row,) = rows(engine, tables.sweeps)
    assert (row["kind"], row["slot"], row["on_date"]) == ("daily", "2026-02-18", date(2026, 2, 17))
    assert queued == [(id_, 0)]


def test_two_schedulers_begin_a_slot_once(engine, clock, queued):
    assert daily_sweep(engine, 6, BERLIN) is not None
    assert daily_sweep(engine, 6, BERLIN) is None
    clock.now += timedelta(hours=3)
    assert daily_sweep(engine, 6, BERLIN) is None
    assert len(rows(engine, tables.sweeps)) == len(queued) == 1


def test_one_that_was_down_for_days_catches_up_once(engine, clock, queued):
    daily_sweep(engine, 6, BERLIN)
    clock.now += timedelta(days=3, hours=7)
    daily_sweep(engine, 6, BERLIN)
    daily_sweep(engine, 6, BERLIN)
    assert slots(engine) == ["2026-02-18", "2026-02-21"]


def test_a_sweep_by_hand_of_a_later_date_is_no_trouble(engine, clock, queued, tmp_path):
    sweeps.open_sweep(engine, "manual", "x", D + timedelta(2), clock.now)
    assert daily_sweep(engine, 6, BERLIN) is None
    clock.now += timedelta(days=2)
    assert daily_sweep(engine, 6, BERLIN) is not None


def test_each_minute_what_waits_is_handed_out_and_what_is_done_is_not(
    engine, clock, queued, tmp_path
):
    id_ = daily_sweep(engine, 6, BERLIN)
    assert id_ is not None
    minute_pass(engine)
    assert queued == [(id_, 0)] * 2  # swept once, however often it is handed out
    text = "rules: [{id: x, title: X, severity: low, when: {mrr: over 1 EUR}}]"
    sweep_shards(engine, rulebook(tmp_path, text), id_, clock.now)
    queued.clear()
    minute_pass(engine)
    assert queued == []


def test_each_minute_what_is_due_is_asked_to_be_delivered(engine, clock, queued, tmp_path):
    text = "rules: [{id: x, title: X, severity: high, when: {mrr: over 1 EUR}}]"
    take_in(engine, rulebook(tmp_path, text), D, event("account", D, mrr=5))
    minute_pass(engine)
    assert queued == ["deliver"]
    planning.plan(engine, clock.now)
    queued.clear()
    minute_pass(engine)
    assert queued == ["deliver"]
    delivery.deliver(engine, to_show(lambda _alert: None), runtime.clock)
    queued.clear()
    minute_pass(engine)
    assert queued == []


def test_each_minute_webhooks_are_told_what_waits_for_them(engine, clock, queued):
    with writing(engine) as db:
        webhooks.put(db, [New("k", "crm", "acme", "test", "{}")], clock.now)
    minute_pass(engine)
    assert queued == ["webhooks"]


def test_each_minute_what_has_waited_for_a_word_that_came_is_asked_to_be_released(
    engine, clock, queued, monkeypatch, tmp_path
):
    monkeypatch.setattr(waiting, "AT_ONCE", 1)
    book = rulebook(tmp_path, RULE)
    people = {"channel": "meeting", "reps": ["sam"], "contacts": ["dana@acme.example"]}
    mails = [event("interaction", D, account=None, **people) for _ in range(2)]
    take_in(engine, book, D, *(mail | {"tiewatchpeople": "email"} for mail in mails))
    minute_pass(engine)
    assert queued == []
    take_in(engine, book, D, event("account", D, domains=["acme.example"]))
    minute_pass(engine)
    assert queued == ["release"]


def test_each_minute_large_accounts_that_are_behind_are_asked_to_be_made_anew(
    engine, clock, queued
):
    with writing(engine) as db:
        behind.note(db, ["acme"], (), False, clock.now)
    minute_pass(engine)
    assert queued == ["catch up"]


def test_each_minute_what_has_waited_for_too_long_is_given_up(engine, clock, queued, tmp_path):
    waits = event("usage", D, account=None, user="lee") | {"tiewatchmember": "lee"}
    take_in(engine, rulebook(tmp_path, RULE), D, waits)
    minute_pass(engine)
    assert rows(engine, tables.quarantine) == []
    clock.now += timedelta(days=31)
    minute_pass(engine)
    assert [row["event_id"] for row in rows(engine, tables.quarantine)] == [waits["id"]]


@pytest.mark.parametrize(("told", "sent"), [(True, ["deliver"]), (False, [])])
def test_a_mistake_in_the_rules_is_delivered_at_once(engine, queued, monkeypatch, told, sent):
    monkeypatch.setattr(runtime, "watch_rules", lambda _: told)
    watch_rules(engine)
    assert queued == sent


def test_what_waits_for_a_morning_is_asked_for_no_earlier(engine, clock, queued, tmp_path):
    text = "rules: [{id: x, title: X, severity: low, when: {mrr: over 1 EUR}}]"
    take_in(engine, rulebook(tmp_path, text), D, event("account", D, mrr=5))
    planning.plan(engine, clock.now)
    minute_pass(engine)
    assert queued == []
    clock.now += timedelta(days=1)
    minute_pass(engine)
    assert queued == ["deliver"]


def test_a_queue_that_is_down_costs_a_minute_not_the_sweep(engine, clock, queued, monkeypatch):
    def down(*_args: object, **_more: object) -> None:
        raise BrokerDown("down")

    with monkeypatch.context() as broken:
        broken.setattr(tasks.sweep_shard, "apply_async", down)
        broken.setattr(tasks.deliver, "apply_async", down)
        id_ = daily_sweep(engine, 6, BERLIN)
        minute_pass(engine)
    assert id_ is not None
    hand_out(engine)
    assert queued == [(id_, 0)]


def test_a_database_that_is_down_stops_neither_job(tmp_path, clock, queued):
    away = engine_for(f"sqlite:///{tmp_path}/empty.db")
    assert daily_sweep(away, 6, BERLIN) is None
    minute_pass(away)
    away.dispose()


# The process, through simulated days: real triggers, no waiting.


class Simulated(BackgroundScheduler):
    """Runs its jobs through simulated time as it comes, `until` a moment, instead of waiting.

    What would run each minute runs each half hour here. `asleep` says when the machine sleeps.
    """

    clock: Clock
    until: datetime
    asleep: Callable[[datetime], bool] = staticmethod(lambda _now: False)

    def start(self, *_args: object, **_more: object) -> None:
        jobs = [(job, self._next(job, None)) for job, _, _ in self._pending_jobs]
        while due := [pair for pair in jobs if pair[1] is not None]:
            job, when = min(due, key=lambda pair: pair[1])
            if when > self.until:
                return
            self.clock.now = max(self.clock.now, when)
            late = self.clock.now - when
            if not self.asleep(self.clock.now) and late.total_seconds() <= 3_600:
                job.func(*job.args)
            jobs[jobs.index((job, when))] = (job, self._next(job, when))

    def _next(self, job: Any, before: datetime | None) -> datetime | None:
        if isinstance(job.trigger, IntervalTrigger):
            return (before or self.clock.now) + timedelta(minutes=30)
        if isinstance(job.trigger, DateTrigger):  # of its adding
            return None if before else self.clock.now
        now = before + timedelta(milliseconds=50) if before else self.clock.now
        following = job.trigger.get_next_fire_time(before, now)
        return following and following.astimezone(UTC)


@pytest.fixture
def simulate(monkeypatch: pytest.MonkeyPatch, clock: Clock, queued: list[Any]) -> type[Simulated]:
    monkeypatch.setattr(scheduler, "BlockingScheduler", Simulated)
    monkeypatch.setattr(scheduler.signal, "signal", lambda *_: None)
    monkeypatch.setattr(Simulated, "clock", clock, raising=False)
    return Simulated


@pytest.mark.parametrize(
    ("zone", "hour", "start"),
    [
        ("Europe/Berlin", 0, "2026-03-26T12:00:00+01:00"),
        ("Europe/Berlin", 2, "2026-03-26T12:00:00+01:00"),
        ("Europe/Berlin", 6, "2026-03-26T12:00:00+01:00"),
        ("Europe/Berlin", 2, "2026-10-22T12:00:00+02:00"),
        ("America/Havana", 0, "2026-03-05T12:00:00-05:00"),  # has no midnight on 8 March
    ],
)
def test_every_day_is_swept_once_also_when_the_clocks_are_changed(
    sqlite_engine, simulate, clock, zone, hour, start
):
    clock.now = utc(start)
    simulate.until = clock.now + timedelta(days=7)
    scheduler.run(sqlite_engine, hour, ZoneInfo(zone))
    first = datetime.fromisoformat(start).date()
    assert slots(sqlite_engine) == [f"{first + timedelta(n)}" for n in range(8)]


def test_a_machine_that_slept_through_the_hour_catches_up_when_it_wakes(
    sqlite_engine, simulate, clock, monkeypatch
):
    clock.now = at(D, 12)
    simulate.until = at(D + timedelta(1), 12)
    night = staticmethod(lambda now: at(D, 22) < now < at(D + timedelta(1), 9))
    monkeypatch.setattr(simulate, "asleep", night)
    scheduler.run(sqlite_engine, 6, ZoneInfo("UTC"))
    assert slots(sqlite_engine) == [f"{D}", f"{D + timedelta(1)}"]


def test_a_database_that_is_down_at_the_hour_costs_minutes_not_the_day(
    sqlite_engine, simulate, clock, monkeypatch
):
    clock.now = at(D, 12)
    simulate.until = at(D + timedelta(1), 12)
    open_sweep = scheduler.sweeps.open_sweep

    def down(*args: Any) -> int | None:
        if at(D + timedelta(1), 5) < clock.now < at(D + timedelta(1), 7):
            raise scheduler.SQLAlchemyError("down")
        return open_sweep(*args)

    monkeypatch.setattr(scheduler.sweeps, "open_sweep", down)
    scheduler.run(sqlite_engine, 6, ZoneInfo("UTC"))
    assert slots(sqlite_engine) == [f"{D}", f"{D + timedelta(1)}"]
