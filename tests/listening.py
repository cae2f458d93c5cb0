"""Servers on this machine that tests talk to over real HTTP: how all of them start and stop."""

import select
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer


class Listener(ThreadingHTTPServer):
    """A server on a free port, which serves once it is `served`."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, endpoint: type) -> None:
        super().__init__(("127.0.0.1", 0), endpoint)

    def handle_error(self, *_about: object) -> None:
        """Whoever asked may be killed, or hang up: that is what some tests are about."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*_about)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def served(server: Listener) -> Iterator[None]:
    """Serve until the block ends."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def has_hung_up(connection: socket.socket) -> bool:
    """Whether whoever asked is gone, as on a busy machine they may be before they are heard: a test
    counts on it that what was not answered in time was not done later either."""
    heard = select.poll()  # not select(), which knows no file above the 1,024th
    heard.register(connection, select.POLLIN)
    try:
        return bool(heard.poll(0)) and not connection.recv(1, socket.MSG_PEEK)
    except ConnectionError:
        return True
