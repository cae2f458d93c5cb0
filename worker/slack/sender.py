"""Sends a message to Slack, once: whether and when to try again is for the outbox to say.

The client's own retries are off, since it repeats a request whose connection broke although Slack
may have taken it, and it sleeps through a 429.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from worker.core.alerts import FOR_ADMINS, Alert
from worker.slack.message import Message, message

BASE_URL = "https://slack.com/api/"
TIMEOUT = 10
"""Seconds without a sign of Slack, after which it is taken to be away."""

DEFAULT_RETRY_AFTER = 30.0
MAX_RETRY_AFTER = 86_400.0

_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})

# Every other error code is a verdict on this message, channel or token that time does not change.
_TEMPORARY = frozenset(
    {
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "org_login_required",
        "external_channel_migrating",
    }
)

_TOKEN = "set TIEWATCH_SLACK_BOT_TOKEN to a bot token of an installed app"
_CHANNEL = "check TIEWATCH_SLACK_CHANNEL, or the rep's slack_user if it is theirs"
_REMEDIES = {
    "not_authed": _TOKEN,
    "invalid_auth": _TOKEN,
    "account_inactive": _TOKEN,
    "token_revoked": _TOKEN,
    "token_expired": _TOKEN,
    "missing_scope": "give the app the scope chat:write and install it again",
    "channel_not_found": _CHANNEL + "; a private channel must invite the app",
    "user_not_found": _CHANNEL,
    "is_archived": _CHANNEL,
    "not_in_channel": "invite the app to the channel",
    "messages_tab_disabled": "turn on the messages tab in the app's home settings",
}

# What goes wrong comes back as SendFailed, said once; the client's debug lines name customers.
_SILENT = logging.getLogger(f"{__name__}.client")
_SILENT.setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """How to reach Slack. Without a token there is none; `channel` takes what has no owner there,
    and what is for admins unless `admin_channel` does.

    Raises:
        ValueError: for a token that cannot travel in a header; the message does not repeat it.
    """

    token: str | None = field(default=None, repr=False)
    base_url: str = BASE_URL
    channel: str | None = None
    admin_channel: str | None = None
    timeout: int = TIMEOUT

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


class SendFailed(Exception):
    """The message was not taken, or nobody can tell.

    `permanent`: the same would fail again. `retry_after`: seconds in which Slack takes nothing.
    """

    def __init__(
        self, reason: str, *, permanent: bool = False, retry_after: float | None = None
    ) -> None:
        """Keep what went wrong, in words for whoever runs `tiewatch doctor`."""
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after


Send = Callable[[Alert, int, str | None], Posted]
"""Sends the alert with this outbox id to a rep's Slack user, or where alerts without one go.

Raises:
    SendFailed: it was not taken, or nobody can tell.
"""


def to_slack(config: SlackConfig) -> Send:
    """The sender for a workspace that has a token."""
    slack = client(config)

    def send(alert: Alert, alert_id: int, user: str | None) -> Posted:
        for_admins = alert.reason in FOR_ADMINS
        channel = user or (config.admin_channel if for_admins else None) or config.channel
        if not channel:
            raise SendFailed(
                "no channel: the account's owner has no slack_user, and TIEWATCH_SLACK_CHANNEL "
                "is not set",
                permanent=True,
            )
        return post(slack, channel, message(alert, alert_id))

    return send


def client(config: SlackConfig) -> WebClient:
    """Slack's client, which tries once and logs nothing."""
    return WebClient(
        token=config.token,
        base_url=config.base_url,
        timeout=config.timeout,
        retry_handlers=[],
        logger=_SILENT,
    )


def post(slack: WebClient, channel: str, content: Message) -> Posted:
    """Post to a channel, by id, or to a user's direct messages, by user id.

    Raises:
        SendFailed: Slack did not take it, or did not answer, and may have taken it all the same.
    """
    try:
        answer = slack.chat_postMessage(
            channel=channel,
            text=content.text,
            blocks=content.blocks,
            metadata=content.metadata,
            unfurl_links=False,
            unfurl_media=False,
        )
    except SlackApiError as error:
        raise _refusal(error.response, channel) from None
    except Exception as error:  # the client lets through whatever sockets, TLS and JSON raise
        raise SendFailed(f"no proper answer from Slack: {error or type(error).__name__}") from None
    return Posted(channel=answer.get("channel") or channel, ts=answer.get("ts"))


def _refusal(answer: SlackResponse, channel: str) -> SendFailed:
    """What Slack's answer means. One without an error code of its own is no verdict."""
    code = str(answer.get("error") or "")
    if answer.status_code == 429 or code in _LIMITED:
        wait = _seconds(answer.headers.get("Retry-After"))
        return SendFailed(f"Slack wants a pause of {wait:g} seconds", retry_after=wait)
    if code in _TEMPORARY or answer.status_code >= 500 or not code.isidentifier():
        return SendFailed(f"Slack answered {answer.status_code} {code}".rstrip())
    remedy = _REMEDIES.get(code)
    told = f"Slack refused the message to {channel}: {code}"
    return SendFailed(f"{told} ({remedy})" if remedy else told, permanent=True)


def _seconds(retry_after: str | None) -> float:
    if retry_after is None or not retry_after.strip().isdecimal():
        return DEFAULT_RETRY_AFTER
    return min(max(float(retry_after), 1.0), MAX_RETRY_AFTER)
