"""Kombu's way to Redis and Valkey, with two things mended.

What has lost its connection says so. Kombu closes a lost connection first and acknowledges or
restores messages over it later. That fails with an AttributeError, of which nobody expects that the
queue is meant: it ends the worker. As a ConnectionError it is logged, the worker connects anew, and
the messages come back to find their work done.

And a message cannot get lost between the queue and its worker. Kombu takes it from a list first and
notes a moment later that it is being worked on; whoever is killed in that moment takes it along. So
a batch is noted as if it were being worked on from when it is sent, and again from when it is given
back to the queue, in the same transaction. Should nobody have taken it up to the end by then, it
comes back, and is applied once all the same.
"""

from time import time
from typing import Any

from kombu.transport import redis
from kombu.utils.json import dumps

KEPT_QUEUES = frozenset({"tiewatch.ingest"})
"""Queues whose messages are kept beside the queue: those that nobody would send again."""

BACK_AFTER = 240.0
"""Seconds after which, and after the visibility timeout, a message comes back of which nothing is
known: longer than it should wait in a queue that is served, or it is in there twice, which does no
harm."""


class Channel(redis.Channel):
    """A channel that knows when its connection is gone."""

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        if self.connection is None or self.connection.client is None:
            raise ConnectionError("the connection to the queue is gone")
        return super()._connparams(asynchronous)  # type: ignore[no-any-return, no-untyped-call]

    def _put(self, queue: str, message: dict[str, Any], **more: Any) -> None:
        if queue not in KEPT_QUEUES or more.get("_publish_batch") is not None:
            super()._put(queue, message, **more)  # type: ignore[no-untyped-call]
            return
        route = message["properties"]["delivery_info"]
        priority = self._get_message_priority(message, reverse=False)  # type: ignore[no-untyped-call]
        key = self._q_for_pri(queue, priority)  # type: ignore[no-untyped-call]
        with self.conn_or_acquire() as client, client.pipeline(transaction=True) as pipe:
            pipe.lpush(key, dumps(message))
            self._keep_beside(pipe, message, route["exchange"], route["routing_key"])
            pipe.execute()

    def _do_restore_message(
        self, payload: dict[str, Any], exchange: str, routing_key: str, pipe: Any, *more: Any
    ) -> None:
        super()._do_restore_message(payload, exchange, routing_key, pipe, *more)  # type: ignore[no-untyped-call]
        if KEPT_QUEUES.intersection(self._lookup(exchange, routing_key)):  # type: ignore[no-untyped-call]
            self._keep_beside(pipe, payload, exchange, routing_key)

    def _keep_beside(
        self, pipe: Any, message: dict[str, Any], exchange: str, routing_key: str
    ) -> None:
        tag = message["properties"]["delivery_tag"]
        pipe.zadd(self.unacked_index_key, {tag: time() + BACK_AFTER})
        pipe.hset(self.unacked_key, tag, dumps([message, exchange, routing_key]))


class Transport(redis.Transport):
    """The transport of `redis://` and `rediss://`."""

    Channel = Channel
