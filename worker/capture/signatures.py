"""Whether a request comes from Slack: it is signed with the secret that only Slack and we know.

slack-sdk does the arithmetic. It raises where a header is no number or a body no text, which
anybody can send, so those are sorted out before.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from slack_sdk.signature import Clock, SignatureVerifier

_LONGEST_TIMESTAMP = 12
"""Digits; today's have ten."""


class Unsigned(StrEnum):
    """Why a request is not taken for Slack's. The sender is not told which."""

    NO_SIGNATURE = "it has no signature"
    NO_TIMESTAMP = "its timestamp is no number"
    NO_TEXT = "its body is no text"
    WRONG = "its signature is wrong, or older or newer than 5 minutes"


class _At(Clock):
    """The time that we were given, so that there is one clock."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> float:
        return self._now.timestamp()


def why_unsigned(
    secret: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> Unsigned | None:
    """Why the request is not Slack's, or None if it is. Names of `headers` are in lower case."""
    timestamp = headers.get("x-slack-request-timestamp", "")
    signature = headers.get("x-slack-signature", "")
    if not signature or not signature.isascii():
        return Unsigned.NO_SIGNATURE
    digits = timestamp.isascii() and timestamp.isdecimal()
    if not digits or len(timestamp) > _LONGEST_TIMESTAMP:
        return Unsigned.NO_TIMESTAMP
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return Unsigned.NO_TEXT
    verifier = SignatureVerifier(secret, clock=_At(now))
    return None if verifier.is_valid(text, timestamp, signature) else Unsigned.WRONG
