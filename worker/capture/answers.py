"""What the gateway answers, as models: they make the OpenAPI document, and are sent as they are."""

from http import HTTPStatus
from typing import Any

import msgspec
from pydantic import BaseModel, Field
from starlette.responses import Response

from worker.capture.taking import Taken


class EventProblem(BaseModel):
    """An event that was quarantined."""

    index: int = Field(description="Its place in the request, counted from 0.")
    id: str | None = Field(description="Its id, if it has one.")
    problems: list[str] = Field(description="Everything that is wrong with it.")


class Accepted(BaseModel):
    """Everything is kept durably: the good events are applied soon, the others quarantined."""

    success: bool = Field(description="Always true: what is not kept is answered otherwise.")
    accepted: int
    quarantined: int
    ignored: int = Field(description="Of no use: for the mapping, or nobody's but ours.")
    problems: list[EventProblem]


class Refused(BaseModel):
    """Nothing of the request was kept."""

    code: str = Field(description="A word for programs.")
    message: str = Field(description="What is wrong, and what to do.")


_REFUSALS = {
    HTTPStatus.BAD_REQUEST: "The body as a whole cannot be read.",
    HTTPStatus.UNAUTHORIZED: "There is no key, or a wrong one.",
    HTTPStatus.FORBIDDEN: "The key is not for this.",
    HTTPStatus.NOT_FOUND: "There is nothing of this name.",
    HTTPStatus.REQUEST_TIMEOUT: "The body did not come in time.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "More than 1,000 events or 5 MB.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "A Content-Type or Content-Encoding that is not read.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests with this key: see Retry-After.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Nothing can be kept now: see Retry-After, and send it again.",
}


def refusals(*without: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """What the documentation says of refusals, those named left out."""
    return {
        int(status): {"model": Refused, "description": told}
        for status, told in _REFUSALS.items()
        if status not in without
    }


def kept(taken: Taken, status: HTTPStatus) -> Response:
    """The answer to a request whose events are kept."""
    document = {
        "success": True,
        "accepted": len(taken.events),
        "quarantined": len(taken.refused),
        "ignored": taken.ignored,
        "problems": [
            {"index": one.index, "id": one.id, "problems": one.problems} for one in taken.problems
        ],
    }
    return Response(msgspec.json.encode(document), status, media_type="application/json")


def body(schemas: dict[str, Any]) -> dict[str, Any]:
    """What the documentation says of a request's body: a schema for each media type."""
    content = {kind: {"schema": schema} for kind, schema in schemas.items()}
    return {"requestBody": {"required": True, "content": content}}
