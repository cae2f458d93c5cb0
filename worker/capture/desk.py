"""What the gateway's routes work with: who sent a request, and where its events go."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from worker.capture import publishing
from worker.capture.figures import BATCHES, EVENTS, SPOOLED
from worker.capture.gathering import AT_ONCE, Gatherer, Overloaded
from worker.capture.keyring import Keyring, Sender
from worker.capture.publishing import Batch, Keeper, NotKept
from worker.capture.rates import Rates
from worker.capture.refusals import Refusal, unavailable
from worker.capture.taking import Taken
from worker.running import runtime
from worker.store import api_keys, spool
from worker.store.api_keys import Scope
from worker.store.database import reading, writing

CHORES_EVERY = 1.0
"""Seconds between two looks at the spool."""

USE_EVERY = 10
"""Of these looks, after how many it is written down when keys were used last."""

log = structlog.get_logger("tiewatch.gateway")


class Desk:
    """One for each process of the gateway."""

    def __init__(self, engine: Engine, keyring: Keyring, rates: Rates, spool_bytes: int) -> None:
        """`spool_bytes` is how much may wait in the database for the broker."""
        self.engine, self._keyring, self._rates = engine, keyring, rates
        self._keeper = Keeper(engine, spool_bytes)
        self._threads = ThreadPoolExecutor(AT_ONCE + 2, "gateway")
        self.gatherer = Gatherer(self._keep)
        self._chores: asyncio.Task[None] | None = None

    async def sender(
        self, request: Request, scope: Scope, key_in: Mapping[str, str] | None = None
    ) -> Sender:
        """Whose request it is, counted against its limit. Its headers bring the key, or `key_in`.

        Raises:
            Refusal: it has no key for this scope, or has made too many requests.
        """
        headers, now = request.headers if key_in is None else key_in, runtime.clock()
        if self._keyring.is_fresh() and self._keyring.knows(headers):
            found = self._keyring.sender(headers, scope, now)
        else:
            found = await self.in_thread(self._keyring.sender, headers, scope, now)
        request.scope["state"]["key"] = found.name
        await self.count(found.key)
        return found

    async def count(self, who: str) -> None:
        """Count a request of a key, or of whom else it may come from, against the limit.

        Raises:
            Refusal: it was one too many.
        """
        await self._rates.count(who)

    async def bring(self, request: Request, taken: Taken, size: int, way: str) -> None:
        """Have what a request brought kept, durably.

        Raises:
            Refusal: that cannot be done now.
        """
        try:
            await self.gatherer.bring(taken, size)
        except Overloaded:
            raise unavailable("too much is waiting to be kept: send it again later") from None
        except NotKept as error:
            raise unavailable(f"{error}: send it again later") from None
        request.scope["state"]["events"] = len(taken.events) + len(taken.refused)
        EVENTS.labels(way, "accepted").inc(len(taken.events))
        EVENTS.labels(way, "quarantined").inc(len(taken.refused))

    async def in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """What `work` returns, done in a thread that may wait."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    async def _keep(self, batch: Batch) -> str:
        kept: str = await self.in_thread(self._keeper.keep, batch)
        BATCHES.labels(kept).inc()
        return kept

    def open(self) -> None:
        """Begin with what is to be done beside answering."""
        self._chores = asyncio.create_task(self._do_chores())

    async def close(self) -> None:
        """Have all kept that was brought, and note when keys were used."""
        if self._chores is not None:
            self._chores.cancel()
        await self.gatherer.finish()
        await self.in_thread(self._note_use)
        self._threads.shutdown()

    async def _do_chores(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(CHORES_EVERY)
            turn += 1
            await self.in_thread(self._empty_spool)
            if turn % USE_EVERY == 0:
                await self.in_thread(self._note_use)

    def _empty_spool(self) -> None:
        try:
            with reading(self.engine) as db:
                waiting = spool.held(db).batches
            if waiting:
                left = publishing.replay(self.engine)
                if left:
                    log.info("spool handed on", batches=left)
                waiting -= left
            SPOOLED.set(waiting)
        except SQLAlchemyError:
            return  # the database is away: so is the spool

    def _note_use(self) -> None:
        last, self._keyring.used = self._keyring.used, {}
        if not last:
            return
        try:
            with writing(self.engine) as db:
                api_keys.used(db, last)
        except SQLAlchemyError:
            self._keyring.used = last | self._keyring.used


def answer(status: int, document: bytes) -> Response:
    """A JSON document as an answer."""
    return Response(document, status, media_type="application/json")


def refused(_: Request, refusal: Exception) -> Response:
    """The answer that a `Refusal` is."""
    assert isinstance(refusal, Refusal)
    found = answer(refusal.status, msgspec.json.encode(refusal.document))
    found.headers.update(refusal.headers)
    return found
