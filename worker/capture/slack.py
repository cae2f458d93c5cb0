"""What comes from Slack, over HTTP at `/slack/events` or over a socket: checked, kept (clicks.py),
acknowledged, and handed to whoever acts on it (acting.py, windows.py).

Slack wants an answer within three seconds, so what is to be done is handed over, and answered. What
cannot be kept in that time is answered with 503, so that Slack tells whoever clicked.
"""

import logging
import re
from collections.abc import Callable
from concurrent.futures import Executor
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import APIRouter
from slack_bolt import App, BoltContext, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from worker.capture import acting, clicks, windows
from worker.capture.asking import Desk
from worker.capture.bodies import BodyRefused, body_of
from worker.capture.clicks import Work
from worker.capture.signatures import why_unsigned
from worker.slack.actions import PATTERN, Field

PATH = "/slack/events"
COMMAND = "/tiewatch"

_OURS = "is_ours"
"""In Bolt's context of a request: somebody here listens to such."""

log = structlog.get_logger("tiewatch")

# Bolt's own lines name customers and their answers; what goes wrong is logged by `_failed`.
_SILENT = logging.getLogger(f"{__name__}.bolt")
_SILENT.setLevel(logging.CRITICAL)


def listener(desk: Desk, client: WebClient, executor: Executor) -> App:
    """Bolt's application, which tells what came in from whom, and calls who acts on it.

    It checks no signatures: over HTTP `router` does, and a socket is Slack's own. `executor` does
    what is done about it. Bolt's own threads only hand it over and answer, so that however much is
    being worked on, and waited for, nobody waits for the answer.
    """
    app = App(
        name="tiewatch",
        logger=_SILENT,
        client=client,
        authorize=_authorize(client),
        signing_secret="",
        request_verification_enabled=False,
        ssl_check_enabled=False,
    )

    work = handed_to(executor)
    ours = re.compile(PATTERN)
    noting = [_note_as_ours]
    app.action(ours, middleware=noting)(_on_action(desk, work))
    typed = re.compile(f"^({Field.ASSIGNEE}|{Field.CONTACT})$")
    app.options(typed, middleware=noting)(_on_typing(desk))
    app.view(ours, middleware=noting)(_on_view(desk, work))
    app.command(COMMAND, middleware=noting)(_on_command(desk, work))
    app.event("app_home_opened")(_on_home(desk, work))
    app.error(_unanswered)
    return app


def _note_as_ours(context: BoltContext, next: Callable[[], Any]) -> None:
    context[_OURS] = True
    next()


def handed_to(executor: Executor) -> Work:
    """Has the executor do what is handed over."""

    def work(what: Callable[..., None], *given: Any) -> None:
        executor.submit(_noted, what, *given)

    return work


def _authorize(client: WebClient) -> Callable[..., AuthorizeResult]:
    """The workspace is the one of our token: nothing to look up, and no call to Slack before the
    answer."""

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=client.token)

    return authorize


def _on_action(desk: Desk, work: Work) -> Callable[..., None]:
    def on_action(
        ack: Callable[[], Any], body: dict[str, Any], action: dict[str, Any], client: WebClient
    ) -> None:
        if acting.changes_something(action):
            work(clicks.work_on, desk, client, clicks.keep(desk, body, action))
        else:
            work(acting.pressed, desk, client, body, action)
        ack()

    return on_action


def _on_typing(desk: Desk) -> Callable[..., None]:
    def on_typing(ack: Callable[..., Any], body: dict[str, Any]) -> None:
        ack(options=windows.suggested(desk, body))

    return on_typing


def _on_view(desk: Desk, work: Work) -> Callable[..., None]:
    def on_view(ack: Callable[..., Any], body: dict[str, Any], client: WebClient) -> None:
        errors = windows.problems(desk, body)
        if errors:
            ack(response_action="errors", errors=errors)
            return
        work(clicks.work_on, desk, client, clicks.keep(desk, body))
        ack()

    return on_view


def _on_command(desk: Desk, work: Work) -> Callable[..., None]:
    def on_command(ack: Callable[[], Any], command: dict[str, Any], client: WebClient) -> None:
        work(acting.commanded, desk, client, command)
        ack()

    return on_command


def _on_home(desk: Desk, work: Work) -> Callable[..., None]:
    def on_home(event: dict[str, Any], body: dict[str, Any], client: WebClient) -> None:
        if event.get("tab") == "home":
            work(acting.show_home, desk, client, event["user"], body.get("team_id"))

    return on_home


def _noted(what: Callable[..., None], *given: Any) -> None:
    """Do it. What goes wrong is not lost with the thread that it goes wrong in."""
    try:
        what(*given)
    except Exception as error:
        _failed(error)


def _unanswered(error: Exception) -> BoltResponse | None:
    """Whoever listened failed before Slack was answered; Bolt's answer is 500, if this is none."""
    _failed(error)
    away = isinstance(error, SQLAlchemyError)
    return BoltResponse(status=HTTPStatus.SERVICE_UNAVAILABLE) if away else None


def _failed(error: Exception) -> None:
    log.error("what came from Slack failed", error=f"{type(error).__name__}: {error}"[:500])


def router(app: App, secret: str, desk: Desk) -> APIRouter:
    """The way in over HTTP. Nothing of a request is looked at before its signature is.

    Raises:
        ValueError: for an empty secret, with which anybody could sign.
    """
    if not secret.strip():
        raise ValueError("the signing secret is empty")

    async def events(request: Request) -> Response:
        try:
            body = await body_of(request)
        except BodyRefused as refused:
            return Response(status_code=refused.status)
        headers = dict(request.headers)
        unsigned = why_unsigned(secret, headers, body, desk.now())
        if unsigned is not None:
            log.warning("a request was not Slack's", because=str(unsigned))
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        try:
            asked = BoltRequest(body=body.decode(), headers={**headers})
        except (ValueError, AttributeError, TypeError):  # Bolt takes for granted that it is JSON
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        answer = await run_in_threadpool(app.dispatch, asked)
        if answer.status == HTTPStatus.NOT_FOUND and asked.context.get(_OURS):
            # Bolt says so too where whoever listens has not answered in time.
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        return Response(
            content=answer.body,
            status_code=answer.status,
            headers={"content-type": answer.first_headers().get("content-type", "text/plain")},
        )

    routes = APIRouter()
    routes.add_api_route(PATH, events, methods=["POST"])
    return routes
