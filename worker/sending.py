"""Sending one bundle of messages: to whom in Slack, as what, and what is recorded of it."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from worker.core.alerts import Alert
from worker.core.bundles import together
from worker.core.cards import Card, Digest, Told, Weekly
from worker.slack import message as layout
from worker.slack.console import Shown
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


def to_show(show: Callable[[Shown], None]) -> Way:
    """The way of messages when there is no Slack: alerts are shown one by one, digests whole."""

    def ready(db: Connection, rows: Sequence[Row], _now: datetime) -> Act | None:
        told = _readable(db, rows)
        shown = [row for row, _ in told]

        def act() -> Record:
            for one in _whole([body for _, body in told]):
                show(one)
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


_BODIES: dict[Kind, type[Shown]] = {Kind.DIGEST: Digest, Kind.WEEKLY: Weekly}
"""What the bodies of messages are; the others' are alerts."""


def _whole(bodies: Sequence[Shown]) -> list[Shown]:
    """What is told in one message: the alerts, or the digest that all of its parts make."""
    parts = [body for body in bodies if isinstance(body, Digest)]
    others = [body for body in bodies if not isinstance(body, Digest)]
    return [*others, *([together(parts)] if parts else [])]


def _readable(db: Connection, rows: Sequence[Row]) -> list[tuple[Row, Shown]]:
    """The rows with their bodies; those of another version are given up by themselves."""
    told: list[tuple[Row, Shown]] = []
    for row in rows:
        if row.kind is Kind.UPDATE:  # which says nothing
            messages.dropped(db, [row], "there is no card to bring up to date")
            continue
        try:
            told.append((row, msgspec.json.decode(row.body, type=_BODIES.get(row.kind, Alert))))
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


def _content(told: Sequence[tuple[Row, Shown]]) -> Message:
    whole = _whole([body for _, body in told])
    match whole[0]:
        case Digest() as digest:
            return layout.digest(digest)
        case Weekly() as week:
            return layout.weekly(week)
        case Alert() as alert if told[0][0].kind is Kind.NOTE:
            return layout.note(alert)
    alerts = [one for one in whole if isinstance(one, Alert)]
    return layout.card(Card(told=tuple(Told(alert=alert) for alert in alerts)))
