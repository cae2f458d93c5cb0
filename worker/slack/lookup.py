"""Looks things up in Slack: what has been posted already, and who and where someone is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from worker.slack.sender import EVENT_TYPE, asked
from worker.slack.trouble import GONE, SendFailed, Verdict

CLOCKS_APART = timedelta(minutes=5)
"""By how much Slack's clock and ours may differ."""

PAGE = 200
PAGES = 10
"""Pages of a channel's messages that are looked through for one."""


@dataclass(frozen=True, slots=True)
class Found:
    """A message of ours that is in Slack: the rows of `messages` that it tells, and its `ts`."""

    ids: frozenset[int]
    ts: str


MOST_BETWEEN = 1_000_000
"""Rows that a message may tell without naming each."""


def find(
    slack: WebClient, channel: str, since: datetime, ids: frozenset[int], thread: str | None = None
) -> Found | None:
    """The first message since then that tells one of `ids`: in a channel, by id, or in the thread
    of the message with this `ts`.

    Raises:
        SendFailed: nobody can tell whether there is one.
    """
    told = (
        Found(_told(message), str(message.get("ts") or ""))
        for message in _messages(slack, channel, since - CLOCKS_APART, thread)
    )
    return min((one for one in told if one.ids & ids and one.ts), key=_order, default=None)


def _order(found: Found) -> str:
    return found.ts


def _messages(
    slack: WebClient, channel: str, since: datetime, thread: str | None
) -> Iterator[dict[str, Any]]:
    method, what = "conversations.history", f"a look into {channel}"
    asked_for: dict[str, Any] = {
        "channel": channel,
        "oldest": f"{since.timestamp():.6f}",
        "limit": PAGE,
        "include_all_metadata": True,
    }
    if thread is not None:
        method, what = "conversations.replies", f"a look into a thread of {channel}"
        asked_for["ts"] = thread
    for _ in range(PAGES):
        try:
            page = _ask(slack, what, method, asked_for)
        except SendFailed as error:
            if thread is not None and error.code in GONE:
                return
            raise
        yield from page.get("messages") or ()
        asked_for["cursor"] = (page.get("response_metadata") or {}).get("next_cursor")
        if not asked_for["cursor"]:
            return
    raise SendFailed(
        f"{channel} has more than {PAGE * PAGES:,} messages since the try whose end is not known, "
        "too many to look through: see in Slack whether the alert has arrived",
        Verdict.NEVER,
    )


def _ask(slack: WebClient, what: str, method: str, asked_for: dict[str, Any]) -> SlackResponse:
    """Slack's answer to a question, which the client's own methods would put into the address, for
    every proxy to keep.

    Raises:
        SendFailed: there is none, or it is a refusal.
    """
    return asked(what, partial(slack.api_call, method, data=asked_for))


def _told(message: dict[str, Any]) -> frozenset[int]:
    """The rows that a message tells, as its metadata has them; anyone may have written that."""
    known_by = message.get("metadata")
    if not isinstance(known_by, dict) or known_by.get("event_type") != EVENT_TYPE:
        return _NONE
    payload = known_by.get("event_payload")
    if not isinstance(payload, dict):
        return _NONE
    ids = payload.get("alert_ids")
    if not isinstance(ids, list):
        return _NONE
    told = frozenset(one for one in ids if type(one) is int)
    last = payload.get("up_to")
    if not told or type(last) is not int or not 0 < last - max(told) <= MOST_BETWEEN:
        return told
    return told | frozenset(range(max(told), last + 1))


_NONE: frozenset[int] = frozenset()


def place(slack: WebClient, address: str) -> str:
    """The id of the conversation that posting to `address` goes to: a user's id stands for their
    direct messages, and a channel may be given by its name.

    Raises:
        SendFailed: there is no such place, or nobody can tell.
    """
    if address[:1] in ("U", "W"):
        opened = _ask(slack, f"the way to {address}", "conversations.open", {"users": address})
        return str((opened.get("channel") or {}).get("id") or address)
    name = address.removeprefix("#")
    if name != name.lower():  # an id: names have no capitals
        return address
    for channel in _channels(slack):
        if name in (channel.get("name"), channel.get("id")):
            return str(channel["id"])
    told = f"no channel is called {address}: name it by its id"
    raise SendFailed(told, Verdict.ELSEWHERE, code="channel_not_found")


def _channels(slack: WebClient) -> Iterator[dict[str, Any]]:
    more: dict[str, Any] = {"types": "public_channel,private_channel", "limit": PAGE}
    while True:
        listed = _ask(slack, "the list of channels", "conversations.list", more)
        yield from listed.get("channels") or ()
        more["cursor"] = (listed.get("response_metadata") or {}).get("next_cursor")
        if not more["cursor"]:
            return


def user_with(slack: WebClient, email: str) -> str | None:
    """The id of the user with this e-mail address, or None if Slack knows none who is active.

    Raises:
        SendFailed: nobody can tell now.
    """
    try:
        answer = _ask(slack, "the user of an e-mail", "users.lookupByEmail", {"email": email})
    except SendFailed as error:
        if error.code == "users_not_found":
            return None
        raise
    user: dict[str, Any] = answer.get("user") or {}
    return None if user.get("deleted") else user.get("id")
