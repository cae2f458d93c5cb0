"""`tiewatch gateway` and `tiewatch slack listen`: the processes that hear what people do in Slack.

One of the two is enough: Slack calls the gateway over HTTP, the listener calls Slack, for where
nothing from outside may come in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr
from slack_sdk import WebClient

from worker import logs, runtime
from worker.cli.access import database, queue
from worker.cli.terminal import Refused, say
from worker.settings import settings
from worker.slack.sender import client
from worker.tasks import request_delivery

if TYPE_CHECKING:
    from worker.capture.asking import Desk

# What serves is imported where it is needed: a web framework takes a third of a second to load.


def gateway(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port to listen on.")] = 8000,
) -> None:
    """Answer what Slack sends over HTTP, at /slack/events. Stop with Ctrl-C."""
    from worker.capture.serving import over_http
    from worker.capture.slack import PATH

    secret = _required(
        settings().slack_signing_secret,
        "TIEWATCH_SLACK_SIGNING_SECRET is not set: it is in the app's settings in Slack, under "
        "Basic Information. Without it nobody can tell Slack's requests from others.",
    )
    with _desk() as (desk, slack):
        say(f"tiewatch listens at http://{host}:{port}{PATH}. Ctrl-C stops it.")
        over_http(desk, slack, secret, host, port)


def listen() -> None:
    """Answer what Slack sends over a socket that is opened from here. Stop with Ctrl-C."""
    from worker.capture.serving import NoSocket, over_socket

    token = _required(
        settings().slack_app_token,
        "TIEWATCH_SLACK_APP_TOKEN is not set: make one with the scope connections:write in the "
        "app's settings in Slack, under Basic Information; it starts with 'xapp-'.",
    )
    with _desk() as (desk, slack):
        say("tiewatch listens to Slack. Ctrl-C stops it.")
        try:
            over_socket(desk, slack, token)
        except NoSocket as error:
            raise Refused(
                f"Slack opens no socket for TIEWATCH_SLACK_APP_TOKEN: {error}. Check that it has "
                "the scope connections:write, and that Socket Mode is on in the app's settings."
            ) from error


def _required(value: SecretStr | None, otherwise: str) -> str:
    if value is None:
        raise Refused(otherwise)
    return value.get_secret_value()


@contextmanager
def _desk() -> Iterator[tuple["Desk", WebClient]]:
    """What answers are worked with, checked to be there, and the client that calls Slack."""
    from worker.capture.asking import Desk

    config = runtime.slack()
    if not config.token:
        raise Refused("TIEWATCH_SLACK_BOT_TOKEN is not set: without it nothing can be answered.")
    logs.set_up(settings().log_level)
    engine = database()
    runtime.rules_in_force()
    with queue():
        yield (
            Desk(engine, runtime.with_rules_in_force, runtime.clock, request_delivery),
            (client(config)),
        )
