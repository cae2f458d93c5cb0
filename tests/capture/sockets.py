"""Slack's end of Socket Mode: it hands out the address of a socket, and talks over it.

Of the WebSocket protocol it knows as much as two ends on one machine need: short text frames.
"""

import base64
import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


class Socket:
    """The socket that a listener opens; `answers` are what it sent back, by envelope."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.opened = 0
        self._connected = threading.Event()
        self._peer: socket.socket | None = None
        self._listening = socket.create_server(("127.0.0.1", 0))

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._listening.getsockname()[1]}/link"

    def send(self, envelope: str, kind: str, payload: dict[str, Any]) -> None:
        """Hand an envelope to the listener, once there is one."""
        assert self._connected.wait(30), "nobody has opened the socket"
        self._write(
            json.dumps(
                {
                    "envelope_id": envelope,
                    "type": kind,
                    "payload": payload,
                    "accepts_response_payload": True,
                }
            )
        )

    def replace(self) -> None:
        """Ask for another connection, as Slack does every few hours, and close this one."""
        self._connected.clear()
        self._write(json.dumps({"type": "disconnect", "reason": "refresh_requested"}))

    def hang_up(self) -> None:
        """Break the connection off."""
        if self._peer is not None:
            with suppress(OSError):
                self._peer.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def run(self) -> Iterator["Socket"]:
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            self.hang_up()
            self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listening.accept()
                threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer: socket.socket) -> None:
        with suppress(OSError, ValueError):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += peer.recv(1) or _ended()
            lines = (line.partition(":") for line in head.decode().splitlines())
            key = {name.lower(): value.strip() for name, _, value in lines}["sec-websocket-key"]
            accept = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
            peer.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept.encode() + b"\r\n\r\n"
            )
            self._peer = peer
            self.opened += 1
            self._write(json.dumps({"type": "hello", "num_connections": 1}))
            self._connected.set()
            while True:
                self._take(*_frame(peer))

    def _take(self, kind: int, body: bytes) -> None:
        if kind == _CLOSE:
            _ended()
        if kind == _PING:
            self._write(body.decode(), _PONG)
        if kind == _TEXT:
            answer = json.loads(body)
            self.answers[answer["envelope_id"]] = answer.get("payload")

    def _write(self, text: str, kind: int = _TEXT) -> None:
        body = text.encode()
        size = bytes([len(body)]) if len(body) < 126 else b"\x7e" + len(body).to_bytes(2, "big")
        assert self._peer is not None
        self._peer.sendall(bytes([0x80 | kind]) + size + body)


def _frame(peer: socket.socket) -> tuple[int, bytes]:
    """The kind and the body of the next frame, which comes masked."""
    kind, length = _exactly(peer, 2)
    length &= 0x7F
    if length == 126:
        length = int.from_bytes(_exactly(peer, 2), "big")
    mask = _exactly(peer, 4)
    body = _exactly(peer, length)
    return kind & 0x0F, bytes(each ^ mask[place % 4] for place, each in enumerate(body))


def _exactly(peer: socket.socket, number: int) -> bytes:
    found = b""
    while len(found) < number:
        found += peer.recv(number - len(found)) or _ended()
    return found


def _ended() -> bytes:
    raise ValueError("the other end hung up")
