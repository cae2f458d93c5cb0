"""`tiewatch gateway` and `tiewatch slack listen`: the processes that hear what comes from outside.

For Slack one of the two is enough: it calls the gateway over HTTP, the listener calls it, for where
nothing from outside may come in.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr
from slack_sdk import WebClient

from worker.cli.access import database, queue
from worker.cli.terminal import Refused, say
from worker.running import logs, runtime
from worker.settings import settings
from worker.slack.sender import client
from worker.tasks import request_delivery

if TYPE_CHECKING:
    from worker.capture.asking import Desk

_NO_TOKEN = "TIEWATCH_SLACK_BOT_TOKEN is not set: without it nothing can be answered."

# What serves is imported where it is needed: a web framework takes a third of a second to load.


def gateway(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port to listen on.")] = 8000,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Processes; TIEWATCH_GATEWAY_PROCESSES else.")
    ] = None,
) -> None:
    """Take events in over HTTP, and what people do in Slack. Stop with Ctrl-C.

    Events come as CloudEvents, from Segment's libraries and as webhooks; /docs shows how. What
    Slack sends to /slack/events is answered if TIEWATCH_SLACK_SIGNING_SECRET is set.
    """
    from worker.capture import hosting, publishing

    ours = settings()
    if ours.slack_signing_secret and not runtime.slack().token:
        raise Refused(_NO_TOKEN)
    logs.set_up(ours.log_level)
    engine = database()
    hosting.desk_of(ours)  # what is wrong with the settings is told here, once
    if ours.slack_signing_secret:
        runtime.rules_in_force()
    engine.dispose()  # the processes make their own connections
    number = processes or ours.gateway_processes
    with queue() as app, hosting.shared_figures(number):
        url = str(app.conf.broker_url)
        os.environ["TIEWATCH_BROKER_URL"] = url  # for our processes
        if told := publishing.doubt(url):
            say(told)
        say(f"tiewatch listens at http://{host}:{port}. Ctrl-C stops it.")
        hosting.serve(host, port, number)


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
        raise Refused(_NO_TOKEN)
    logs.set_up(settings().log_level)
    engine = database()
    runtime.rules_in_force()
    with queue():
        yield (
            Desk(engine, runtime.with_rules_in_force, runtime.clock, request_delivery),
            (client(config)),
        )
