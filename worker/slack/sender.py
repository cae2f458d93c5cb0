"""Sends to Slack, once: whether and when to try again is for the delivery to say.

The client's own retries are off, since it repeats a request whose connection broke although Slack
may have taken it, and it sleeps through a 429.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from slack_sdk import WebClient
from slack_sdk.models.metadata import Metadata
from slack_sdk.web import SlackResponse

from worker.slack.message import Message
from worker.slack.trouble import failure

EVENT_TYPE = "tiewatch_alert"
MOST_IDS = 200
"""Ids in a message's metadata, which Slack limits to some 8,000 characters."""
BASE_URL = "https://slack.com/api/"
TIMEOUT = 10
"""Seconds without a sign of Slack, after which it is taken to be away."""

APART = 1.0
"""Seconds between two messages to a channel, which is what Slack documents."""

# What goes wrong comes back as SendFailed, said once; the client's debug lines name customers.
_SILENT = logging.getLogger(f"{__name__}.client")
_SILENT.setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """How to reach Slack. Without a token there is none; `channel` takes what has no owner there,
    and what is for admins unless `admin_channel` does. `apart` are the seconds between two messages
    to a channel.

    Raises:
        ValueError: for a token that cannot travel in a header; the message does not repeat it.
    """

    token: str | None = field(default=None, repr=False)
    base_url: str = BASE_URL
    channel: str | None = None
    admin_channel: str | None = None
    timeout: int = TIMEOUT
    apart: float = APART

    def __post_init__(self) -> None:
        """Refuse a token which the HTTP library would refuse, as it would print it."""
        if self.token is not None and not (self.token.isascii() and self.token.isprintable()):
            raise ValueError(
                "TIEWATCH_SLACK_BOT_TOKEN holds a line break or another character that no token "
                "has: set it to the one line that starts with 'xoxb-'."
            )


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message now stands: the channel's id, and Slack's `ts`, its id there."""

    channel: str
    ts: str | None


def metadata(ids: Iterable[int], bundle: str) -> Metadata:
    """By what a message is found again: the rows of `messages` that it tells, and their bundle.

    Of more than `MOST_IDS`, which Slack would not take, the first ones and `up_to`, the last: with
    them come all of the bundle that lie between.
    """
    all_of = sorted(ids)
    payload: dict[str, object] = {"alert_ids": all_of[:MOST_IDS], "bundle": bundle}
    if len(all_of) > MOST_IDS:
        payload["up_to"] = all_of[-1]
    return Metadata(event_type=EVENT_TYPE, event_payload=payload)


def client(config: SlackConfig) -> WebClient:
    """Slack's client, which tries once and logs nothing."""
    return WebClient(
        token=config.token,
        base_url=config.base_url,
        timeout=config.timeout,
        retry_handlers=[],
        logger=_SILENT,
    )


def post(
    slack: WebClient,
    channel: str,
    content: Message,
    known_by: Metadata,
    thread: str | None = None,
) -> Posted:
    """Post to a channel, by id or name, or to a user's direct messages, by user id; in the thread
    of the message with this `ts`, if one is given.

    Raises:
        SendFailed: Slack did not take it, or did not answer, and may have taken it all the same.
    """
    answer = asked(
        f"a message to {channel}",
        lambda: slack.chat_postMessage(
            channel=channel,
            text=content.text,
            blocks=content.blocks,
            metadata=known_by,
            thread_ts=thread,
            unfurl_links=False,
            unfurl_media=False,
        ),
        leaves_a_trace=True,
    )
    return Posted(channel=answer.get("channel") or channel, ts=answer.get("ts"))


def edit(slack: WebClient, channel: str, ts: str, content: Message) -> None:
    """Replace a message of ours by another one, but for its metadata. To do so twice is the same
    as once.

    Raises:
        SendFailed: it may or may not have been replaced.
    """
    asked(
        f"an edit in {channel}",
        lambda: slack.chat_update(
            channel=channel,
            ts=ts,
            text=content.text,
            blocks=content.blocks,
        ),
    )


def asked(
    what: str, call: Callable[[], SlackResponse], *, leaves_a_trace: bool = False
) -> SlackResponse:
    """Slack's answer to a call of the client's.

    Raises:
        SendFailed: there is none, or it is a refusal; names neither the token nor what was sent.
            Whether the call was obeyed is uncertain only of one that leaves a trace: others may be
            made again.
    """
    try:
        return call()
    except Exception as error:
        raise failure(error, what, leaves_a_trace=leaves_a_trace) from None
