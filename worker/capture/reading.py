"""Reads a request's body within its limits, however it is packed, and as JSON."""

import asyncio
import zlib
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from starlette.requests import ClientDisconnect, Request

from worker.capture.refusals import Refusal
from worker.running.decoding import value_of

MOST_BYTES = 5_000_000
"""Of a body, as it is sent and unpacked."""

MOST_EVENTS = 1_000

BODY_SECONDS = 30.0
"""For the whole body: a sender that dribbles must not keep a place for ever."""

_GZIP = 16 + zlib.MAX_WBITS


async def body_of(request: Request) -> bytes:
    """The body, unpacked.

    Raises:
        Refusal: it is too large, does not come in time, or is not packed as its headers say.
    """
    told = request.headers.get("content-length", "")
    if told.isdecimal() and len(told) < 20 and int(told) > MOST_BYTES:
        raise too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise too_large()
    except TimeoutError:
        message = f"the body did not come within {BODY_SECONDS:.0f} seconds"
        raise Refusal(HTTPStatus.REQUEST_TIMEOUT, "timeout", message) from None
    except ClientDisconnect:
        raise Refusal(HTTPStatus.BAD_REQUEST, "broken_off", "the body broke off") from None
    return unpacked(bytes(body), request.headers.get("content-encoding", ""))


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body without its `Content-Encoding`; never unpacks more than `MOST_BYTES`.

    Raises:
        Refusal: it would be larger, is broken, or is packed in another way than gzip.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _gunzipped(body)
    message = f"Content-Encoding {encoding[:40]!r} is not known: send gzip, or leave it out"
    raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "encoding", message)


def _gunzipped(body: bytes) -> bytes:
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(body, MOST_BYTES + 1)
    except zlib.error as error:
        raise _not_gzip(str(error)) from None
    if len(content) > MOST_BYTES:
        raise too_large()
    if not stream.eof:
        raise _not_gzip("it breaks off")
    if stream.unused_data.strip(b"\0"):
        raise _not_gzip("there is more behind its end")
    return content


def _not_gzip(why: str) -> Refusal:
    message = f"the body is not the gzip that Content-Encoding says: {why}"
    return Refusal(HTTPStatus.BAD_REQUEST, "gzip", message)


def too_large() -> Refusal:
    """More bytes than a request may have."""
    message = f"a request holds at most {MOST_BYTES:,} bytes, unpacked: send several"
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", message)


def too_many(number: int) -> Refusal:
    """More events than a request may have."""
    message = f"a request holds at most {MOST_EVENTS:,} events, this one {number:,}: send several"
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many", message)


def as_json(body: bytes) -> Any:
    """The body's JSON value.

    Raises:
        Refusal: it is none.
    """
    try:
        return value_of(body)
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        message = f"the body is not JSON in UTF-8: {why[:200]}"
        raise Refusal(HTTPStatus.BAD_REQUEST, "not_json", message) from None


def as_lines(body: bytes) -> list[Any]:
    """The JSON value of each line that is not blank; one that is no JSON, as text.

    Raises:
        Refusal: there are too many.
    """
    lines = [line for line in body.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    if len(lines) > MOST_EVENTS:
        raise too_many(len(lines))
    return list(_values(lines))


def _values(lines: Iterable[bytes]) -> Iterable[Any]:
    for line in lines:
        try:
            yield value_of(line)
        except (ValueError, RecursionError):
            yield line.decode("utf-8", "backslashreplace").rstrip("\r")
