"""The scheduler process: begins sweeps at their time and hands out what nobody is working on.

There is no leader. A slot's row is unique, so that of any number of schedulers one begins it, and
one that was down begins the last slot it missed when it comes back, once.
"""

import signal
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from apscheduler.schedulers.blocking import BlockingScheduler
from kombu.exceptions import OperationalError as BrokerDown
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from worker import tasks
from worker.capture.publishing import replay
from worker.evaluating import freshness, sweeps
from worker.intake import releasing
from worker.rulebooks.in_force import LOOK_EVERY
from worker.running import runtime
from worker.settings import settings
from worker.store import backlog, behind, outbox, waiting, webhooks
from worker.store import sweeps as sweeps_store
from worker.store.database import reading

DAILY = "daily"
LATE_SECONDS = 3_600
"""A trigger that comes later than this is left to the catching up."""

log = structlog.get_logger("tiewatch.scheduler")


def run(engine: Engine, hour: int, zone: ZoneInfo) -> None:
    """Run until told to stop: the daily sweep at `hour` in `zone`, the pass of each minute, and
    weekly summaries as they come due."""
    scheduler = BlockingScheduler(
        timezone="UTC",
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": LATE_SECONDS},
    )
    scheduler.add_job(
        daily_sweep, "cron", hour=hour, minute=0, timezone=zone, args=(engine, hour, zone)
    )
    # And each minute, beginning now, the one that was missed, if one was.
    scheduler.add_job(daily_sweep, args=(engine, hour, zone))
    scheduler.add_job(daily_sweep, "interval", minutes=1, args=(engine, hour, zone))
    scheduler.add_job(minute_pass, "interval", minutes=1, args=(engine,))
    scheduler.add_job(watch_rules, "interval", seconds=LOOK_EVERY, args=(engine,))
    # Mornings begin at any quarter of an hour, somewhere.
    scheduler.add_job(tasks.request_weeks, "interval", minutes=15)
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: scheduler.shutdown(wait=False))
    log.info("scheduler started", daily_sweep=f"{hour:02}:00 {zone.key}")
    scheduler.start()


def daily_sweep(engine: Engine, hour: int, zone: ZoneInfo) -> int | None:
    """Begin the daily sweep that was due last, if nobody has; its id, or None."""
    now = runtime.clock()
    slot = due_slot(now, hour, zone)
    try:
        sweep = sweeps.open_sweep(engine, DAILY, slot.isoformat(), now.date(), now)
    except (sweeps.SweepRefused, SQLAlchemyError) as error:
        log.error("daily sweep not begun", slot=slot.isoformat(), error=str(error))
        return None
    if sweep is not None:
        log.info("daily sweep begun", slot=slot.isoformat(), sweep=sweep)
        hand_out(engine)
    return sweep


def due_slot(now: datetime, hour: int, zone: ZoneInfo) -> date:
    """The local date of the daily sweep that was due last at `now`."""
    local = now.astimezone(zone)
    due_today = datetime.combine(local.date(), time(hour), zone)
    return local.date() if now >= due_today else local.date() - timedelta(days=1)


def minute_pass(engine: Engine) -> None:
    """Sweep if a source is back; hand out what nobody works on: shards, the spool, what is due;
    give up events that have waited for too long."""
    try:
        sweep = freshness.sweep_after_returns(engine, runtime.clock())
        if sweep is not None:
            log.info("sweep begun: a source is back", sweep=sweep)
        hand_out(engine)
        replay(engine)
        with reading(engine) as db:
            due = backlog.next_due(db)
            unplanned = outbox.to_plan(db)
            untold = webhooks.waiting(db)
            unreleased = waiting.next_step(db) is not None
            late = bool(behind.listed(db))
        if unplanned or (due is not None and due <= runtime.clock()):
            tasks.request_delivery()
        if untold:
            tasks.request_webhooks()
        if unreleased:
            tasks.request_release()
        if late:
            tasks.request_catching_up()
        longest = timedelta(days=settings().waiting_days)
        if given_up := releasing.give_up(engine, longest, runtime.clock()):
            log.warning("events quarantined: nobody has said whose they are", events=given_up)
    except SQLAlchemyError as error:
        log.error("minute's pass failed", error=str(error))


def watch_rules(engine: Engine) -> None:
    """Take a change of the rules directory up, and have admins hear of a mistake in it.

    Workers do so themselves, but only when they have work.
    """
    try:
        if runtime.watch_rules(engine):
            tasks.request_delivery()
    except SQLAlchemyError as error:
        log.warning("rules not looked at", error=str(error))


def hand_out(engine: Engine) -> None:
    """Put every shard that waits on the queue; one that is there twice is swept once."""
    with reading(engine) as db:
        shards = sweeps_store.waiting(db, runtime.clock(), sweeps.MAX_STARTS)
    try:
        tasks.request_shards(shards)
    except BrokerDown as error:
        log.warning("shards wait for the next minute", shards=len(shards), error=str(error))
