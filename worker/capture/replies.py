"""How someone who did something in Slack is told what came of it, so that only they see it."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from slack_sdk import WebClient
from slack_sdk.models.views import View
from slack_sdk.webhook import WebhookClient

from worker.core.answers import Refused
from worker.slack import views
from worker.slack.blocks import Message, fitted
from worker.slack_actions.answering import IsBusy

SORRY = (
    "Something went wrong on our side. If the message does not show your answer, please try again."
)
LATER = (
    "The account is being worked on, which takes some minutes at most. Your answer is kept, and "
    "counts as soon as that is done."
)
LONGEST = 3_000

log = structlog.get_logger("tiewatch")

# slack-sdk's own lines hold what is said about customers.
_SILENT = logging.getLogger(f"{__name__}.client")
_SILENT.setLevel(logging.CRITICAL)


class Private(msgspec.Struct, frozen=True):
    """What a window carries along, to find the way back from: its flag, and where it was opened."""

    flag: int
    response_url: str | None = None
    at_home: bool = False

    def encoded(self) -> str:
        """As `private_metadata`."""
        return msgspec.json.encode(self).decode()


@dataclass(frozen=True, slots=True)
class Reply:
    """The way to answer one person: beside the message that they clicked in, else in a window."""

    client: WebClient
    trigger: str | None
    response_url: str | None = None
    in_window: bool = False

    @staticmethod
    def to(client: WebClient, body: Mapping[str, Any], response_url: str | None = None) -> "Reply":
        """The way to whoever sent this."""
        given = body.get("response_url") or response_url
        in_window = (body.get("view") or {}).get("type") == "modal"
        submitted = body.get("type") == "view_submission"
        return Reply(client, body.get("trigger_id"), given, in_window and not submitted)

    def say(self, title: str, text: str) -> None:
        """Tell them, in plain words."""
        if self.response_url:
            self.show(Message(text=fitted(text, LONGEST), blocks=()))
        else:
            self.open(views.said(title, text))

    def show(self, message: Message) -> None:
        """Show them a message that nobody else sees."""
        if self.response_url is None:
            return
        WebhookClient(self.response_url, timeout=10, retry_handlers=[], logger=_SILENT).send(
            text=message.text,
            blocks=list(message.blocks),
            response_type="ephemeral",
            replace_original=False,
        )

    def open(self, view: View) -> str | None:
        """Open a window, over the one that is open if there is one; returns its id."""
        if self.trigger is None:
            return None
        opening = self.client.views_push if self.in_window else self.client.views_open
        answer = opening(trigger_id=self.trigger, view=view)
        id_: str | None = (answer.get("view") or {}).get("id")
        return id_


@contextmanager
def told(reply: Reply, title: str, slack_user: str, first: bool = True) -> Iterator[None]:
    """Tell the user why the block could not do it; log what is nobody's fault but ours.

    Raises:
        IsBusy: it cannot be done yet; they are told so the `first` time.
    """
    try:
        yield
    except Refused as refused:
        log.info("refused in Slack", slack_user=slack_user, asked=title, because=str(refused))
        reply.say(title, str(refused))
    except IsBusy:
        log.info("an answer from Slack waits", slack_user=slack_user, asked=title)
        if first:
            reply.say(title, LATER)
        raise
    except Exception as error:
        log.exception("an answer from Slack failed", error=type(error).__name__)
        reply.say(title, SORRY)
