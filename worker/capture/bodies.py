"""Reads the body of a request from outside, within limits: whoever sends it is not known yet."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

MOST_BYTES = 1_000_000
"""The largest body that is read; Slack's are a fiftieth of that."""

MOST_DISCARDED = 32_000_000
"""Of a larger one, so much is let pass by, so that its sender gets to read why it was refused."""

SECONDS = 10.0
"""For the whole body: Slack is done long before."""


class BodyRefused(Exception):
    """The body cannot be had; `status` is the answer to whoever sends it."""

    def __init__(self, status: HTTPStatus) -> None:
        """Keep the status."""
        super().__init__(status.phrase)
        self.status = status


async def body_of(request: Request, most: int = MOST_BYTES, seconds: float = SECONDS) -> bytes:
    """The body, whole.

    Raises:
        BodyRefused: it is longer than `most` bytes, does not come within `seconds`, or breaks off.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _read(request, most)
    except TimeoutError:
        raise BodyRefused(HTTPStatus.REQUEST_TIMEOUT) from None
    except ClientDisconnect:
        raise BodyRefused(HTTPStatus.BAD_REQUEST) from None


async def _read(request: Request, most: int) -> bytes:
    body = bytearray()
    length = 0
    keep: Callable[[bytes], None] = body.extend
    async for chunk in request.stream():
        length += len(chunk)
        if length > MOST_DISCARDED:
            break
        if length > most:
            body.clear()
        else:
            keep(chunk)
    if length > most:
        raise BodyRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return bytes(body)
