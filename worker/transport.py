"""Kombu's way to Redis and Valkey, with one thing mended: what has lost its connection says so.

Kombu closes a lost connection first and acknowledges or restores messages over it later. That fails
with an AttributeError, of which nobody expects that the queue is meant: it ends the worker. As a
ConnectionError it is logged, the worker connects anew, and the messages come back to find their
work done.
"""

from typing import Any

from kombu.transport import redis


class Channel(redis.Channel):
    """A channel that knows when its connection is gone."""

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        if self.connection is None or self.connection.client is None:
            raise ConnectionError("the connection to the queue is gone")
        return super()._connparams(asynchronous)  # type: ignore[no-any-return, no-untyped-call]


class Transport(redis.Transport):
    """The transport of `redis://` and `rediss://`."""

    Channel = Channel
