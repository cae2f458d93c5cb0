"""What every request gets: an id, security headers, a line in the log, and a count."""

import re
import time
from http import HTTPStatus
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.capture.figures import REQUESTS, SECONDS

_GIVEN_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)

_SECURITY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_DOCS_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data: https://fastapi.tiangolo.com; "
    "script-src 'unsafe-inline' https://cdn.jsdelivr.net; "
    "style-src 'unsafe-inline' https://cdn.jsdelivr.net; frame-ancestors 'none'"
)
"""The page of the documentation loads what it is made with."""

HEADER_BYTES = 16_384
"""Of a request's line and headers together. The server keeps no more of unfinished ones either."""

_TOO_LARGE = JSONResponse(
    {"code": "headers", "message": f"headers have at most {HEADER_BYTES:,} bytes"},
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
)

log = structlog.get_logger("tiewatch.gateway")


class Wrapped:
    """The application, wrapped. What a request holds is never logged, its path without query is."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        given = Headers(scope=scope).get("x-request-id", "")
        id_ = given if _GIVEN_ID.fullmatch(given) else uuid4().hex
        status = 500

        async def send_wrapped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(_SECURITY)
                headers["X-Request-Id"] = id_
                if scope["path"] == "/docs":
                    headers["Content-Security-Policy"] = _DOCS_POLICY
            await send(message)

        scope.setdefault("state", {})
        with structlog.contextvars.bound_contextvars(request=id_):
            try:
                app = self._app if _header_bytes(scope) <= HEADER_BYTES else _TOO_LARGE
                await app(scope, receive, send_wrapped)
            finally:
                self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        REQUESTS.labels(route, status).inc()
        SECONDS.labels(route).observe(seconds)
        state = scope["state"]
        log.info(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(1000 * seconds, 1),
            key=state.get("key"),
            events=state.get("events"),
        )


def _header_bytes(scope: Scope) -> int:
    line = len(scope["raw_path"]) + len(scope["query_string"])
    return line + sum(len(name) + len(value) for name, value in scope["headers"])
