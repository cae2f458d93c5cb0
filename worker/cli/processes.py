"""`tiewatch worker`, `scheduler` and `up`: the processes that run all the time."""

import signal
import sys
import time
import warnings
from contextlib import nullcontext
from subprocess import Popen
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from celery.platforms import SecurityWarning

from worker import scheduler as scheduling
from worker.celery_app import DELIVER, INGEST, SWEEP
from worker.cli.access import database, queue
from worker.cli.terminal import Refused, say
from worker.running import logs, runtime
from worker.settings import settings

QUEUES = (INGEST, SWEEP, DELIVER)


def worker(
    processes: Annotated[
        int | None, typer.Option(min=1, help="Worker processes; TIEWATCH_WORKER_PROCESSES else.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--queue", help=f"Serve only these queues, of {', '.join(QUEUES)}."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Log only warnings.")] = False,
) -> None:
    """Take in events, sweep and deliver: the process that does the work. Stop with Ctrl-C."""
    unknown = sorted(set(only or ()) - set(QUEUES))
    if unknown:
        raise Refused(f"There is no queue {unknown[0]!r}: the queues are {', '.join(QUEUES)}.")
    engine = database()
    runtime.rules_in_force()
    engine.dispose()  # the children make their own connections
    if quiet:
        settings().log_level = "warning"
        warnings.simplefilter("ignore", SecurityWarning)  # Celery's, about running as root
    with queue() as app:
        running: Any = app.Worker(
            concurrency=processes or settings().worker_processes,
            queues=list(only or QUEUES),
            quiet=True,
            without_gossip=True,
            without_mingle=True,
            redirect_stdouts=False,
        )
        running.start()
    raise typer.Exit(running.exitcode or 0)


def scheduler() -> None:
    """Begin the daily sweep at its hour, and see that nothing is left lying. Stop with Ctrl-C."""
    ours = settings()
    try:
        zone = ZoneInfo(ours.sweep_timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Refused(
            f"TIEWATCH_SWEEP_TIMEZONE: {ours.sweep_timezone!r} is no time zone; "
            "write it like Europe/Berlin."
        ) from error
    logs.set_up(ours.log_level)
    engine = database()
    with queue():
        scheduling.run(engine, ours.sweep_hour, zone)


def up(
    port: Annotated[
        int, typer.Option(min=1, max=65_535, help="The gateway's port, on 127.0.0.1.")
    ] = 8000,
) -> None:
    """Run everything together on this machine. Stop with Ctrl-C.

    That is a worker, a scheduler and a gateway, and with TIEWATCH_SLACK_APP_TOKEN what listens to
    Slack.
    """
    engine = database()
    runtime.rules_in_force()
    engine.dispose()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with queue() if settings().broker is None else nullcontext():
        running = {
            name: Popen([sys.executable, "-m", "worker", *command])
            for name, command in _parts(port).items()
        }
        say(f"tiewatch is up: {', '.join(running)}. Ctrl-C stops all of it.")
        try:
            ended = _first_to_end(running)
            say(f"The {ended} ended by itself, so all is stopped: its log above says why.")
        except KeyboardInterrupt:
            ended = None
        finally:
            for process in running.values():
                process.terminate()
            for process in running.values():
                process.wait()
    raise typer.Exit(0 if ended is None else 1)


def _parts(port: int) -> dict[str, list[str]]:
    """The processes that `up` runs, and their commands."""
    ours = settings()
    parts = {"worker": ["worker"], "scheduler": ["scheduler"]}
    parts["gateway"] = ["gateway", "--port", str(port)]
    if ours.slack_bot_token and ours.slack_app_token:
        parts["listener"] = ["slack", "listen"]
    return parts


def _first_to_end(running: dict[str, "Popen[bytes]"]) -> str:
    while True:
        for name, process in running.items():
            if process.poll() is not None:
                return name
        time.sleep(0.2)
