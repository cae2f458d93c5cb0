"""Sending one bundle of messages: to whom in Slack, as what, and what is recorded of it."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from worker.core.alerts import Alert
from worker.core.cards import Card, Told
from worker.slack import message as layout
from worker.slack.message import Message
from worker.slack.sender import Posted, SendFailed, SlackConfig, client, metadata, post
from worker.store import directory, messages
from worker.store.messages import Kind, Row

Record = Callable[[Connection, datetime], str]
"""Records what came of a bundle, in a transaction; returns the state that its rows are in."""

Act = Callable[[], Record]
"""Sends a bundle, outside any transaction.

Raises:
    SendFailed: it was not taken, or nobody can tell.
"""

Way = Callable[[Connection, Sequence[Row], datetime], Act | None]
"""Gets a bundle ready, in the transaction that marks it as being sent; None if nothing is to be
done, which it has recorded."""

UNREADABLE = "this version of tiewatch cannot read the message"


def to_show(show: Callable[[Alert], None]) -> Way:
    """The way of alerts when there is no Slack: shown one by one."""

    def ready(db: Connection, rows: Sequence[Row], _now: datetime) -> Act | None:
        told = _readable(db, rows)
        shown = [row for row, _ in told]

        def act() -> Record:
            for _, alert in told:
                show(alert)
            return lambda db, now: _sent(db, shown, Posted("console", None), now)

        return act if told else None

    return ready


def to_slack(config: SlackConfig) -> Way:
    """The way to a workspace that has a token."""
    slack = client(config)

    def ready(db: Connection, rows: Sequence[Row], now: datetime) -> Act | None:
        told = _readable(db, rows)
        if not told:
            return None
        sending = [row for row, _ in told]
        address = _address(db, rows[0].recipient, config)
        content = _content(told)
        messages.trying(db, sending, now)

        def act() -> Record:
            if not address:
                raise SendFailed(
                    "no channel: the account's owner has no slack_user, and "
                    "TIEWATCH_SLACK_CHANNEL is not set",
                    permanent=True,
                )
            known_by = metadata((row.id for row in sending), sending[0].bundle)
            posted = post(slack, address, content, known_by)
            return lambda db, now: _sent(db, sending, posted, now)

        return act

    return ready


def _sent(db: Connection, rows: Sequence[Row], posted: Posted, now: datetime) -> str:
    messages.sent(db, rows, posted.channel, posted.ts, now)
    return messages.SENT


def _readable(db: Connection, rows: Sequence[Row]) -> list[tuple[Row, Alert]]:
    """The rows with their alerts; those of another version are given up by themselves."""
    told = []
    for row in rows:
        try:
            told.append((row, msgspec.json.decode(row.body, type=Alert)))
        except msgspec.DecodeError as error:
            messages.failed(db, [row], f"{UNREADABLE}: {error}")
    return told


def _address(db: Connection, recipient: str, config: SlackConfig) -> str | None:
    """Where in Slack a recipient is: a user's id, or a channel's id or name."""
    kind, _, name = recipient.partition(":")
    match kind:
        case "rep":
            return directory.slack_user(db, name) or config.channel
        case "channel":
            return name
        case messages.ADMIN:
            return config.admin_channel or config.channel
        case _:
            return config.channel


def _content(told: Sequence[tuple[Row, Alert]]) -> Message:
    if told[0][0].kind is Kind.NOTE:
        return layout.note(told[0][1])
    return layout.card(Card(told=tuple(Told(alert=alert) for _, alert in told)))
