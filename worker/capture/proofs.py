"""Whether a webhook comes from whom it says: its signature, made with a secret that both know."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from standardwebhooks.webhooks import (
    EmptyWebhookSecretError,
    Webhook,
    WebhookVerificationError,
)

from worker.core.mapping import Verification

TOLERANCE_SECONDS = 300
"""How far a signed time may be from ours: a request that was overheard is of no use later."""


class NotProven(Exception):
    """The signature is missing or wrong; the message is for the log, not for the sender."""


_UNPROVEN = (EmptyWebhookSecretError, WebhookVerificationError, ValueError, OverflowError, OSError)


def prove(
    verify: Verification,
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    url: str,
    now: datetime,
) -> None:
    """Pass if the request was signed with the secret. `url` is what its sender called.

    Raises:
        NotProven: it was not, or too long ago.
    """
    match verify.scheme:
        case "standard":
            _standard(secret, headers, body)
        case "hmac-sha256" | "hmac-sha1":
            given = _header(headers, verify.header)
            if not given.startswith(verify.prefix):
                raise NotProven(f"{verify.header} does not begin with {verify.prefix!r}")
            stamp = _header(headers, verify.timestamp) if verify.timestamp else ""
            if stamp:
                _check_age(stamp, now)
            signed = stamp.encode() + body
            _compare(secret, signed, given.removeprefix(verify.prefix), verify.scheme[5:])
        case "hubspot":
            stamp = _header(headers, "x-hubspot-request-timestamp")
            _check_age(stamp, now, 1000)
            signed = b"POST" + url.encode() + body + stamp.encode()
            _compare(secret, signed, _header(headers, "x-hubspot-signature-v3"), "sha256")
        case "zendesk":
            stamp = _header(headers, "x-zendesk-webhook-signature-timestamp")
            _check_age(stamp, now)
            given = _header(headers, "x-zendesk-webhook-signature")
            _compare(secret, stamp.encode() + body, given, "sha256")
        case "calendly":
            given = _header(headers, "calendly-webhook-signature")
            parts = dict(part.strip().partition("=")[::2] for part in given.split(","))
            stamp = parts.get("t", "")
            _check_age(stamp, now)
            _compare(secret, f"{stamp}.".encode() + body, parts.get("v1", ""), "sha256")
        case other:
            raise NotProven(f"there is no scheme {other!r}")


def _standard(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except _UNPROVEN as error:
        # Not only what it is declared to raise: a header with one part too few is a ValueError.
        raise NotProven(f"not as Standard Webhooks are signed: {error}") from None


def _header(headers: Mapping[str, str], name: str) -> str:
    given = headers.get(name.lower(), "")
    if not given:
        raise NotProven(f"there is no {name}")
    return given


def _check_age(stamp: str, now: datetime, units: int = 1) -> None:
    """See that a time, in `units` of a second since 1970 or as RFC 3339, is about now."""
    try:
        moment = (
            float(stamp) / units
            if stamp.replace(".", "", 1).isdecimal() and len(stamp) < 20
            else datetime.fromisoformat(stamp).timestamp()
        )
    except (ValueError, OverflowError):
        raise NotProven("the signed time is none") from None
    if abs(now.timestamp() - moment) > TOLERANCE_SECONDS:
        raise NotProven(f"it was signed more than {TOLERANCE_SECONDS} seconds ago or ahead")


def _compare(secret: str, signed: bytes, given: str, algorithm: str) -> None:
    """Compare in constant time, in whichever of hex and base64 the signature is written."""
    made = hmac.new(secret.encode(), signed, getattr(hashlib, algorithm)).digest()
    if not hmac.compare_digest(made, _bytes_in(given.strip(), len(made))):
        raise NotProven("the signature is wrong")


def _bytes_in(text: str, length: int) -> bytes:
    try:
        if len(text) == 2 * length:
            return bytes.fromhex(text)
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""
