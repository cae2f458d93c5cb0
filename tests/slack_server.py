"""A Slack to send to: a real HTTP server with channels, threads and people, well or badly behaved.

It holds messages and windows to the limits that Slack documents, so whatever a test sends is
checked for them; with `apart` it holds senders to Slack's pace too.
"""

import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.listening import Listener, has_hung_up, served
from tests.slack_limits import problems_of_message, problems_of_view

Json = dict[str, Any]

POST = "chat.postMessage"
UPDATE = "chat.update"


@dataclass(frozen=True)
class Answer:
    """How the server treats one request.

    `posts`: it does what was asked. `drops`: the connection ends without an answer, after `delay`
    seconds of silence. `kills`: the process at the other end is ended, as by `kill -9`. `trickles`:
    the answer takes for ever, though never silent for long.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    posts: bool = False
    drops: bool = False
    delay: float = 0.0
    kills: bool = False
    trickles: bool = False


OK = Answer(posts=True)
DROP_BEFORE = Answer(drops=True)
DROP_AFTER = Answer(drops=True, posts=True)
KILL_BEFORE = Answer(drops=True, kills=True)
KILL_AFTER = Answer(drops=True, posts=True, kills=True)


def error(code: str) -> Answer:
    """Slack refuses: status 200 and an error code."""
    return Answer(body=json.dumps({"ok": False, "error": code}).encode())


def status(code: int, body: bytes = b"<html>Oops</html>", *, posts: bool = False) -> Answer:
    """Something before Slack fails, or with `posts` something after it."""
    return Answer(status=code, body=body, posts=posts)


def slow_down(retry_after: str | None) -> Answer:
    """Too many requests, with this Retry-After header or none."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Answer(429, b'{"ok":false,"error":"ratelimited"}', headers)


def hang(seconds: float, *, posts: bool = True) -> Answer:
    """Slack does what was asked, or not, and says nothing, then hangs up."""
    return Answer(delay=seconds, drops=True, posts=posts)


@dataclass(frozen=True)
class Request:
    """One request: when it came, by the server's clock in seconds, and its parsed body.

    `posted` is whether it put a message into a channel.
    """

    at: float
    token: str | None
    method: str
    body: Json
    posted: bool

    @property
    def alert_ids(self) -> list[int]:
        """The rows of `messages` that it tells."""
        ids: list[int] = self.body["metadata"]["event_payload"]["alert_ids"]
        return ids


