"""Real tiewatch processes for tests to start, watch and kill; none of them outlives its test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from celery import Celery

from worker.celery_app import INGEST

ROOT = Path(__file__).parents[2]
LOG = "workers.log"


class Worker:
    """A `tiewatch worker` and its pool children."""

    def __init__(self, folder: Path, env: dict[str, str], *options: str, module: str) -> None:
        """Start it, and wait until its children are there. Its log goes into `folder`."""
        self.log = folder / LOG
        command = [sys.executable, "-m", module, "worker", "--processes", "2", *options]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=folder, env=environment(env), stdout=log, stderr=log
            )
        self._ever: dict[int, psutil.Process] = {}
        try:
            until(lambda: len(self.children()) == 2, self._log)
        except BaseException:
            self.kill()
            raise

    def children(self) -> list[psutil.Process]:
        """The pool children that live now."""
        with suppress(psutil.NoSuchProcess):
            self._ever |= {one.pid: one for one in psutil.Process(self._process.pid).children()}
        return [child for child in self._ever.values() if _lives(child)]

    def kill_child(self, number: int) -> None:
        """`kill -9` one of the children, once there is one to kill."""
        until(lambda: len(self.children()) > number, self._log)
        children = sorted(self.children(), key=lambda child: child.pid)
        children[number].kill()

    def kill(self) -> None:
        """`kill -9` the worker. Its children end as they find out, at the latest with the test."""
        self.children()
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to stop, as Ctrl-C and an init system do; its exit status."""
        self.children()
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def end(self) -> None:
        """See that nothing of it is left."""
        if self._process.poll() is None:
            self.kill()
        for child in self.children():
            with suppress(psutil.NoSuchProcess):
                child.kill()

    def _log(self) -> str:
        return self.log.read_text()


class Workers:
    """Starts workers that share a database and a queue."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        """`env` is what the workers' environment has more than ours."""
        self.folder, self.env = folder, env
        self._all: list[Worker] = []

    def start(self, *options: str, module: str = "worker", **env: str) -> Worker:
        """Start one more. `module` stands in for `worker`, `env` adds to its environment."""
        one = Worker(self.folder, self.env | env, *options, module=module)
        self._all.append(one)
        return one

    def logs(self) -> str:
        """What they have said."""
        return (self.folder / LOG).read_text()

    def end(self) -> None:
        """End all that still run."""
        for one in self._all:
            one.end()


@contextmanager
def workers(folder: Path, database_url: str, broker_url: str, **env: str) -> Iterator[Workers]:
    """Workers on this database and queue, which end with the block."""
    urls = {"TIEWATCH_DATABASE_URL": database_url, "TIEWATCH_BROKER_URL": broker_url}
    started = Workers(folder, urls | env)
    try:
        yield started
    finally:
        started.end()


def tiewatch(
    folder: Path, database_url: str, broker_url: str, *arguments: str
) -> "subprocess.CompletedProcess[str]":
    """Run a command of tiewatch to its end."""
    urls = {"TIEWATCH_DATABASE_URL": database_url, "TIEWATCH_BROKER_URL": broker_url}
    return subprocess.run(
        [sys.executable, "-m", "worker", *arguments],
        cwd=folder,
        env=environment(urls),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def publish(broker_url: str, batches: Mapping[str, Sequence[Any]]) -> None:
    """Put batches on the queue by id, as any program may."""
    with Celery(broker=broker_url, set_as_current=False) as app:
        for batch, events in batches.items():
            app.send_task(INGEST, (events,), queue=INGEST, task_id=batch)


def until(holds: Callable[[], bool], log: Callable[[], str] = str, seconds: float = 60) -> None:
    """Wait until something holds; fails with the end of the log."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so after {seconds} s. Log:\n{log()[-4_000:]}"
        time.sleep(0.01)


def _lives(process: psutil.Process) -> bool:
    """Whether it runs; the ids of processes are used again, so it must be the same one."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def environment(more: dict[str, str]) -> dict[str, str]:
    """Ours for a process of the tests: without settings of whoever runs them, but with `more`."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TIEWATCH_")}
    return ours | {"PYTHONPATH": str(ROOT)} | more
