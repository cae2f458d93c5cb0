"""`tiewatch worker`, `scheduler`, `gateway` and `up`: the processes that run all the time."""

import os
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

from worker import logs, runtime
from worker import scheduler as scheduling
from worker.capture import hosting
from worker.celery_app import DELIVER, INGEST, SWEEP
from worker.cli.access import database, queue
from worker.cli.terminal import Refused, say
from worker.settings import settings

LOOPBACK = "127.0.0.1"
GATEWAY_PORT = 8787

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


def gateway(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = LOOPBACK,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port.")] = GATEWAY_PORT,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Processes; TIEWATCH_GATEWAY_PROCESSES else.")
    ] = None,
) -> None:
    """Take events in over HTTP: CloudEvents, Segment's libraries, webhooks. Stop with Ctrl-C."""
    engine = database()
    hosting.desk_of(settings())  # what is wrong with the settings is told here, once
    logs.set_up(settings().log_level)
    engine.dispose()
    with queue() as app, hosting.shared_figures():
        os.environ["TIEWATCH_BROKER_URL"] = str(app.conf.broker_url)  # for our processes
        hosting.serve(host, port, processes or settings().gateway_processes)


def up(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port of the gateway.")
    ] = GATEWAY_PORT,
) -> None:
    """Run the worker, the scheduler and the gateway together on this machine. Stop with Ctrl-C."""
    engine = database()
    runtime.rules_in_force()
    engine.dispose()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with queue() if settings().broker is None else nullcontext():
        commands = {"worker": ["worker"], "scheduler": ["scheduler"]}
        commands["gateway"] = ["gateway", "--port", str(port)]
        running = {
            name: Popen([sys.executable, "-m", "worker", *command])
            for name, command in commands.items()
        }
        say(
            f"tiewatch is up: a worker, a scheduler and a gateway on http://{LOOPBACK}:{port}. "
            "Ctrl-C stops all."
        )
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


def _first_to_end(running: dict[str, "Popen[bytes]"]) -> str:
    while True:
        for name, process in running.items():
            if process.poll() is not None:
                return name
        time.sleep(0.2)
