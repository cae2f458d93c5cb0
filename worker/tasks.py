"""The Celery tasks: each takes a message, calls one service, and says what comes next.

Late acknowledgement does not save a task that raises. So a batch that failed is sent again
(`_again`), with a growing delay, and the scheduler asks for all else anew each minute; the services
make doing a thing twice the same as doing it once.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import structlog
from celery import Task
from celery.exceptions import Reject
from celery.signals import setup_logging, worker_process_init
from kombu.exceptions import OperationalError as BrokerDown
from rich.console import Console

from worker.celery_app import (
    CATCH_UP,
    CATCH_UP_SECONDS,
    DELIVER,
    DEMO_NOW,
    INGEST,
    RELEASE,
    SWEEP,
    TASK_SECONDS,
    WEBHOOKS,
    WEEKS,
    app,
)
from worker.core.events import Quarantined
from worker.delivering import delivery, planning, webhook_delivery, weekly
from worker.delivering.bell import Bell
from worker.evaluating import sweeps
from worker.intake import catching_up, releasing
from worker.intake.arrivals import Batch, BatchResult
from worker.intake.ingest import ingest, ingest_as_one
from worker.running import logs
from worker.running.decoding import loads
from worker.running.runtime import (
    clock,
    collect_less_often,
    engine,
    growth,
    rules_in_force,
    slack,
    telling,
    webhooks,
    with_rules_in_force,
)
from worker.settings import settings, webhook_secret
from worker.store import backlog, batches, merges, pacing, receivers
from worker.store.batches import BatchState
from worker.store.database import reading, writing
from worker.store.workspace import is_demo

LEASE = timedelta(seconds=TASK_SECONDS + 10)
LONGEST_DELAY = 30
"""Seconds between two tries at most: a delayed message is held by a worker, not by the queue."""

DELIVERY_TIME = timedelta(seconds=20)
"""How long one pass sends: with a slow Slack too, it must end before its task's time is up."""

log = structlog.get_logger("tiewatch")
_bell = Bell()


# Killed for taking too long, it must not count as done: its message then comes back.
@app.task(
    bind=True,
    name=INGEST,
    max_retries=None,
    acks_on_failure_or_timeout=False,
    Strategy="worker.running.gathering:gathered",
)
def ingest_batch(self: Task, *arguments: Any, **named: Any) -> None:
    """Take in a batch; its id is the message's.

    The argument is the list of its events. With `backfill` it is history. `refused` are fields of
    what goes to quarantine as it came (`core.events.Quarantined`). What waited behind the message
    comes along with it (`worker.running.gathering`).
    """
    batch = _batch(self.request.id, arguments, named)
    if along := self.request.get("along"):
        _ingest_as_one(batch, along)
        return
    again = handed_out_before(self)
    try:
        result = with_rules_in_force(
            lambda book: ingest(engine(), batch, book, now(self), again=again)
        )
    except Exception as error:  # `ingest` could not now, or nobody could say which rules to use
        _again(self, error)
        return
    _report([batch], [result], _demos_time(self))


def _ingest_as_one(batch: Batch, along: Sequence[tuple[str, str]]) -> None:
    """Take in a batch and those that came along as one, or give all back, to come one by one.

    `along` holds the ids of their messages, and the bodies."""
    try:
        given = _not_done([batch, *(_unpacked(*message) for message in along)])
        for backfill in (True, False):
            alike = [batch for batch in given if batch.backfill == backfill]
            if alike:
                _report(alike, _applied_as_one(alike))
    except Exception as error:
        log.warning("batches will be taken in one by one", batches=1 + len(along), error=str(error))
        raise Reject(error, requeue=True) from error


def _not_done(given: Sequence[Batch]) -> list[Batch]:
    """Those that have not been applied or parked: a message may come twice, and would undo all."""
    with reading(engine()) as db:
        known = batches.read(db, [batch.id for batch in given])
    done = {one.id for one in known if one.state is not BatchState.STARTED}
    return [batch for batch in given if batch.id not in done]


def _applied_as_one(alike: Sequence[Batch]) -> Sequence[BatchResult]:
    return with_rules_in_force(lambda book: ingest_as_one(engine(), alike, book, clock()))


def _unpacked(id_: str, body: str | bytes) -> Batch:
    """A batch from the body of its message, of Celery's second protocol."""
    arguments, named, _ = loads(body)
    return _batch(id_, arguments, named)


