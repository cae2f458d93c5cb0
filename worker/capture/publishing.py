"""Hands batches to the broker; where it does not answer, to the spool; in neither case, says so."""

import time
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

import redis
import structlog
from amqp.exceptions import AMQPError
from kombu.exceptions import KombuError
from kombu.exceptions import OperationalError as BrokerDown
from redis.exceptions import RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from worker import tasks
from worker.celery_app import app
from worker.core.events import Quarantined
from worker.running.runtime import clock
from worker.store import spool
from worker.store.database import writing

BROKER_SECONDS = 5
"""For the broker to answer before the spool is used."""

SPARED_SECONDS = 2.0
"""For which a broker that did not answer is not asked again: that takes longer than the spool."""

BROKER_TROUBLE = (BrokerDown, KombuError, AMQPError, RedisError, OSError)

log = structlog.get_logger("tiewatch.gateway")


class NotKept(Exception):
    """The batch is neither with the broker nor in the spool; the message says why."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one message carries."""

    events: list[Any]
    refused: list[Quarantined]
    id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def payload(self) -> dict[str, Any]:
        """The arguments of the task by name, as JSON values."""
        more = {"refused": [asdict(one) for one in self.refused]} if self.refused else {}
        return {"events": self.events, **more}


def be_quick() -> None:
    """Give up on a broker that does not answer, in this process: somebody is waiting."""
    app.conf.broker_transport_options = {
        **app.conf.broker_transport_options,
        "socket_timeout": BROKER_SECONDS,
        "socket_connect_timeout": BROKER_SECONDS,
    }
    app.conf.broker_connection_timeout = BROKER_SECONDS


class Keeper:
    """Has batches kept, by the broker or else in the spool."""

    def __init__(self, engine: Engine, most_bytes: int) -> None:
        """`most_bytes` is how much the spool may hold."""
        self._engine, self._most_bytes = engine, most_bytes
        self._spared_until = 0.0

    def keep(self, batch: Batch) -> str:
        """Have a batch kept; returns where.

        Should the broker have it although it seemed not to, it is applied once all the same: both
        carry its id.

        Raises:
            NotKept: neither can take it.
        """
        spared = time.monotonic() < self._spared_until
        if not spared and self._sent(batch):
            return "broker"
        try:
            with writing(self._engine) as db:
                spool.add(db, batch.id, batch.payload, self._most_bytes, clock())
        except (spool.SpoolFull, SQLAlchemyError) as error:
            if spared and self._sent(batch):
                return "broker"
            log.error("batch not kept", batch=batch.id, spool=_told(error))
            told = "neither the queue nor the database can keep events now"
            raise NotKept(told) from error
        return "spool"

    def _sent(self, batch: Batch) -> bool:
        try:
            publish(batch.id, batch.payload)
        except BROKER_TROUBLE as error:
            self._spared_until = time.monotonic() + SPARED_SECONDS
            log.warning("the broker does not answer", batch=batch.id, error=_told(error))
            return False
        return True


def publish(batch: str, payload: dict[str, Any]) -> None:
    """Send a batch; when this returns, the broker has it. Raises one of `BROKER_TROUBLE`."""
    # What Celery would show of the arguments costs time, and shows what nobody should see.
    tasks.ingest_batch.apply_async(
        kwargs=payload, task_id=batch, retry=False, argsrepr="()", kwargsrepr="{}"
    )


def replay(engine: Engine) -> int:
    """Hand the spool to the broker, oldest first, until it is empty or the broker is away.

    Of several processes one does so at a time. Returns how many batches left.
    """
    left = 0
    while True:
        with writing(engine) as db:
            one = spool.oldest(db)
            if one is None:
                return left
            try:
                publish(one.batch, dict(one.payload))
            except BROKER_TROUBLE:
                return left
            spool.remove(db, one.id)
        left += 1


def _told(error: Exception) -> str:
    """An error in a line, without what the database was given to store."""
    told = getattr(error, "orig", None) or error
    return f"{type(told).__name__}: {told}".partition("\n")[0][:300]


def broker_answers() -> None:
    """Raises one of `BROKER_TROUBLE` unless the broker answers in time."""
    with app.connection_for_write(connect_timeout=BROKER_SECONDS) as connection:
        connection.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)


def doubt(broker_url: str) -> str | None:
    """Why a Redis may lose what it has taken, None if it does not or cannot be asked."""
    if not broker_url.startswith(("redis://", "rediss://")):
        return None
    try:
        with redis.Redis.from_url(broker_url, socket_timeout=BROKER_SECONDS) as client:
            found = client.config_get("append*")
    except RedisError:  # a hosted one may tell nobody how it is set up
        return None
    if (found.get("appendonly"), found.get("appendfsync")) == ("yes", "always"):
        return None
    return (
        "The queue may lose events that were answered for, should it crash: "
        "set 'appendonly yes' and 'appendfsync always' there."
    )
