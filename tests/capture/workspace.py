"""A Slack workspace to act in: signed requests to the gateway, and what it calls in return.

Both are real HTTP on this machine. Windows and messages are held to the limits of Slack.
"""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn

from tests import listening
from tests.slack_limits import problems_of_message, problems_of_view, texts_of
from worker.running.embedded import free_port

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TEAM = "T1"
_number = count(1)


@dataclass(frozen=True)
class Call:
    """One call of the gateway: a Web API method, or `respond` for a response URL."""

    method: str
    body: dict[str, Any]

    @property
    def said(self) -> str:
        """Every text in it, however deep."""
        return "\n".join(texts_of(self.body))


_NO_SOCKET = {"ok": False, "error": "invalid_auth"}


class Workspace:
    """What was called, in order. `people` are the users by id, as `users.info` gives them;
    `socket_url` is where a socket may be opened."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.people: dict[str, dict[str, Any]] = {}
        self.socket_url: str | None = None
        self._http = _Server(_Endpoint)
        self._http.workspace = self

    @property
    def url(self) -> str:
        return f"{self._http.url}/api/"

    @property
    def response_url(self) -> str:
        return f"{self._http.url}/respond/1"

    def take(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        method = path.removeprefix("/api/") if path.startswith("/api/") else "respond"
        view = body.get("view")
        if isinstance(view, str):
            view = body["view"] = json.loads(view)
        problems = problems_of_view(view) if view else []
        if method == "respond" and body.get("blocks"):
            problems = problems_of_message(body["text"], body["blocks"])
        self.calls.append(Call(method, body))
        if problems:
            self.calls.append(Call("refused", {"text": str(problems)}))
            return {"ok": False, "error": "invalid_arguments"}
        if method == "apps.connections.open":
            return {"ok": True, "url": self.socket_url} if self.socket_url else _NO_SOCKET
        if method == "users.info":
            found = self.people.get(body["user"])
            return {"ok": True, "user": found} if found else {"ok": False, "error": "no_user"}
        return {"ok": True, "view": {"id": f"V{next(_number)}"}}

    def made(self, method: str, number: int = 1) -> list[Call]:
        """The calls of a method, once there are so many."""

        def found() -> list[Call]:
            return [call for call in self.calls if call.method == method]

        wait_until(lambda: len(found()) >= number, lambda: f"{method}: {self.calls}")
        return found()

    @contextmanager
    def run(self) -> Iterator["Workspace"]:
        with listening.served(self._http):
            yield self


def wait_until(
    holds: Callable[[], bool], else_say: Callable[[], str] = str, seconds: float = 20
) -> None:
    """Wait for what happens after the answer."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, else_say()
        time.sleep(0.02)


class _Server(listening.Listener):
    workspace: Workspace


class _Endpoint(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        is_json = "json" in self.headers.get("Content-Type", "")
        body = json.loads(raw or "{}") if is_json else dict(parse_qsl(raw))
        answer = json.dumps(self.server.workspace.take(self.path, body)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_args: object) -> None:
        """Say nothing: the tests look at what was called."""


@contextmanager
def served(app: Any) -> Iterator[int]:
    """The application behind a real server on a port of this machine."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join(10)


def signed(body: bytes, at: datetime, secret: str = SECRET) -> dict[str, str]:
    """The headers with which Slack sends the body."""
    stamp = str(int(at.timestamp()))
    mac = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={mac.hexdigest()}",
    }


@dataclass(frozen=True)
class Answered:
    status: int
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def post(port: int, body: bytes, headers: dict[str, str], path: str = "/slack/events") -> Answered:
    """Send it to the gateway."""
    began = time.monotonic()
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", path, body, headers)
        response: HTTPResponse = connection.getresponse()
        return Answered(response.status, response.read(), time.monotonic() - began)
    finally:
        connection.close()


@dataclass
class Person:
    """A Slack user who clicks; the signatures are of `now`."""

    port: int
    user: str
    now: datetime
    workspace: Workspace
    team: str = TEAM
    windows: Iterator[int] = field(default_factory=count)

    def send(self, payload: dict[str, Any]) -> Answered:
        body = form(payload | {"user": {"id": self.user}, "team": {"id": self.team}})
        return post(self.port, body, signed(body, self.now))

    def press(self, value: str, *, at: str | None = None, **more: Any) -> Answered:
        """Press a button of a message."""
        return self.send(self.click(value, at=at) | more)

    def click(self, value: str, *, at: str | None = None) -> dict[str, Any]:
        action = value.partition("/")[0]
        return {
            "type": "block_actions",
            "trigger_id": "trigger",
            "response_url": self.workspace.response_url,
            "container": {"type": "message", "message_ts": "1.1", "channel_id": "D1"},
            "actions": [
                {
                    "type": "button",
                    "action_id": f"tiewatch.{action}",
                    "block_id": "b",
                    "value": value,
                    "action_ts": at or f"{next(_number)}.1",
                }
            ],
        }

    def submit(self, opened: Call, window: str | None = None, **fields: Any) -> Answered:
        """Submit a window that was opened; fields as Slack sends their state."""
        view = opened.body["view"]
        state = {name: {name: value} for name, value in fields.items()}
        return self.send(
            {
                "type": "view_submission",
                "trigger_id": "trigger",
                "view": {
                    "id": window or f"VW{next(_number)}",
                    "type": "modal",
                    "callback_id": view["callback_id"],
                    "private_metadata": view["private_metadata"],
                    "state": {"values": state},
                },
            }
        )

    def type(self, opened: Call, field: str, typed: str) -> Answered:
        """Type into a menu of a window that was opened, whose options Slack asks for."""
        view = opened.body["view"]
        named = {name: view[name] for name in ("type", "callback_id", "private_metadata")}
        about = {"action_id": field, "block_id": field, "value": typed}
        return self.send({"type": "block_suggestion"} | about | {"view": {"id": "VW"} | named})

    def command(self, text: str) -> Answered:
        fields = {
            "command": "/tiewatch",
            "text": text,
            "user_id": self.user,
            "team_id": self.team,
            "response_url": self.workspace.response_url,
            "trigger_id": "trigger",
        }
        body = urlencode(fields).encode()
        return post(self.port, body, signed(body, self.now))

    def open_home(self) -> Answered:
        event = {"type": "app_home_opened", "user": self.user, "tab": "home", "channel": "D1"}
        body = json.dumps({"type": "event_callback", "team_id": self.team, "event": event}).encode()
        return post(self.port, body, signed(body, self.now) | {"Content-Type": "application/json"})


def form(payload: dict[str, Any]) -> bytes:
    """An interaction as Slack sends it."""
    return urlencode({"payload": json.dumps(payload)}).encode()


def chosen(value: str) -> dict[str, Any]:
    """The state of a menu or of radio buttons."""
    return {"selected_option": {"value": value}}
