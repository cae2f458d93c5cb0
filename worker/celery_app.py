"""The Celery application: which broker, and how messages survive whatever happens to a worker."""

import json
import os

from celery import Celery
from kombu import Queue
from kombu.serialization import register
from kombu.transport import TRANSPORT_ALIASES

from worker.running.decoding import loads
from worker.settings import settings

INGEST = "tiewatch.ingest"
RELEASE = "tiewatch.release"
CATCH_UP = "tiewatch.catch_up"
SWEEP = "tiewatch.sweep"
DELIVER = "tiewatch.deliver"
WEEKS = "tiewatch.weeks"
WEBHOOKS = "tiewatch.webhooks"

DEMO_NOW = "tiewatch_now"
"""The message header that carries a demo's simulated time."""

TASK_SECONDS = 50
"""The longest a task may take; its worker process is killed then, and the message comes back."""

CATCH_UP_SECONDS = 6 * 3_600
"""The longest that making a large account anew may take. Its message need not come back: that it is
to be done, the database says."""

register("json", json.dumps, loads, "application/json", "utf-8")
TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), "worker.running.transport:Transport"))


app = Celery("tiewatch", include=["worker.tasks"], set_as_current=False)
app.conf.update(
    task_default_queue=INGEST,
    task_queues=[Queue(INGEST), Queue(SWEEP), Queue(DELIVER)],
    task_routes={name: {"queue": name} for name in (INGEST, SWEEP, DELIVER)}
    | {name: {"queue": INGEST} for name in (RELEASE, CATCH_UP)}
    | {WEEKS: {"queue": DELIVER}, WEBHOOKS: {"queue": DELIVER}},
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_time_limit=TASK_SECONDS,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=2,
    worker_hijack_root_logger=False,
    # A cancelled task's message would be dropped. One that goes on and cannot be acknowledged
    # comes back, and finds its batch applied.
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    # It would set the prefetch count anew, and lose what `gathering` has added to it.
    worker_enable_prefetch_count_reduction=False,
    broker_transport_options={
        # A message whose worker was killed comes back when this has passed, so it must be longer
        # than any task; how often that is looked for, the other two say.
        "visibility_timeout": TASK_SECONDS + 10,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "socket_keepalive": True,
        # On RabbitMQ: a message counts as sent when the broker says that it has it.
        "confirm_publish": True,
    },
)


_CELERYS_OWN = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL")
"""Variables that would go before the settings, meant for another program on this machine."""


def connect(broker_url: str | None = None) -> Celery:
    """The application, bound to a broker: the given one, else that of the settings."""
    for name in _CELERYS_OWN:
        os.environ.pop(name, None)
    url = broker_url or settings().broker
    if url is not None:
        app.conf.update(broker_url=url, broker_read_url=url, broker_write_url=url)
    return app
