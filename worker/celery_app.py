"""The Celery application: which broker, and how messages survive whatever happens to a worker."""

import json
from typing import Any

import msgspec
from celery import Celery
from kombu import Queue
from kombu.serialization import register

from worker.settings import settings

INGEST = "tiewatch.ingest"
SWEEP = "tiewatch.sweep"
DELIVER = "tiewatch.deliver"

TASK_SECONDS = 50
"""The longest a task may take; its worker process is killed then, and the message comes back."""


def _loads(body: str | bytes) -> Any:
    """Plain JSON. Kombu's own reader turns an object with a `__type__` key into something else,
    or refuses the whole message: an event may hold any key."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError):  # NaN, half a surrogate pair: one event's problem
        return json.loads(body)


register("json", json.dumps, _loads, "application/json", "utf-8")

app = Celery("tiewatch", include=["worker.tasks"], set_as_current=False)
app.conf.update(
    task_default_queue=INGEST,
    task_queues=[Queue(INGEST), Queue(SWEEP), Queue(DELIVER)],
    task_routes={name: {"queue": name} for name in (INGEST, SWEEP, DELIVER)},
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_time_limit=TASK_SECONDS,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=2,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        # A message whose worker was killed comes back when this has passed, so it must be longer
        # than any task; how often that is looked for, the other two say.
        "visibility_timeout": TASK_SECONDS + 10,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "socket_keepalive": True,
    },
)


def connect(broker_url: str | None = None) -> Celery:
    """The application, bound to a broker: the given one, else that of the settings."""
    url = broker_url or settings().broker
    if url is not None:
        app.conf.broker_url = url
    return app
