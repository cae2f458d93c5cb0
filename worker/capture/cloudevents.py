"""CloudEvents 1.0 over HTTP: a request's headers and body to events, in each of its modes.

Besides the modes of the specification (structured, batch, binary), a plain JSON array or object and
one event a line are taken: what is in them are the same objects.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from worker.capture.reading import MOST_EVENTS, as_json, as_lines, too_many
from worker.capture.refusals import Refusal

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
LINES = (
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
)
PLAIN = "application/json"

_HEADER = "ce-"
_KNOWN = ", ".join((PLAIN, STRUCTURED, BATCH, LINES[0]))


def events_in(headers: Mapping[str, str], body: bytes) -> list[Any]:
    """The events of a request as plain JSON values. `headers` have lower-case names.

    What is in the list may still be no event: each is looked at on its own later.

    Raises:
        Refusal: the body as a whole cannot be read, or holds too many.
    """
    kind, charset = _media_type(headers.get("content-type", ""))
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        message = f"charset {charset[:40]!r} is not read: send UTF-8"
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "charset", message)
    if kind in LINES:
        return as_lines(body)
    if kind == STRUCTURED:
        return [_unpacked(_one(as_json(body)))]
    if kind == BATCH:
        return _listed(as_json(body))
    if f"{_HEADER}specversion" in headers or f"{_HEADER}id" in headers:
        return [_binary(headers, kind, body)]
    if kind == PLAIN:
        value = as_json(body)
        return _listed(value) if isinstance(value, list) else [_unpacked(_one(value))]
    told = f"Content-Type {kind[:60]!r} is not" if kind else "without a Content-Type events are not"
    raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content_type", f"{told} read: send {_KNOWN}")


def _media_type(content_type: str) -> tuple[str, str]:
    """(type, charset), both in lower case; what is not given is empty."""
    kind, *parameters = content_type.split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return kind.strip().lower(), value.strip().strip('"').lower()
    return kind.strip().lower(), ""


def _one(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    message = "the body is JSON, but no event: an event is a JSON object"
    raise Refusal(HTTPStatus.BAD_REQUEST, "no_event", message)


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        message = "the body is JSON, but no batch: a batch is a JSON array of events"
        raise Refusal(HTTPStatus.BAD_REQUEST, "no_batch", message)
    if len(value) > MOST_EVENTS:
        raise too_many(len(value))
    return [_unpacked(one) for one in value]


def _unpacked(event: Any) -> Any:
    """The event, its JSON data out of base64 where a sender packed it so."""
    if not isinstance(event, dict) or "data_base64" not in event or "data" in event:
        return event
    try:
        data = json.loads(base64.b64decode(event["data_base64"], validate=True))
    except (ValueError, TypeError, RecursionError, binascii.Error):
        return event  # of which is said that 'data' is missing
    return {name: value for name, value in event.items() if name != "data_base64"} | {"data": data}


def _binary(headers: Mapping[str, str], kind: str, body: bytes) -> dict[str, Any]:
    """The event whose attributes are headers, and whose data is the body."""
    event: dict[str, Any] = {
        name.removeprefix(_HEADER): unquote(value, errors="replace")
        for name, value in headers.items()
        if name.startswith(_HEADER)
    }
    if headers.get("content-type"):
        event["datacontenttype"] = headers["content-type"]
    if kind == PLAIN or kind.endswith("+json"):
        event["data"] = as_json(body)
    elif body:
        event["data"] = body.decode("utf-8", "backslashreplace")
    return event
