"""The gateway: the one HTTP application that the outside world calls, put together from its parts.

Each way in is a router of its own, which reads no more of a request than it allows itself. There is
no CORS: what sends events are servers.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    nullcontext,
)

import msgspec
from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from worker.capture import asking, clicks, events, publishing, slack, tracking, webhooks, wellbeing
from worker.capture.desk import answer, refused
from worker.capture.hosting import desk_of
from worker.capture.mappings import Mappings
from worker.capture.refusals import Refusal
from worker.capture.serving import AT_ONCE
from worker.capture.wrapping import Wrapped
from worker.celery_app import connect
from worker.running import logs, runtime
from worker.settings import Settings, settings
from worker.slack.sender import client
from worker.tasks import request_delivery

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def gateway(routers: Iterable[APIRouter], lifespan: Lifespan | None = None) -> FastAPI:
    """The application with these ways in."""
    app = FastAPI(
        title="tiewatch",
        description="Takes events in. What is answered with 2xx is kept durably.",
        redoc_url=None,
        lifespan=lifespan,
    )
    for router in routers:
        app.include_router(router)
    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(HTTPException, _no_such_thing)
    app.add_middleware(Wrapped)
    return app


def create() -> FastAPI:
    """The gateway of this process, as the settings say."""
    ours = settings()
    logs.set_up(ours.log_level)
    connect()
    publishing.be_quick()
    desk = desk_of(ours)

    executor = ThreadPoolExecutor(AT_ONCE, "slack")
    slack_routes, clicks_taken_over = _slack(ours, executor)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        desk.open()
        with clicks_taken_over:
            yield
        executor.shutdown()  # what was acknowledged is done
        await desk.close()

    mappings = Mappings(runtime.rules_path())
    routers = [
        events.router(desk, mappings),
        tracking.router(desk, mappings),
        webhooks.router(desk, mappings),
        wellbeing.router(desk),
        *slack_routes,
    ]
    return gateway(routers, lifespan)


def _slack(
    ours: Settings, executor: ThreadPoolExecutor
) -> tuple[Sequence[APIRouter], AbstractContextManager[None]]:
    """The way in for Slack, if its secrets are set, and what is to go on while it is open."""
    config = runtime.slack()
    if not config.token or not ours.slack_signing_secret:
        return (), nullcontext()
    desk = asking.Desk(
        runtime.engine(), runtime.with_rules_in_force, runtime.clock, request_delivery
    )
    ours_in_slack = client(config)
    listener = slack.listener(desk, ours_in_slack, executor)
    routes = slack.router(listener, ours.slack_signing_secret.get_secret_value(), desk)
    return (routes,), clicks.taken_over(desk, ours_in_slack, slack.handed_to(executor))


def _no_such_thing(_: Request, error: Exception) -> Response:
    """A path or method that there is not, in the form of all refusals."""
    assert isinstance(error, HTTPException)
    document = {"code": "not_here", "message": f"{error.detail}: /docs shows what there is"}
    found = answer(error.status_code, msgspec.json.encode(document))
    found.headers.update(error.headers or {})
    return found