class SlackServer:
    """What came in, in order, and what to answer next; without more to say, it answers well.

    `clock` is its time in seconds. `users` are ids by e-mail address, `names` channel ids by name,
    `scopes` what it says that the token may do.
    """

    def __init__(self, clock: Callable[[], float] = time.time, apart: float = 0) -> None:
        """Listen on a free port of this machine; nothing is served before `run`."""
        self.requests: list[Request] = []
        self.answers: deque[Answer] = deque()
        self.channels: dict[str, list[Json]] = defaultdict(list)
        self.views: list[tuple[str, Json]] = []
        self.users: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.scopes: str | None = None
        self.clock, self.apart = clock, apart
        self.kill: Callable[[], None] = lambda: None
        self._room: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()
        self._number = 0
        self._http = _Server(_Endpoint)
        self._http.slack = self

    @property
    def url(self) -> str:
        """The base URL for the client."""
        return f"{self._http.url}/api/"

    @property
    def posted(self) -> list[Request]:
        """The requests that put messages into channels, in order of arrival."""
        return [request for request in self.requests if request.posted]

    def asked(self, method: str) -> list[Request]:
        """The requests of a method, in order of arrival."""
        return [request for request in self.requests if request.method == method]

    def messages(self, channel: str, thread: str | None = None) -> list[Json]:
        """What people see in a channel, or below a message in it, in order."""
        return [
            one
            for one in self.channels[channel]
            if one.get("thread_ts") == thread and one["ts"] != thread
        ]

    def next(self, *answers: Answer) -> None:
        """Treat the next requests so."""
        self.answers.extend(answers)

    def delete(self, channel: str, ts: str) -> None:
        """Somebody deletes a message."""
        self.channels[channel] = [one for one in self.channels[channel] if one["ts"] != ts]

    def take(self, token: str | None, method: str, body: Json) -> Answer:
        """Do what a request asks, unless it is to be treated otherwise; how to answer it."""
        with self._lock:
            at = self.clock()
            answer = self.answers.popleft() if self.answers else self._limit(at, method, body)
            if answer.posts:
                said = {"ok": True, **self._do(at, token, method, body)}
                if not said["ok"] or answer.status == 200:
                    content = json.dumps(said).encode()
                    answer = Answer(body=content, posts=said["ok"], drops=answer.drops,
                                    delay=answer.delay, kills=answer.kills)  # fmt: skip
            posted = answer.posts and method == POST
            self.requests.append(Request(at, token, method, body, posted))
            return answer

    def _limit(self, at: float, method: str, body: Json) -> Answer:
        """Slack's pace: one message in `apart` seconds to a channel, and one more in a burst."""
        if method != POST or not self.apart:
            return OK
        channel = str(body.get("channel"))
        last, room = self._room.get(channel, (at, 2.0))
        room = min(2.0, room + (at - last) / self.apart)
        self._room[channel] = at, room
        if room < 1:
            return slow_down("1")
        self._room[channel] = at, room - 1
        return OK

    def _do(self, at: float, token: str | None, method: str, body: Json) -> Json:
        if not token:
            return _no("not_authed")
        match method:
            case "chat.postMessage":
                return self._post(at, body)
            case "chat.update":
                return self._update(body)
            case "conversations.history":
                return self._page(body, self.messages(body["channel"])[::-1])
            case "conversations.replies":
                return self._replies(body)
            case "conversations.open":
                return {"channel": {"id": _direct(body["users"])}}
            case "conversations.list":
                return {"channels": [{"id": id_, "name": n} for n, id_ in self.names.items()]}
            case "users.lookupByEmail":
                user = self.users.get(body["email"])
                return {"user": {"id": user}} if user else _no("users_not_found")
            case "apps.connections.open":
                return {"url": "wss://slack.example/socket"}
            case "auth.test":
                return {"team": "Test", "user": "tiewatch", "user_id": "U0BOT", "bot_id": "B0BOT"}
            case "views.open" | "views.update" | "views.push" | "views.publish":
                return self._view(method, body)
        return _no("unknown_method")

    def _post(self, at: float, body: Json) -> Json:
        if wrong := problem(body):
            return _no(wrong)
        channel = self._place(body["channel"])
        self._number += 1
        kept = ("text", "blocks", "metadata", "thread_ts")
        message = {"ts": f"{int(at)}.{self._number:06}"}
        message |= {name: body[name] for name in kept if body.get(name)}
        self.channels[channel].append(message)
        return {"channel": channel, "ts": message["ts"]}

    def _update(self, body: Json) -> Json:
        found = self._message(body)
        if found is None:
            return _no("message_not_found")
        if wrong := problem(body):
            return _no(wrong)
        found |= {name: body[name] for name in ("text", "blocks", "metadata") if name in body}
        return {"channel": body["channel"], "ts": body["ts"]}

    def _replies(self, body: Json) -> Json:
        root = self._message(body)
        if root is None:
            return _no("thread_not_found")
        return self._page(body, [root, *self.messages(body["channel"], root["ts"])])

    def _page(self, body: Json, messages: list[Json]) -> Json:
        since = float(body.get("oldest", 0))
        new = [one for one in messages if float(one["ts"]) > since]
        start, size = int(body.get("cursor") or 0), int(body.get("limit", 100))
        shown = [dict(one) for one in new[start : start + size]]
        if str(body.get("include_all_metadata")).lower() not in ("1", "true"):
            for one in shown:
                one.pop("metadata", None)
        more = start + size < len(new)
        cursor = {"next_cursor": str(start + size) if more else ""}
        return {"messages": shown, "has_more": more, "response_metadata": cursor}

    def _view(self, method: str, body: Json) -> Json:
        view = body["view"] if isinstance(body["view"], dict) else json.loads(body["view"])
        if problems_of_view(view):
            return _no("invalid_arguments")
        self.views.append((method, view))
        return {"view": {"id": f"V{len(self.views)}", **view}}

    def _message(self, body: Json) -> Json | None:
        in_channel = self.channels[body["channel"]]
        return next((one for one in in_channel if one["ts"] == body["ts"]), None)

    def _place(self, channel: str) -> str:
        return self.names.get(channel.removeprefix("#"), _direct(channel))

    @contextmanager
    def run(self) -> Iterator["SlackServer"]:
        """Serve until the block ends."""
        with served(self._http):
            yield self


@contextmanager
def slack_server(apart: float = 0) -> Iterator[SlackServer]:
    """A server of its own."""
    with SlackServer(apart=apart).run() as server:
        yield server


def problem(body: Json) -> str | None:
    """Why Slack would refuse this message, as its error code."""
    blocks = body.get("blocks") or []
    if not body.get("channel"):
        return "channel_not_found"
    if not body.get("text") and not blocks:
        return "no_text"
    if len(json.dumps(body.get("metadata", {}))) > 8_000:
        return "metadata_too_large"
    if problems_of_message(body.get("text", ""), blocks):
        return "invalid_blocks"
    return None


def _no(code: str) -> Json:
    return {"ok": False, "error": code}


def _direct(user: str) -> str:
    """The direct messages with a user; another address stands for itself."""
    return f"D{user[1:]}" if user[:1] in ("U", "W") else user


class _Server(Listener):
    slack: SlackServer


class _Endpoint(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._answer(dict(parse_qsl(urlsplit(self.path).query)))

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if "json" in (self.headers["Content-Type"] or ""):
            self._answer(json.loads(sent or b"{}"))
        else:
            self._answer(dict(parse_qsl(sent.decode())))

    def _answer(self, body: Json) -> None:
        method = urlsplit(self.path).path.removeprefix("/api/")
        if has_hung_up(self.connection):
            self.close_connection = True
            return
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        answer = self.server.slack.take(token, method, body)
        if answer.kills:
            self.server.slack.kill()
        time.sleep(answer.delay)
        if answer.drops:
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(answer.body)))
        if self.server.slack.scopes is not None:
            self.send_header("X-OAuth-Scopes", self.server.slack.scopes)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_args: object) -> None:
        """Say nothing: the tests look at what came in."""
