"""What Slack's refusals mean: whether to wait, to try again, to go elsewhere, or to give up."""

from enum import StrEnum

from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

DEFAULT_RETRY_AFTER = 30.0
MAX_RETRY_AFTER = 86_400.0


class Verdict(StrEnum):
    """What a failure says of another try."""

    WAIT = "Slack takes nothing for a while"
    AGAIN = "the same may go well later"
    ELSEWHERE = "the same would fail again, but not in another channel"
    NEVER = "the same would fail again, wherever it is sent"


_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})

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

_OF_TOKEN = frozenset(
    {
        "not_authed",
        "invalid_auth",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "no_permission",
        "missing_scope",
        "not_allowed_token_type",
        "access_denied",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "two_factor_setup_required",
        "team_access_not_granted",
        "accesslimited",
    }
)

_OF_MESSAGE = frozenset(
    {
        "no_text",
        "msg_too_long",
        "msg_blocks_too_long",
        "invalid_blocks",
        "invalid_blocks_format",
        "blocks_too_long",
        "metadata_too_large",
        "metadata_must_be_sent_from_app",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "invalid_arguments",
        "invalid_arg_name",
        "invalid_json",
        "json_not_object",
    }
)

GONE = frozenset({"message_not_found", "thread_not_found"})
"""The message that is spoken of is not there: someone deleted it."""

FIXED = frozenset({"cant_update_message", "edit_window_closed", "is_inactive"})
"""The message is there, but may not be edited."""

_TOKEN = "set TIEWATCH_SLACK_BOT_TOKEN to a bot token of an installed app"
_CHANNEL = "check TIEWATCH_SLACK_CHANNEL, or the rep's slack_user if it is theirs"
_REMEDIES = {
    "not_authed": _TOKEN,
    "invalid_auth": _TOKEN,
    "account_inactive": _TOKEN,
    "token_revoked": _TOKEN,
    "token_expired": _TOKEN,
    "missing_scope": "give the app the scopes of slack/manifest.yaml and install it again",
    "channel_not_found": _CHANNEL + "; a private channel must invite the app",
    "user_not_found": _CHANNEL,
    "is_archived": _CHANNEL,
    "not_in_channel": "invite the app to the channel",
    "messages_tab_disabled": "turn on the messages tab in the app's home settings",
}


class SendFailed(Exception):
    """Slack did not do what it was asked, or nobody can tell.

    `retry_after` are the seconds to wait, if that is the verdict. `uncertain`: Slack may have taken
    the message all the same. `code` is Slack's own word for what is wrong.
    """

    def __init__(
        self,
        reason: str,
        verdict: Verdict,
        *,
        retry_after: float = 0,
        uncertain: bool = False,
        code: str = "",
    ) -> None:
        """Keep what went wrong, in words for whoever runs `tiewatch doctor`."""
        super().__init__(reason)
        self.reason = reason
        self.verdict = verdict
        self.retry_after = retry_after
        self.uncertain = uncertain
        self.code = code


def failure(error: Exception, asked: str, *, leaves_a_trace: bool) -> SendFailed:
    """What an error of the client means; `asked` says what for, and whom: "a message to C1".

    Where nobody can tell whether Slack did it, that is uncertain if it `leaves_a_trace`.

    One without an error code of Slack's is no verdict of Slack's, whatever its status.
    """
    if not isinstance(error, SlackApiError):  # whatever sockets, TLS and JSON raise
        told = f"no proper answer from Slack to {asked}: {error or type(error).__name__}"
        return SendFailed(told, Verdict.AGAIN, uncertain=leaves_a_trace)
    answer: SlackResponse = error.response
    code = str(answer.get("error") or "")
    if answer.status_code == 429 or code in _LIMITED:
        wait = _seconds(answer.headers.get("Retry-After"))
        told = f"Slack wants a pause of {wait:g} seconds"
        return SendFailed(told, Verdict.WAIT, retry_after=wait, code=code)
    if code in _TEMPORARY or answer.status_code >= 500 or not code.isidentifier():
        told = f"Slack answered {answer.status_code} {code}".rstrip()
        return SendFailed(f"{told} to {asked}", Verdict.AGAIN, uncertain=leaves_a_trace, code=code)
    of_all = code in _OF_TOKEN or code in _OF_MESSAGE
    told = f"Slack refused {asked}: {code}"
    remedy = _REMEDIES.get(code)
    return SendFailed(
        f"{told} ({remedy})" if remedy else told,
        Verdict.NEVER if of_all else Verdict.ELSEWHERE,
        code=code,
    )


def _seconds(retry_after: str | None) -> float:
    if retry_after is None or not retry_after.strip().isdecimal():
        return DEFAULT_RETRY_AFTER
    return min(max(float(retry_after), 1.0), MAX_RETRY_AFTER)
