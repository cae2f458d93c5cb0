"""How many requests a key may make, counted in Redis for all gateway processes together.

With a broker that is no Redis, or that is away, each process counts for itself.
"""

import math
import time
from http import HTTPStatus

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError

from worker.capture.refusals import Refusal

STORE_SECONDS = 1.0
"""For Redis to answer; after that it is left alone for `SPARED_SECONDS`."""

SPARED_SECONDS = 5.0


class Rates:
    """The limit of each key; one for each event loop."""

    def __init__(self, limit: str, broker_url: str | None) -> None:
        """`limit` reads like `500/second`.

        Raises:
            ValueError: it does not.
        """
        self._limit: RateLimitItem = parse(limit)
        self._here = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = _shared(broker_url)
        self._spared_until = 0.0

    async def count(self, key: str) -> None:
        """Count a request of a key.

        Raises:
            Refusal: it was one too many; `Retry-After` says when there may be the next.
        """
        limiter = self._shared if time.monotonic() >= self._spared_until else None
        try:
            allowed = await (limiter or self._here).hit(self._limit, key)
        except StorageError:
            self._spared_until = time.monotonic() + SPARED_SECONDS
            limiter, allowed = None, await self._here.hit(self._limit, key)
        if not allowed:
            raise _too_fast(self._limit)


def _shared(broker_url: str | None) -> SlidingWindowCounterRateLimiter | None:
    if broker_url is None or not broker_url.startswith(("redis://", "rediss://")):
        return None
    store: Storage = RedisStorage(
        f"async+{broker_url}",
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix="tiewatch:rate",
        socket_timeout=STORE_SECONDS,
        socket_connect_timeout=STORE_SECONDS,
    )
    return SlidingWindowCounterRateLimiter(store)


def _too_fast(limit: RateLimitItem) -> Refusal:
    seconds = max(1, math.ceil(limit.get_expiry() / 2))
    message = f"this key may make {limit}: send more events in one request, or wait"
    headers = {"Retry-After": str(seconds)}
    return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "too_fast", message, headers)
