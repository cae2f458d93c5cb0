"""Gathers what small requests bring into fat batches: a message costs as much as a hundred events.

Nothing waits longer than `WAIT_SECONDS` before its batch is on its way. While one is, the next one
gathers, so that the busier the gateway is, the fatter the batches are.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from worker.capture.publishing import Batch
from worker.capture.taking import Taken

WAIT_SECONDS = 0.005
BATCH_EVENTS = 500
BATCH_BYTES = 4_000_000
MOST_WAITING_BYTES = 64_000_000
"""Of bodies whose events are not kept yet: beyond, senders are told to come back."""

AT_ONCE = 2
"""Batches on their way at a time."""


class Overloaded(Exception):
    """More is waiting to be kept than may be."""


@dataclass(slots=True)
class _Open:
    """A batch that still takes more."""

    done: asyncio.Future[str]
    taken: list[Taken] = field(default_factory=list)
    number: int = 0
    size: int = 0

    @property
    def full(self) -> bool:
        return self.number >= BATCH_EVENTS or self.size >= BATCH_BYTES


class Gatherer:
    """Where requests bring what they took; one for each event loop."""

    def __init__(self, keep: Callable[[Batch], Awaitable[str]]) -> None:
        """`keep` has a batch kept and returns where, or raises what the senders are to hear."""
        self._keep = keep
        self._open: _Open | None = None
        self._ways = asyncio.Semaphore(AT_ONCE)
        self._running: set[asyncio.Task[None]] = set()
        self.waiting_bytes = 0

    async def bring(self, taken: Taken, size: int) -> str:
        """Have it kept; returns where. `size` is about its number of bytes.

        Raises:
            Overloaded: too much is waiting already.
            NotKept: it could not be kept.
        """
        if self.waiting_bytes + size > MOST_WAITING_BYTES and self.waiting_bytes:
            raise Overloaded
        if not taken.events and not taken.refused:
            return "nothing"
        self.waiting_bytes += size
        try:
            return await asyncio.shield(self._add(taken, size))
        finally:
            self.waiting_bytes -= size

    def _add(self, taken: Taken, size: int) -> asyncio.Future[str]:
        if self._open is None:
            self._open = _Open(asyncio.get_running_loop().create_future())
            self._open.done.add_done_callback(_seen)
            task = asyncio.create_task(self._send(self._open))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        batch = self._open
        batch.taken.append(taken)
        batch.number += len(taken.events) + len(taken.refused)
        batch.size += size
        if batch.full:
            self._open = None
        return batch.done

    async def _send(self, batch: _Open) -> None:
        async with self._ways:
            if not batch.full:
                await asyncio.sleep(WAIT_SECONDS)
            if self._open is batch:
                self._open = None
            events = [event for taken in batch.taken for event in taken.events]
            refused = [one for taken in batch.taken for one in taken.refused]
            try:
                batch.done.set_result(await self._keep(Batch(events, refused)))
            except Exception as error:
                batch.done.set_exception(error)

    async def finish(self) -> None:
        """Wait until all that was brought is kept or refused."""
        while self._running:
            await asyncio.wait(list(self._running))


def _seen(done: "asyncio.Future[str]") -> None:
    """Whoever brought something may have gone before its batch failed: that is not to be logged."""
    if not done.cancelled():
        done.exception()
