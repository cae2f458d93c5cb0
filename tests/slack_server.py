"""A Slack to send to: one real HTTP server that answers `chat.postMessage`, well or badly.

It holds messages to the limits that Slack documents, so whatever a test sends is checked for them.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.slack_limits import problems_of_message


@dataclass(frozen=True)
class Answer:
    """How the server treats one request.

    `posts`: the message appears in the channel. `drops`: the connection ends without an answer,
    after `delay` seconds of silence.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    posts: bool = False
    drops: bool = False
    delay: float = 0.0


OK = Answer(posts=True)
DROP_BEFORE = Answer(drops=True)
DROP_AFTER = Answer(drops=True, posts=True)


def error(code: str) -> Answer:
    """Slack refuses: status 200 and an error code."""
    return Answer(body=json.dumps({"ok": False, "error": code}).encode())


def status(code: int, body: bytes = b"<html>Oops</html>") -> Answer:
    """Something before Slack fails."""
    return Answer(status=code, body=body)


def slow_down(retry_after: str | None) -> Answer:
    """Too many requests, with this Retry-After header or none."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Answer(429, b'{"ok":false,"error":"ratelimited"}', headers)


def hang(seconds: float) -> Answer:
    """Slack takes the message and says nothing, then hangs up."""
    return Answer(delay=seconds, drops=True, posts=True)


@dataclass(frozen=True)
class Request:
    """One request: when it came, by the machine's clock in seconds, and its parsed body."""

    at: float
    token: str | None
    body: dict[str, Any]
    posted: bool

    @property
    def alert_ids(self) -> list[int]:
        """The rows of `messages` that it tells."""
        ids: list[int] = self.body["metadata"]["event_payload"]["alert_ids"]
        return ids


class SlackServer:
    """What came in, in order, and what to answer next; without more to say, it answers well."""

    def __init__(self) -> None:
        """Listen on a free port of this machine; nothing is served before `run`."""
        self.requests: list[Request] = []
        self.answers: deque[Answer] = deque()
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", 0), _Endpoint)
        self._http.slack = self

    @property
    def url(self) -> str:
        """The base URL for the client."""
        return f"http://127.0.0.1:{self._http.server_port}/api/"

    @property
    def posted(self) -> list[Request]:
        """The messages that people see, in order of arrival."""
        return [request for request in self.requests if request.posted]

    def next(self, *answers: Answer) -> None:
        """Treat the next requests so."""
        self.answers.extend(answers)

    def take(self, at: float, token: str | None, body: dict[str, Any]) -> tuple[Answer, int]:
        """Note a request; the answer to it and its number."""
        with self._lock:
            answer = self.answers.popleft() if self.answers else OK
            wrong = problem(token, body) if answer.posts else None
            if wrong:
                answer = error(wrong)
            self.requests.append(Request(at, token, body, answer.posts))
            return answer, len(self.requests)

    @contextmanager
    def run(self) -> Iterator["SlackServer"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()


@contextmanager
def slack_server() -> Iterator[SlackServer]:
    """A server of its own."""
    with SlackServer().run() as server:
        yield server


def problem(token: str | None, body: dict[str, Any]) -> str | None:
    """Why Slack would refuse this message, as its error code."""
    blocks = body.get("blocks", [])
    if not token:
        return "not_authed"
    if not body.get("channel"):
        return "channel_not_found"
    if not body.get("text") and not blocks:
        return "no_text"
    if problems_of_message(body.get("text", ""), blocks):
        return "invalid_blocks"
    return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    slack: SlackServer


class _Endpoint(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        at = time.time()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        answer, number = self.server.slack.take(at, token, body)
        time.sleep(answer.delay)
        if answer.drops:
            self.close_connection = True
            return
        ts = f"{int(at)}.{number:06}"
        posted = {"ok": True, "channel": body.get("channel"), "ts": ts}
        content = json.dumps(posted).encode() if answer.posts else answer.body
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        """Say nothing: the tests look at what came in."""
