"""Looks things up in Slack: what has been posted already, and who and where someone is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from slack_sdk import WebClient

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
    oldest = f"{since.timestamp():.6f}"
    cursor: str | None = None
    for _ in range(PAGES):
        try:
            page = _page(slack, channel, oldest, cursor, thread)
        except SendFailed as error:
            if thread is not None and error.code in GONE:
                return
            raise
        yield from page.get("messages") or ()
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return
    raise SendFailed(
        f"{channel} has more than {PAGE * PAGES:,} messages since the try whose end is not known, "
        "too many to look through: see in Slack whether the alert has arrived",
        Verdict.NEVER,
    )


def _page(
    slack: WebClient, channel: str, oldest: str, cursor: str | None, thread: str | None
) -> Any:
    more: dict[str, Any] = {"oldest": oldest, "limit": PAGE, "include_all_metadata": True}
    if thread is not None:
        return asked(
            f"a look into a thread of {channel}",
            lambda: slack.conversations_replies(channel=channel, ts=thread, cursor=cursor, **more),
        )
    return asked(
        f"a look into {channel}",
        lambda: slack.conversations_history(channel=channel, cursor=cursor, **more),
    )


def _told(message: dict[str, Any]) -> frozenset[int]:
    """The rows that a message tells, as its metadata has them; anyone may have written that."""
    known_by = message.get("metadata") or {}
    if known_by.get("event_type") != EVENT_TYPE:
        return frozenset()
    payload = known_by.get("event_payload") or {}
    ids = frozenset(one for one in payload.get("alert_ids") or () if isinstance(one, int))
    last = payload.get("up_to")
    if not ids or not isinstance(last, int) or not 0 < last - max(ids) <= MOST_BETWEEN:
        return ids
    return ids | frozenset(range(max(ids), last + 1))


def place(slack: WebClient, address: str) -> str:
    """The id of the conversation that posting to `address` goes to: a user's id stands for their
    direct messages, and a channel may be given by its name.

    Raises:
        SendFailed: there is no such place, or nobody can tell.
    """
    if address[:1] in ("U", "W"):
        opened = asked(f"the way to {address}", lambda: slack.conversations_open(users=address))
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
        listed = asked("the list of channels", partial(slack.conversations_list, **more))
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
        answer = asked("the user of an e-mail", lambda: slack.users_lookupByEmail(email=email))
    except SendFailed as error:
        if error.code == "users_not_found":
            return None
        raise
    user: dict[str, Any] = answer.get("user") or {}
    return None if user.get("deleted") else user.get("id")
