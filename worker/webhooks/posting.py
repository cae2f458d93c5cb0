"""Signs a message as Standard Webhooks do, posts it, and says what the answer means for the sender.

The receiver is somebody else's: no redirect is followed, little of an answer is read, and none may
take long, however slowly it trickles.
"""

import asyncio
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

import httpx2
from standardwebhooks import Webhook as Signer

TIMEOUT_SECONDS = 10.0
"""From the first byte sent to the last one read."""

MOST_READ = 2_000
"""Bytes of an answer that are read, to say why something was refused."""

LONGEST_WAIT = 86_400
"""Seconds for which a receiver may ask to be left alone."""

_SECRET = re.compile(r"(whsec_)?[A-Za-z0-9+/]{24,}={0,2}")
_SHOWN = 200
_USUAL_WAIT = 30.0


class BadSecret(ValueError):
    """The secret cannot be one; the message does not repeat it."""


class Verdict(StrEnum):
    """What to do after an answer, or without one."""

    TAKEN = "taken"
    AGAIN = "again"
    WAIT = "wait"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a message: `said` is for people, `wait` the seconds that were asked for."""

    verdict: Verdict
    said: str
    wait: float = 0.0


def signers(secret: str) -> tuple[Signer, ...]:
    """What signs with a secret; with two of them, space between, while one is being changed.

    Raises:
        BadSecret: it cannot be one.
    """
    parts = secret.split()
    try:
        if parts and all(map(_SECRET.fullmatch, parts)):
            return tuple(map(Signer, parts))
    except ValueError:  # of a length that base64 does not have
        pass
    raise BadSecret("it is no secret of Standard Webhooks: 'whsec_' and at least 24 of base64")


def headers(key: str, body: str, secret: str, now: datetime) -> dict[str, str]:
    """The headers of a message that is sent now. `key` is its id, the same each time."""
    at = now.astimezone(UTC)
    return {
        "content-type": "application/json",
        "accept-encoding": "identity",  # a small answer that unpacks to a huge one is not read
        "user-agent": "tiewatch",
        "webhook-id": key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(one.sign(key, at, body) for one in signers(secret)),
    }


async def post(
    client: httpx2.AsyncClient, url: str, key: str, body: str, secret: str, now: datetime
) -> Answer:
    """Send a message, once, and say what came of it.

    Raises:
        BadSecret: it cannot be signed with this secret.
    """
    sent = headers(key, body, secret, now)
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            async with client.stream("POST", url, content=body.encode(), headers=sent) as response:
                said = b""
                async for part in response.aiter_raw():  # to its end, the connection is kept
                    said += part
                    if len(said) >= MOST_READ:
                        break
                return _meaning(response, _readable(said), now)
    except TimeoutError:
        return Answer(Verdict.AGAIN, f"no answer within {TIMEOUT_SECONDS:g} seconds")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return Answer(Verdict.AGAIN, f"no answer: {str(error) or type(error).__name__}")


def client() -> httpx2.AsyncClient:
    """What posts: keeps connections open between messages, and follows no redirect."""
    return httpx2.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False)


def _meaning(response: httpx2.Response, body: str, now: datetime) -> Answer:
    status = response.status_code
    said = f"{status} {response.reason_phrase}".strip()
    asked = _seconds(response.headers.get("retry-after"), now)
    if response.is_success:
        return Answer(Verdict.TAKEN, said)
    if status == 410:
        return Answer(Verdict.GONE, said)
    if status == 429 or (status == 503 and asked is not None):
        return Answer(Verdict.WAIT, said, _USUAL_WAIT if asked is None else asked)
    if status >= 500 or status in (408, 425):
        return Answer(Verdict.AGAIN, said)
    if response.is_redirect:
        where = _readable(response.headers.get("location", "").encode())
        return Answer(Verdict.REFUSED, f"{said}, to {where}: redirects are not followed")
    return Answer(Verdict.REFUSED, f"{said}: {body}" if body else said)


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    """The seconds to wait that a header asks for, in either of its forms; None if in neither."""
    given = (retry_after or "").strip()
    if given.isascii() and given.isdecimal():
        seconds = float(given)
    else:
        try:
            seconds = (parsedate_to_datetime(given) - now).total_seconds()
        except (ValueError, TypeError, OverflowError):  # no date, or one without a zone
            return None
    return min(max(seconds, 1.0), LONGEST_WAIT)


def _readable(said: bytes) -> str:
    """The beginning of an answer on one line, without what a terminal would act on."""
    text = "".join(each if each.isprintable() else " " for each in said.decode(errors="replace"))
    return " ".join(text.split())[:_SHOWN]
