"""`POST /v1/events`: events as they are, in CloudEvents' modes, a JSON array, or one a line."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from worker.capture.answers import Accepted, body, kept, refusals
from worker.capture.cloudevents import BATCH, LINES, PLAIN, STRUCTURED, events_in
from worker.capture.desk import Desk
from worker.capture.mappings import Mappings
from worker.capture.reading import MOST_EVENTS, body_of
from worker.capture.taking import take
from worker.core.events import AS_EVENT
from worker.running import runtime
from worker.store.api_keys import Scope

PATH = "/v1/events"

_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "type", "time", "data"],
    "properties": {
        "specversion": {"type": "string", "enum": ["1.0"]},
        "id": {"type": "string", "minLength": 1, "maxLength": 300},
        "source": {
            "type": "string",
            "minLength": 1,
            "description": "The key's, unless it says more.",
        },
        "type": {
            "type": "string",
            "enum": [
                *("interaction", "usage", "account", "contact", "rep"),
                *("subscription", "survey", "ticket", "outcome"),
            ],
        },
        "time": {"type": "string", "format": "date-time"},
        "subject": {"type": "string", "description": "The account's id; a rep has none."},
        "data": {"type": "object"},
    },
    "example": {
        "id": "login-1",
        "type": "usage",
        "time": "2026-03-05T14:20:00Z",
        "subject": "acme",
        "data": {"user": "lee", "feature": "reports"},
    },
}
_EVENTS = {"type": "array", "items": _EVENT, "maxItems": MOST_EVENTS}

_BODY = body(
    {
        PLAIN: {"oneOf": [_EVENTS, _EVENT]},
        STRUCTURED: _EVENT,
        BATCH: _EVENTS,
        LINES[0]: {"type": "string", "description": "One event a line."},
    }
)


def router(desk: Desk, mappings: Mappings) -> APIRouter:
    """The way in for events."""

    async def take_events(request: Request) -> Response:
        """Take events in: up to 1,000, and 5 MB.

        An event that cannot be used is quarantined, and the answer says why; the others go on.
        """
        sender = await desk.sender(request, Scope.EVENTS)
        content = await body_of(request)
        raw = events_in(request.headers, content)
        taken = take(raw, sender.source, mappings.now().people, runtime.clock())
        await desk.bring(request, taken, len(content), AS_EVENT)
        return kept(taken, HTTPStatus.ACCEPTED)

    routes = APIRouter()
    routes.add_api_route(
        PATH,
        take_events,
        methods=["POST"],
        status_code=HTTPStatus.ACCEPTED,
        response_model=Accepted,
        responses=refusals(HTTPStatus.NOT_FOUND),
        openapi_extra=_BODY,
        summary="Events",
        tags=["events"],
    )
    return routes
