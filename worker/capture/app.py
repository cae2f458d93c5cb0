"""The gateway: the one HTTP application that the outside world calls, put together from its parts.

Each way in is a router of its own, which reads no more of a request than it allows itself.
"""

from collections.abc import Iterable

from fastapi import APIRouter, FastAPI


def gateway(routers: Iterable[APIRouter]) -> FastAPI:
    """The application with these ways in, and `GET /health`, which says that it is up."""
    app = FastAPI(title="tiewatch", docs_url=None, redoc_url=None, openapi_url=None)
    for router in routers:
        app.include_router(router)
    app.add_api_route("/health", _health, methods=["GET"])
    return app


async def _health() -> dict[str, bool]:
    return {"ok": True}
