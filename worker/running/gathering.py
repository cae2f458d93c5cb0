"""Has a worker process take in, as one, the batches that wait for it anyway.

A transaction costs much the same for one event as for a hundred. So a free process is handed, with
the message whose turn it is, those that wait behind it, as many as make a fat batch. Nothing is
held back until others come. What is handed out together is applied in one transaction, and
acknowledged when that is committed. If it comes to nothing, for whatever reason, all go back to the
queue and come again one by one: each one's trouble is then its own.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from celery import Celery, Task
from celery.exceptions import TaskRevokedError
from celery.worker.request import Request
from celery.worker.state import task_ready, task_reserved
from celery.worker.strategy import default

from worker.celery_app import DEMO_NOW

FAT = 1_000_000
"""Bytes of what is taken in as one at most, unless one message alone has more: four thousand events
or so. An account of which many of them are is evaluated once. Much longer transactions would keep
others waiting for their locks."""

MANY = 50
"""Messages that are taken in as one at most: Celery gives their turns back each inside the last."""

ALONE = DEMO_NOW, "eta", "expires", "retries"
"""Headers of messages that go their own way: a demo's, those that failed, and what others ask."""


class Line:
    """The messages of one connection that wait for a free process, in order."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._waiting: deque[Message] = deque()
        self._size = 0

    def join(self, message: "Message") -> None:
        """Wait. As long as a fat batch is not together, the worker may fetch one message more."""
        self._waiting.append(message)
        self._size += message.size
        if self._size < FAT and len(self._waiting) < MANY:
            self._consumer.qos.increment_eventually()
            message.on_gone = self._consumer.qos.decrement_eventually

    def take(self) -> list["Message"]:
        """The first that waits, and those behind it that are taken in with it."""
        taken: list[Message] = []
        size = 0
        while self._waiting and len(taken) < MANY:
            if taken and size + self._waiting[0].size > FAT:
                break
            one = self._waiting.popleft()
            self._size -= one.size
            if not one.revoked():
                taken.append(one)
                size += one.size
        return taken


class Message(Request):  # type: ignore[misc]
    """A batch's message while the worker has it: it leads those that go along, or goes along."""

    def __init__(self, message: Any, line: Line, **more: Any) -> None:
        super().__init__(message, **more)
        self.size = len(message.body)
        self.on_gone: Callable[[], object] | None = None
        self._line = line
        self._along: list[Message] = []
        self._goes_along = False

    def execute_using_pool(self, pool: Any, **more: Any) -> Any:
        """Its turn has come: hand it out, with those behind it.

        Raises:
            TaskRevokedError: it needs no process, which is free for the next then.
        """
        if self._goes_along or self.revoked():
            raise TaskRevokedError(self.id)
        _, *along = self._line.take()
        for one in along:
            one._goes_along = True
        self._along = along
        self._request_dict["along"] = [(one.id, one.body) for one in along]
        return super().execute_using_pool(pool, **more)

    def on_accepted(self, pid: int, time_accepted: float) -> None:
        """A process has begun."""
        for one in (self, *self._along):
            Request.on_accepted(one, pid, time_accepted)

    def on_success(self, outcome: tuple[bool, Any, float], **more: Any) -> None:
        """A process has done it, or told that it could not: all of it, or nothing."""
        if not outcome[0]:
            for one in self._along:
                Request.on_success(one, outcome, **more)
            self._along = []
        super().on_success(outcome, **more)

    def on_failure(self, exc_info: Any, *how: Any, **more: Any) -> None:
        """It came to nothing: what went along goes back, to come by itself."""
        for one in self._along:
            task_ready(one)
            one.reject(requeue=True)
        self._along = []
        super().on_failure(exc_info, *how, **more)

    def acknowledge(self) -> None:
        """It need not come again."""
        super().acknowledge()
        self._is_gone()

    def reject(self, requeue: bool = False) -> None:
        """It is not wanted here; with `requeue`, it comes again."""
        super().reject(requeue)
        self._is_gone()

    def _is_gone(self) -> None:
        on_gone, self.on_gone = self.on_gone, None
        if on_gone:
            on_gone()


def gathered(task: Task, app: Celery, consumer: Any) -> Callable[..., Any]:
    """How a worker hands this task's messages to its processes: those that wait, together.

    Other than Celery's own way, it leaves a batch unread until it is where the task runs.
    """
    one_by_one = default(task, app, consumer)
    line = Line(consumer)

    def received(message: Any, body: Any, ack: Any, reject: Any, *more: Any) -> Any:
        if body is not None:  # protocol 1
            return one_by_one(message, body, ack, reject, *more)
        message._decoded_cache = [], {}, {}  # all that is needed here is in the headers
        if not _may_be_gathered(message):
            return one_by_one(message, body, ack, reject, *more)
        waits = Message(
            message,
            line,
            on_ack=ack,
            on_reject=reject,
            app=app,
            hostname=consumer.hostname,
            eventer=consumer.event_dispatcher,
            task=task,
            connection_errors=consumer.connection_errors,
        )
        task_reserved(waits)
        line.join(waits)
        consumer.on_task_request(waits)
        return None

    return received


def _may_be_gathered(message: Any) -> bool:
    """Whether it is an ordinary batch that comes for the first time."""
    if message.delivery_info.get("redelivered") or message.content_type != "application/json":
        return False
    return not any(map(message.headers.get, ALONE))
