"""`tiewatch sweep` and `tiewatch deliver`: by hand what the scheduler has workers do."""

import time
from datetime import date
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy import Engine

from worker import tasks
from worker.cli.access import a_date, database
from worker.cli.terminal import AsJson, Refused, print_json, progress, say
from worker.delivering import delivery, planning, webhook_delivery
from worker.delivering.delivery import Delivered
from worker.delivering.sending import Way
from worker.evaluating import sweeps
from worker.rulebooks.rulebook import Rulebook
from worker.running import runtime
from worker.settings import settings, webhook_secret
from worker.slack.phrases import counted
from worker.store import backlog, outbox, webhooks
from worker.store import sweeps as sweeps_store
from worker.store.database import reading, writing
from worker.store.sweeps import Totals

MANUAL = "manual"


def run(
    on: Annotated[
        str | None, typer.Option(help="Sweep as of the end of this date instead of today.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate every account as of today, as the daily sweep does, and show what changed."""
    engine = database()
    done = run_sweep(engine, a_date(on))
    if a_date(on) > a_date(None):
        say(
            f"Flags and rules are as of {on} from now on, until that date is past: a sweep of an "
            "earlier one is refused."
        )
    if as_json:
        print_json({"accounts": done.accounts, "opened": done.opened, "resolved": done.resolved})
    else:
        print(
            f"{counted(done.accounts, 'account')} swept: {counted(done.opened, 'flag')} opened, "
            f"{done.resolved:,} resolved."
        )
    _mention_waiting(engine)


def run_sweep(engine: Engine, on: date) -> Totals:
    """Sweep all accounts in this process.

    Raises:
        Refused: for a date before the last sweep.
    """
    runtime.rulebook()  # here an admin sits: a problem in a rule file is refused
    now = runtime.clock()
    try:
        sweep = sweeps.open_sweep(engine, MANUAL, now.isoformat(), on, now)
    except sweeps.SweepRefused as error:
        raise Refused(str(error)) from error
    assert sweep is not None, "its slot is this very moment"
    with reading(engine) as db:
        left = sweeps_store.totals(db, sweep, sweeps.MAX_STARTS).left
    with progress("Sweeping", left) as bar:
        for shard in range(left):
            runtime.with_rules_in_force(partial(_sweep_shard, engine, sweep, shard))
            bar.advance()
    with reading(engine) as db:
        return sweeps_store.totals(db, sweep, sweeps.MAX_STARTS)


def _sweep_shard(engine: Engine, sweep: int, shard: int, book: Rulebook) -> None:
    sweeps.sweep_shard(engine, sweep, shard, book, runtime.clock(), tasks.LEASE)


def deliver(
    failed: Annotated[
        bool,
        typer.Option("--failed", help="Try those again, too, that were given up or put aside."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send what waits, once: alerts to Slack, or to the terminal where no token is set, and what
    webhooks are to be told."""
    engine = database()
    if failed:
        with writing(engine) as db:
            backlog.requeue(db, runtime.clock())
            outbox.try_again(db, runtime.clock())
    planning.plan(engine, runtime.clock(), runtime.telling(), runtime.growth())
    way = delivery.way(runtime.slack(), Console(stderr=as_json))
    done, told = _deliver(engine, way), _to_webhooks(engine)
    together = {
        "sent": done.sent + told.sent,
        "failed": done.failed + told.failed,
        "waiting": done.waiting + told.waiting,
    }
    if as_json:
        print_json(together)
    else:
        print(
            f"{counted(done.sent, 'alert')} sent, {done.failed:,} failed, {done.waiting:,} waiting."
        )
    if not as_json and told != Delivered(0, 0, 0):
        print(f"Webhooks: {told.sent:,} sent, {told.failed:,} failed, {told.waiting:,} waiting.")
    if told.failed:
        say("'tiewatch doctor' says why; 'tiewatch webhooks resume NAME' sends them again.")
    if done.failed:
        say("'tiewatch doctor' says why; 'tiewatch deliver --failed' tries them again.")
    with reading(engine) as db:
        aside = outbox.number_aside(db)
    if aside:
        are = "is put aside: it" if aside == 1 else "are put aside: they"
        say(f"{counted(aside, 'alert')} {are} cannot be planned, 'tiewatch doctor' says why.")


def _deliver(engine: Engine, way: Way) -> Delivered:
    """Send what is due, and what only waits for its channel's turn: a command may wait for that."""
    sent = failed = 0
    while True:
        done = delivery.deliver(engine, way, runtime.clock)
        sent, failed = sent + done.sent, failed + done.failed
        with reading(engine) as db:
            due = backlog.next_due(db)
        seconds = (due - runtime.clock()).total_seconds() if due else 0
        if due is None or seconds > settings().slack_seconds_apart or not done.sent + done.failed:
            return Delivered(sent, failed, done.waiting)
        time.sleep(max(0, seconds))


def _to_webhooks(engine: Engine) -> Delivered:
    told = runtime.webhooks()
    if told is None:
        return Delivered(0, 0, 0)
    return webhook_delivery.deliver(engine, told, webhook_secret, runtime.clock)


def _mention_waiting(engine: Engine) -> None:
    with reading(engine) as db:
        waiting = backlog.unsent(db) + outbox.to_plan(db) + webhooks.waiting(db)
    if waiting:
        wait, them = ("waits", "it") if waiting == 1 else ("wait", "them")
        say(
            f"{counted(waiting, 'alert')} {wait}: 'tiewatch deliver' sends {them}, and so does the "
            "scheduler."
        )
