"""Another system that is told: a real HTTP server that checks what it hears, with the library
that Standard Webhooks publish: well or badly behaved.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

from standardwebhooks import Webhook

from tests.listening import Listener, has_hung_up, served
from tests.slack_server import OK, Answer

SECRET = "whsec_c2lnbmVkIGFuZCBkZWxpdmVyZWQsIHRoaXJ0eSBieXRlcw=="


@dataclass(frozen=True)
class Heard:
    """A message that was signed as it should be."""

    path: str
    id: str
    timestamp: datetime
    body: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["data"]
        return found

    @property
    def type(self) -> str:
        return str(self.body["type"])


class Receiver:
    """What was heard, in order, and what to answer next; without more to say, it answers well.

    `asked` counts requests, `unproven` are the ids of those that were signed with another secret.
    `kill` ends the sender.
    """

    def __init__(self, secret: str = SECRET) -> None:
        self.secret = secret
        self.heard: list[Heard] = []
        self.unproven: list[str] = []
        self.asked = 0
        self.answers: deque[Answer] = deque()
        self.kill: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._http = _Server(_Endpoint)
        self._http.receiver = self

    def url(self, path: str = "/hooks") -> str:
        return f"{self._http.url}{path}"

    def next(self, *answers: Answer) -> None:
        """Treat the next requests so."""
        self.answers.extend(answers)

    def take(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        with self._lock:
            self.asked += 1
            answer = self.answers.popleft() if self.answers else OK
            stamp = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
            signed = Webhook(self.secret).sign(headers["webhook-id"], stamp, body.decode())
            if signed not in headers["webhook-signature"].split():
                self.unproven.append(headers["webhook-id"])
                return Answer(401, b"not believed")
            if answer.posts:
                self.heard.append(Heard(path, headers["webhook-id"], stamp, json.loads(body)))
            return answer

    @contextmanager
    def run(self) -> Iterator["Receiver"]:
        """Listen until the block ends."""
        with served(self._http):
            yield self


class _Server(Listener):
    receiver: Receiver


class _Endpoint(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if has_hung_up(self.connection):
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.receiver.take(self.path, headers, body)
        if answer.kills:
            self.server.receiver.kill()
        time.sleep(answer.delay)
        if answer.drops:
            self.close_connection = True
            return
        if answer.trickles:
            self._trickle()
            return
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def _trickle(self) -> None:
        """Write headers without an end, until whoever waits for it has hung up."""
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while True:
                self.wfile.write(b"x")
                time.sleep(0.05)
        except OSError:
            self.close_connection = True

    def log_message(self, *_args: object) -> None:
        """Say nothing: the tests look at what was heard."""
