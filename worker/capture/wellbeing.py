"""`/healthz`, `/readyz` and `/metrics`: for whoever watches over the gateway."""

import time
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from worker.capture import publishing
from worker.capture.desk import Desk, answer
from worker.capture.figures import exposition
from worker.capture.publishing import BROKER_TROUBLE
from worker.store.database import reading
from worker.store.migrations import NotMigrated, require_current

FRESH_SECONDS = 1.0
"""For which an answer stands: anybody may ask, and as often as they like."""


class _Readiness:
    """Whether the gateway can do its work, looked at when it is asked."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._looked_at = 0.0
        self._found: dict[str, str] = {}

    def found(self) -> dict[str, str]:
        """`ok`, or what is wrong, by what was looked at."""
        if time.monotonic() - self._looked_at >= FRESH_SECONDS:
            self._found = {**self._database(), "broker": self._broker()}
            self._looked_at = time.monotonic()
        return self._found

    def _database(self) -> dict[str, str]:
        try:
            with reading(self._desk.engine) as db:
                require_current(db)
        except NotMigrated as error:
            return {"database": "ok", "migrations": str(error)}
        except SQLAlchemyError:
            return {"database": "does not answer", "migrations": "unknown"}
        return {"database": "ok", "migrations": "ok"}

    def _broker(self) -> str:
        try:
            publishing.broker_answers()
        except BROKER_TROUBLE:
            return "does not answer"
        return "ok"


def router(desk: Desk) -> APIRouter:
    """The ways to ask how the gateway is."""
    readiness = _Readiness(desk)

    async def healthz() -> dict[str, str]:
        """Whether this process runs."""
        return {"process": "ok"}

    async def readyz() -> Response:
        """Whether the database and the broker answer, and the tables are of this version."""
        found: dict[str, Any] = await desk.in_thread(readiness.found)
        well = all(state == "ok" for state in found.values())
        status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
        return answer(status, msgspec.json.encode(found))

    async def metrics() -> Response:
        """Figures for Prometheus."""
        content, kind = exposition()
        return Response(content, media_type=kind)

    routes = APIRouter(tags=["wellbeing"])
    routes.add_api_route("/healthz", healthz, methods=["GET"])
    unready: dict[int | str, dict[str, Any]] = {
        int(HTTPStatus.SERVICE_UNAVAILABLE): {"description": "Something does not answer."}
    }
    routes.add_api_route("/readyz", readyz, methods=["GET"], responses=unready)
    figures: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
    }
    routes.add_api_route(
        "/metrics", metrics, methods=["GET"], response_class=Response, responses=figures
    )
    return routes
