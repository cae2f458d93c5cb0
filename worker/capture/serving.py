"""Listens to Slack until the process is told to stop; what was acknowledged is still done then."""

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from types import FrameType

from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from worker.capture import clicks
from worker.capture.asking import Desk
from worker.capture.slack import handed_to, listener

AT_ONCE = 8
"""Answers that are worked on at a time; a process's connections to the database do for them."""

PING_SECONDS = 5
"""Between two signs of life on a socket; one that is dead is noticed, and replaced, after six."""


class NoSocket(Exception):
    """Slack opens no socket; the message is its word for why."""


def over_socket(desk: Desk, client: WebClient, token: str) -> None:
    """Listen on a socket to Slack, which is opened from here, and again whenever it breaks.

    Raises:
        NoSocket: Slack does not take the token, or cannot be reached.
    """
    with _work() as executor:
        app = listener(desk, client, executor)
        socket = SocketModeHandler(app, token, ping_interval=PING_SECONDS)
        try:
            socket.connect()
        except SlackApiError as error:
            raise NoSocket(str(error.response.get("error"))) from None
        except Exception as error:  # whatever sockets and TLS raise
            raise NoSocket(f"no answer: {error or type(error).__name__}") from None
        try:
            with clicks.taken_over(desk, client, handed_to(executor)):
                threading.Event().wait()
        finally:
            socket.close()


@contextmanager
def _work() -> Iterator[ThreadPoolExecutor]:
    """Does what goes on after an answer, and ends when that is done, once a signal says so."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with ThreadPoolExecutor(AT_ONCE, "slack") as executor, suppress(KeyboardInterrupt):
            yield executor
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
