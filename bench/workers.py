"""Real worker processes, and what they are sent."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import redis
import sqlalchemy as sa
from celery import Celery

from bench.stage import Stage, four_rules

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 300

WARM_UP = 12
"""Batches that each worker process takes before the clock starts: PostgreSQL settles on a plan for
a statement only when it has seen it ten times."""

WARM_SIZE = 1_000
"""Events of such a batch."""

BY_ITSELF = {"expires": 3_600}
"""How a batch is sent that is not taken in together with others that wait."""


def publish(on: Stage, task: str, arguments: Iterable[Any], **how: Any) -> None:
    """Send one message an argument to the queue that has the task's name, as any program can."""
    with Celery(broker=on.broker, set_as_current=False) as producer:
        for argument in arguments:
            producer.send_task(task, [argument], queue=task, **how)


Workers = subprocess.Popen[bytes]
"""The leader of a process group of workers."""


@contextmanager
def tiewatch(
    on: Stage, url: str, processes: int, *queues: str, **settings: str
) -> Iterator[Workers]:
    """`tiewatch worker` on a database, with these settings beside."""
    variables = {
        "TIEWATCH_DATABASE_URL": url,
        "TIEWATCH_BROKER_URL": on.broker,
        "TIEWATCH_RULES_DIR": str(four_rules()),
        **{f"TIEWATCH_{name.upper()}": value for name, value in settings.items()},
    }
    command = ["-m", "worker", "worker", "--processes", str(processes), "--quiet"]
    command += [part for queue in queues for part in ("--queue", queue)]
    with group(command, variables) as leader:
        yield leader


@contextmanager
def group(arguments: Sequence[str], variables: dict[str, str]) -> Iterator[Workers]:
    """Run Python with these arguments as a process group of its own, and end it.

    What it writes comes out only if the block fails.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("TIEWATCH_")}
    with tempfile.TemporaryFile("w+") as output:
        leader = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=inherited | variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield leader
        except RuntimeError as error:
            output.seek(0)
            raise RuntimeError(f"{error}; the workers wrote:\n{output.read()[-4_000:]}") from error
        finally:
            leader.terminate()
            try:
                leader.wait(15)
            except subprocess.TimeoutExpired:
                leader.kill()
                leader.wait()
            with suppress(ProcessLookupError):  # as it should be: none of its children is left
                os.killpg(leader.pid, signal.SIGKILL)


@contextmanager
def held(workers: Workers) -> Iterator[None]:
    """Keep all processes of a group from running while the block fills their queue."""
    os.killpg(workers.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(workers.pid, signal.SIGCONT)


def wait_for(
    workers: Workers, db: sa.Connection, counting: str, number: int, **values: Any
) -> None:
    """Return once the query `counting` counts up to `number`; looks fifty times a second.

    Raises:
        RuntimeError: the workers have ended, or it has not within five minutes.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    statement = sa.text(counting)
    while (found := db.scalar(statement, values)) != number:
        if workers.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{found} of {number} arrived")
        time.sleep(0.02)


def empty(on: Stage) -> None:
    """Forget what is queued."""
    with redis.Redis.from_url(on.broker) as client:
        client.flushdb()


def command(*words: str, **variables: str) -> tuple[Any, float, float]:
    """Run a `tiewatch` command with `--json`, start-up included.

    Its document, wall seconds, and largest resident memory in MB. Settings are given by name,
    without their prefix. Raises RuntimeError, with what it said, if it fails.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "worker", *words, "--json"],
        cwd=ROOT,
        env=os.environ | {f"TIEWATCH_{name}": value for name, value in variables.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    told, remarks = process.stdout.read(), process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"tiewatch {words[0]} failed: {told.decode()}{remarks.decode()}")
    unit = 1 if sys.platform == "darwin" else 1_024
    return json.loads(told), seconds, used.ru_maxrss * unit / 1_000_000
