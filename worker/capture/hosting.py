"""Runs the gateway: uvicorn processes, restarted should one die, ended gracefully."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn

from worker.capture.desk import Desk
from worker.capture.figures import FOLDER
from worker.capture.keyring import Keyring, given_keys
from worker.capture.rates import Rates
from worker.capture.wrapping import HEADER_BYTES
from worker.running import runtime
from worker.settings import Settings, SettingsError
from worker.store import api_keys
from worker.store.api_keys import ApiKey
from worker.store.database import reading

FACTORY = "worker.capture.app:create"

IDLE_SECONDS = 75
"""A connection between two requests; load balancers give up after 60."""

GRACE_SECONDS = 20
"""For requests that have begun, when the gateway is told to stop."""

HANG_SECONDS = 15
"""After which a process that says nothing is replaced. On a busy machine it takes some to begin;
one that dies before it has begun is missed only then."""

MOST_CONNECTIONS = 1_000
"""Of a process; beyond, 503."""


OPTIONS: dict[str, Any] = {
    "factory": True,
    "http": "h11",  # which unlike the faster parser bounds what it keeps of headers
    "h11_max_incomplete_event_size": HEADER_BYTES,
    "ws": "none",
    "loop": "asyncio",
    "lifespan": "on",
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
    "limit_concurrency": MOST_CONNECTIONS,
    "timeout_keep_alive": IDLE_SECONDS,
    "timeout_graceful_shutdown": GRACE_SECONDS,
    "timeout_worker_healthcheck": HANG_SECONDS,
}
"""How uvicorn serves."""


def serve(host: str, port: int, processes: int) -> None:
    """Listen until told to stop; requests that have begun are answered first."""
    signal.signal(signal.SIGTERM, _end)  # which uvicorn raises once more when it has ended
    uvicorn.run(FACTORY, host=host, port=port, workers=processes, **OPTIONS)


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


@contextmanager
def shared_figures(processes: int) -> Iterator[None]:
    """A folder through which several processes add up their figures; one keeps its own."""
    if processes == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="tiewatch-figures-") as folder:
        os.environ[FOLDER] = folder  # of which they know from when they begin
        try:
            yield
        finally:
            del os.environ[FOLDER]


def desk_of(ours: Settings) -> Desk:
    """What the settings make of keys, limits and the spool.

    Raises:
        SettingsError: they cannot be used.
    """
    try:
        given = given_keys(ours.api_keys.get_secret_value()) if ours.api_keys else {}
    except ValueError as error:
        raise SettingsError(f"TIEWATCH_API_KEYS cannot be used: {error}") from error
    try:
        rates = Rates(ours.rate_limit, ours.broker)
    except ValueError as error:
        raise SettingsError(
            f"TIEWATCH_RATE_LIMIT {ours.rate_limit!r} is no limit: write it like 500/second"
        ) from error
    keyring = Keyring(_stored_keys, given)
    return Desk(runtime.engine(), keyring, rates, ours.spool_megabytes * 1_000_000)


def _stored_keys() -> list[ApiKey]:
    with reading(runtime.engine()) as db:
        return api_keys.all_keys(db)
