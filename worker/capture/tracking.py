"""Segment's HTTP tracking API: its libraries need no more than another host name."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from worker.capture.answers import Accepted, body, kept, refusals
from worker.capture.desk import Desk
from worker.capture.keyring import brings_key
from worker.capture.mappings import Mappings
from worker.capture.reading import MOST_EVENTS, as_json, body_of, too_many
from worker.capture.refusals import Refusal
from worker.capture.segment import CALLS, WAY, messages_in, take
from worker.running import runtime
from worker.store.api_keys import Scope

BATCHES = ("batch", "import")

_MESSAGE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "messageId": {"type": "string"},
        "userId": {"type": "string"},
        "timestamp": {"type": "string", "format": "date-time"},
        "event": {"type": "string"},
        "groupId": {"type": "string"},
        "traits": {"type": "object"},
        "properties": {"type": "object"},
    },
    "example": {"userId": "lee", "event": "Report Opened", "timestamp": "2026-03-05T14:20:00Z"},
}
_IN_BATCH = _MESSAGE | {
    "required": ["type"],
    "properties": {"type": {"type": "string", "enum": list(CALLS)}, **_MESSAGE["properties"]},
    "example": _MESSAGE["example"] | {"type": "track"},
}
_BATCH = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "batch": {"type": "array", "items": _IN_BATCH, "maxItems": MOST_EVENTS},
        "writeKey": {"type": "string", "description": "The key, where no header brings it."},
    },
}


def router(desk: Desk, mappings: Mappings) -> APIRouter:
    """The ways in for Segment's libraries."""

    async def take_all(request: Request, messages: Callable[[Any], list[Any]]) -> Response:
        known = brings_key(request.headers)
        sender = await desk.sender(request, Scope.SEGMENT) if known else None
        content = await body_of(request)
        value = as_json(content)
        if sender is None:  # some libraries write the key into the body
            sender = await desk.sender(request, Scope.SEGMENT, _key_in(value))
        found = messages(value)
        if len(found) > MOST_EVENTS:
            raise too_many(len(found))
        taken = take(found, sender.source, mappings.now(), runtime.clock())
        await desk.bring(request, taken, len(content), WAY)
        return kept(taken, HTTPStatus.OK)

    async def take_batch(request: Request) -> Response:
        """Take a batch of calls in, as the libraries send them."""
        return await take_all(request, _batch)

    def taking(kind: str) -> Any:
        async def take_one(request: Request) -> Response:
            return await take_all(request, lambda body: [_object(body) | {"type": kind}])

        take_one.__doc__ = f"Take one `{kind}` call in."
        return take_one

    routes = APIRouter(tags=["segment"])
    common: dict[str, Any] = {
        "methods": ["POST"],
        "response_model": Accepted,
        "responses": refusals(HTTPStatus.NOT_FOUND),
    }
    for name in BATCHES:
        documented = body({"application/json": _BATCH})
        routes.add_api_route(
            f"/v1/{name}", take_batch, name=name, openapi_extra=documented, **common
        )
    for kind in CALLS:
        documented = body({"application/json": _MESSAGE})
        routes.add_api_route(
            f"/v1/{kind}", taking(kind), name=kind, openapi_extra=documented, **common
        )
    return routes


def _key_in(value: Any) -> dict[str, str]:
    """The headers that would bring the key that a body has; none if it has none."""
    key = value.get("writeKey") if isinstance(value, dict) else None
    return {"x-api-key": key} if isinstance(key, str) else {}


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise Refusal(HTTPStatus.BAD_REQUEST, "no_call", "the body is JSON, but no object")


def _batch(value: Any) -> list[Any]:
    if not isinstance(_object(value).get("batch"), list):
        message = "the body has no 'batch': a list of calls"
        raise Refusal(HTTPStatus.BAD_REQUEST, "no_batch", message)
    return messages_in(value)
