"""`POST /v1/hooks/NAME`: what other products send when something happens there."""

from http import HTTPStatus
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from worker.capture.answers import Accepted, body, kept, refusals
from worker.capture.desk import Desk
from worker.capture.hooks import WAY, messages_in, take
from worker.capture.mappings import Mappings
from worker.capture.proofs import NotProven, prove
from worker.capture.reading import MOST_EVENTS, as_json, body_of, too_many
from worker.capture.refusals import Refusal
from worker.core.mapping import Hook
from worker.running import runtime
from worker.settings import hook_secret, settings
from worker.store.api_keys import Scope

log = structlog.get_logger("tiewatch.gateway")


def router(desk: Desk, mappings: Mappings) -> APIRouter:
    """The way in for webhooks."""

    async def take_hook(
        request: Request, name: Annotated[str, Path(description="A hook of capture.yaml.")]
    ) -> Response:
        """Take a webhook in. Its sender proves who it is as `capture.yaml` says."""
        capture = mappings.now()
        hook = capture.hooks.get(name)
        if hook is None:
            raise _no_such_hook()
        if hook.verify.scheme == "key":
            source = (await desk.sender(request, Scope.HOOKS)).source
            content = await body_of(request)
        else:
            content = await body_of(request)
            _prove(request, hook, content)
            await desk.count(f"hook:{name}")
            source = name
            request.scope["state"]["key"] = f"hook:{name}"
        messages = messages_in(as_json(content), hook)
        if len(messages) > MOST_EVENTS:
            raise too_many(len(messages))
        sent_as = request.headers.get("webhook-id") if hook.verify.scheme == "standard" else None
        taken = take(messages, source, hook, capture.people, runtime.clock(), sent_as)
        await desk.bring(request, taken, len(content), f"{WAY}{name}")
        return kept(taken, HTTPStatus.OK)

    routes = APIRouter(tags=["webhooks"])
    anything: dict[str, Any] = {"application/json": {}}
    routes.add_api_route(
        "/v1/hooks/{name}",
        take_hook,
        methods=["POST"],
        response_model=Accepted,
        responses=refusals(),
        openapi_extra=body(anything),
        summary="A webhook",
    )
    return routes


def _prove(request: Request, hook: Hook, content: bytes) -> None:
    secret = hook_secret(hook.name)
    if secret is None:
        log.error("a webhook came whose secret is not set", hook=hook.name)
        raise _not_proven()
    public = settings().public_url
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    url = f"{public.rstrip('/')}{path}" if public else str(request.url)
    try:
        prove(hook.verify, secret, request.headers, content, url, runtime.clock())
    except NotProven as error:
        log.warning("a webhook was not signed as it should be", hook=hook.name, because=str(error))
        raise _not_proven() from None


def _not_proven() -> Refusal:
    """Says to all the same: which part was wrong is for the log."""
    message = "this request is not signed as this hook asks; the gateway's log says why"
    return Refusal(HTTPStatus.UNAUTHORIZED, "not_proven", message)


def _no_such_hook() -> Refusal:
    message = "there is no such hook: capture.yaml says which there are"
    return Refusal(HTTPStatus.NOT_FOUND, "no_hook", message)