def _batch(id_: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> Batch:
    """A batch as the arguments of its message tell it; what they cannot tell is put aside."""
    try:
        return _as_batch(id_, *arguments, **named)
    except (TypeError, KeyError) as error:
        problem = f"a message for {INGEST} has one argument, a list of events: {error}"
        body = json.dumps([arguments, named])
        return Batch(id_, [], [Quarantined(None, None, (problem,), body)])


def _as_batch(
    id_: str, events: Any, backfill: bool = False, refused: Sequence[dict[str, Any]] = ()
) -> Batch:
    given = events if isinstance(events, list) else [events]  # one sent without a list around it
    bad = [Quarantined(**one | {"problems": tuple(one["problems"])}) for one in refused]
    return Batch(id_, given, bad, backfill)


def _report(
    given: Sequence[Batch], results: Sequence[BatchResult], time: Mapping[str, str] | None = None
) -> None:
    """Say what came of batches, and have those told who should hear of it; `time` is a demo's."""
    for batch, result in zip(given, results, strict=True):
        if result.parked:
            events = len(batch.events)
            log.error("batch parked", batch=batch.id, events=events, error=result.parked)
        else:
            log.info("batch applied", batch=batch.id, **_counts(result.counts))
    _go_on_after(results, time)


@app.task(bind=True, name=RELEASE, max_retries=None)
def release_waiting(self: Task) -> None:
    """Take in some of the events that wait although it is known whose they are, then the next."""
    try:
        result = with_rules_in_force(lambda book: releasing.release(engine(), book, now(self)))
    except Exception as error:  # nothing was done; the minute's pass asks for it again
        log.warning("waiting events wait for the next pass", error=str(error))
        return
    if result is not None:
        log.info("waiting events released", **_counts(result.counts))
        _go_on_after([result], _demos_time(self))


def request_release(time: Mapping[str, str] | None = None) -> None:
    """Ask for the release of what waits; what is not asked for now is with the minute's pass.

    `time` is the header of a demo's messages.
    """
    try:
        release_waiting.apply_async(retry=False, headers=time)
    except BrokerDown as error:
        log.warning("waiting events wait for the next pass", error=str(error))


# Acknowledged when it begins: it may take longer than the queue waits for that.
@app.task(bind=True, name=CATCH_UP, max_retries=None, acks_late=False, time_limit=CATCH_UP_SECONDS)
def catch_up(self: Task) -> None:
    """Make an account anew that is too large for the batch that said so, then the next.

    No batch asks for it, the minute's pass does: nobody else is at work meanwhile, and what further
    ones say until then is done at once.
    """
    try:
        result = with_rules_in_force(lambda book: catching_up.catch_up(engine(), book, now(self)))
    except Exception as error:  # nothing was done; the minute's pass asks for it again
        log.warning("an account is behind until the next pass", error=str(error))
        return
    if result is not None:
        log.info("account made anew", alerts=result.alerts)
        _go_on_after([result], _demos_time(self))
        if result.behind:
            request_catching_up(_demos_time(self))


def request_catching_up(time: Mapping[str, str] | None = None) -> None:
    """Ask for large accounts to be made anew; if the queue is down, the minute's pass will.

    `time` is the header of a demo's messages.
    """
    try:
        catch_up.apply_async(retry=False, headers=time)
    except BrokerDown as error:
        log.warning("accounts are behind until the next pass", error=str(error))


def _go_on_after(results: Sequence[BatchResult], time: Mapping[str, str] | None) -> None:
    if any(result.alerts or result.announced for result in results):
        _ring()
    if any(result.unreleased for result in results):
        request_release(time)


@app.task(bind=True, name=SWEEP, max_retries=None)
def sweep_shard(self: Task, sweep: int, shard: int) -> None:
    """Sweep one shard, unless it is done or in another's hands."""
    done = with_rules_in_force(
        lambda book: sweeps.sweep_shard(
            engine(), sweep, shard, book, now(self), LEASE, merges.PATIENCE
        )
    )
    if done is not None:
        log.info(
            "shard swept",
            sweep=sweep,
            shard=shard,
            accounts=done.accounts,
            opened=done.opened,
            resolved=done.resolved,
        )
        if done.alerts or done.announced:
            _ring()


@app.task(bind=True, name=DELIVER, max_retries=None)
def deliver(self: Task) -> None:
    """Plan what the outbox holds, and send what is due; have others see to webhooks meanwhile."""
    _go_on_with_webhooks()
    planning.plan(engine(), clock(), telling(), growth())
    config = slack()
    way = delivery.way(config, Console())
    senders = delivery.SENDERS if config.token else 1  # what is printed is read in order
    done = delivery.deliver(engine(), way, clock, within=DELIVERY_TIME, senders=senders)
    if done.sent or done.failed:
        log.info("delivered", sent=done.sent, failed=done.failed, waiting=done.waiting)
    if done.waiting:
        _go_on_delivering(done.sent + done.failed > 0)


@app.task(name=WEBHOOKS)
def send_to_webhooks() -> None:
    """Send what is due to other systems."""
    told = webhooks()
    if told is None:
        return
    done = webhook_delivery.deliver(engine(), told, webhook_secret, clock, DELIVERY_TIME)
    if done.sent or done.failed:
        log.info("webhooks told", sent=done.sent, failed=done.failed, waiting=done.waiting)
        _go_on_with_webhooks()


def _go_on_with_webhooks() -> None:
    """Have what is due to other systems sent, if anything is."""
    told = webhooks()
    if not told:
        return
    with reading(engine()) as db:
        due = receivers.is_due(db, [one.name for one in told], clock())
    if due:
        request_webhooks()


def request_webhooks() -> None:
    """Ask for what is due to other systems; what is not asked for now is with the minute's pass."""
    try:
        send_to_webhooks.apply_async(retry=False)
    except BrokerDown as error:
        log.warning("webhooks wait for the next pass", error=str(error))


@app.task(name=WEEKS)
def plan_weeks() -> None:
    """Plan the weekly summaries that are due."""
    if weekly.plan_weeks(engine(), clock(), rules_in_force()):
        request_delivery()


def request_weeks() -> None:
    """Ask for the weekly summaries that are due; what is not asked for now is a while later."""
    try:
        plan_weeks.apply_async(retry=False)
    except BrokerDown as error:
        log.warning("weekly summaries wait for the next pass", error=str(error))


def handed_out_before(task: Task) -> bool:
    """Whether some worker has had this message already: one that died, or that will try again."""
    told = task.request.delivery_info or {}
    return bool(task.request.retries or told.get("redelivered"))


def now(task: Task) -> datetime:
    """The time for this message: the clock's, but a demo's own in a demo workspace."""
    given = _demos_time(task)
    if given:
        with reading(engine()) as db:
            if is_demo(db):
                return datetime.fromisoformat(given[DEMO_NOW])
    return clock()


def _demos_time(task: Task) -> Mapping[str, str] | None:
    """The header with which a demo says its time, for what follows from its message."""
    given = (task.request.get("headers") or {}).get(DEMO_NOW) or task.request.get(DEMO_NOW)
    return {DEMO_NOW: given} if given else None


def request_delivery(seconds: float = 0) -> bool:
    """Ask for a delivery in `seconds`, and say whether that went through; if the queue is down,
    the minute's pass will do it."""
    try:
        deliver.apply_async(countdown=seconds or None, retry=False)
    except BrokerDown as error:
        log.warning("delivery waits for the minute's pass", error=str(error))
        return False
    return True


def _ring() -> None:
    """See that a delivery begins after now, and soon: a message a batch would cost it dearly."""
    seconds = _bell.delay(monotonic())
    if seconds is not None and not request_delivery(seconds):
        _bell.unheard()


def _go_on_delivering(progress: bool) -> None:
    """Go on where a pass stopped, when the next message is due: a channel's turn has come, or the
    pause is over that Slack asked for.

    What waits for longer than a worker should hold a message is left to the minute's pass. So is
    what is due although the pass made no progress: another worker is sending it.
    """
    with reading(engine()) as db:
        due = backlog.next_due(db)
    now = clock()
    seconds = (due - now).total_seconds() if due else 0
    if due is None or seconds > LONGEST_DELAY or (seconds <= 0 and not progress):
        return
    at = max(due, now)
    with writing(engine()) as db:
        ours = pacing.claim(db, at, now)
    if ours:
        request_delivery(max(0, seconds))


def request_shards(
    shards: Iterable[tuple[int, int]], headers: Mapping[str, str] | None = None
) -> None:
    """Hand shards to the workers; what gets lost, the minute's pass hands out again."""
    for sweep, shard in shards:
        sweep_shard.apply_async((sweep, shard), headers=dict(headers or {}))


def _again(task: Task, error: Exception) -> None:
    delay = min(2**task.request.retries, LONGEST_DELAY)
    log.warning("batch will be tried again", batch=task.request.id, seconds=delay, error=str(error))
    try:
        raise task.retry(exc=error, countdown=delay)
    except BrokerDown as down:
        raise Reject(down, requeue=True) from down


def _counts(counts: Any) -> dict[str, int]:
    return {name: getattr(counts, name) for name in counts.__slots__}


@worker_process_init.connect
def _collect_less_often(**_: object) -> None:
    collect_less_often()


@setup_logging.connect
def _set_up_logging(**_: object) -> None:
    logs.set_up(settings().log_level)
