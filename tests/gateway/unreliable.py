"""A server before the gateway that fails now and then, as networks and load balancers do."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2

PASS = "pass"
REFUSE = "refuse"
LOSE = "lose"
"""What becomes of a request: it is passed on; answered with 500 at once; passed on, and the answer
is lost to a 500."""


class Unreliable(ThreadingHTTPServer):
    """Passes requests on to `behind`, but treats the first ones as `fates` says."""

    daemon_threads = True

    def __init__(self, behind: str, fates: Sequence[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Front)
        self.behind, self.fates = behind, list(fates)
        self.seen: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Front(BaseHTTPRequestHandler):
    server: Unreliable

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fate = self.server.fates.pop(0) if self.server.fates else PASS
        self.server.seen.append(f"{fate} {self.path}")
        status, answer = 500, b"{}"
        if fate != REFUSE:
            headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
            found = httpx2.post(f"{self.server.behind}{self.path}", content=body, headers=headers)
            if fate == PASS:
                status, answer = found.status_code, found.content
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def unreliable(behind: str, *fates: str) -> Iterator[Unreliable]:
    """Run one for as long as the block."""
    server = Unreliable(behind, fates)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
