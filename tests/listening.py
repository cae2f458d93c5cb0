"""Servers on this machine that tests talk to over real HTTP: how all of them start and stop."""

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
