"""What a way of sending is: it gets a bundle of messages ready, sends it, and records its end.

The first and the last are done in transactions, sending in between is not.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, TypeVar

import msgspec
from sqlalchemy import Connection

from worker.core.alerts import Alert
from worker.core.bundles import SILENT, Kind, together
from worker.core.cards import Digest, Weekly
from worker.slack.console import Shown
from worker.slack.message import Message
from worker.store import leases
from worker.store.attempts import Failed, culprits
from worker.store.leases import Row

Body = Shown | None
"""What a message says; None for an update that says nothing."""


class Outcome(NamedTuple):
    """What became of a bundle, in rows; `trouble` is whether it says that Slack is not well."""

    sent: int = 0
    failed: int = 0
    trouble: bool = False


Record = Callable[[Connection, datetime], Outcome]
"""Records what came of a bundle, in a transaction."""

Act = Callable[[], Record]
"""Sends a bundle, outside any transaction.

Raises:
    SendFailed: it was not taken, or nobody can tell.
    NoWords: some of it cannot be laid out, and none of it was sent.
"""

Way = Callable[[Connection, Sequence[Row], datetime], Act | Outcome]
"""Gets a bundle ready, in the transaction that marks it as being sent: how to send it, or what has
become of it already."""

UNREADABLE = "this version of tiewatch cannot read the message"


Said = TypeVar("Said")


class NoWords(Exception):
    """Messages that cannot be laid out: how it fails, by the ids of their rows."""

    def __init__(self, failed: Mapping[int, Failed]) -> None:
        """Which these are."""
        super().__init__(f"{len(failed)} messages cannot be laid out")
        self.failed = failed


def laid_out(
    parts: Sequence[tuple[Row | None, Said]],
    layout: Callable[[Sequence[tuple[Row | None, Said]]], Message],
) -> Message:
    """The message that these make. What is of no row was told before, and is left out if it cannot
    be laid out any more.

    Raises:
        NoWords: it fails with what is of these rows; the others can be laid out.
    """

    def attempt(some: Sequence[tuple[Row | None, Said]]) -> Message | Failed:
        try:
            return layout(some)
        except Exception as error:
            return Failed(error)

    whole = attempt(parts)
    if not isinstance(whole, Failed):
        return whole
    found = list(culprits(parts, attempt))
    failed = {row.id: how for (row, _), how in found if row is not None}
    if failed:
        raise NoWords(failed) from whole.error
    bad = {id(part) for part, _ in found}
    return layout([part for part in parts if id(part) not in bad])


def to_show(show: Callable[[Shown], None]) -> Way:
    """The way of messages when there is no Slack: alerts are shown one by one, digests whole."""

    def ready(db: Connection, rows: Sequence[Row], _now: datetime) -> Act | Outcome:
        cards = [row for row in rows if row.kind in SILENT]
        leases.dropped(db, cards, "nothing was sent that could be edited")
        told = readable(db, [row for row in rows if row.kind not in SILENT])
        kept = [row for row, _ in told]

        def act() -> Record:
            for one in whole(told):
                show(one)
            return lambda db, now: sent(db, kept, "console", None, now)

        return act if told else Outcome(failed=len(rows) - len(cards))

    return ready


def whole(told: Sequence[tuple[Row | None, Body]]) -> list[Shown]:
    """What is told in one message: the alerts, or the digest that all of its parts make."""
    parts = [body for _, body in told if isinstance(body, Digest)]
    others = [body for _, body in told if body is not None and not isinstance(body, Digest)]
    return [*others, *([together(parts)] if parts else [])]


def sent(
    db: Connection,
    rows: Sequence[Row],
    channel: str,
    ts: str | None,
    now: datetime,
    conversation: int | None = None,
) -> Outcome:
    """Record where rows stand that have been sent."""
    leases.sent(db, rows, channel, ts, now, conversation)
    return Outcome(sent=len(rows))


def of_this_version(bodies: Sequence[str], kind: type[Said]) -> list[Said]:
    """What these say, but for those that another version of tiewatch wrote."""
    found = []
    for body in bodies:
        with suppress(msgspec.DecodeError):
            found.append(msgspec.json.decode(body, type=kind))
    return found


def readable(db: Connection, rows: Sequence[Row]) -> list[tuple[Row, Body]]:
    """The rows with what they say; those of another version are given up by themselves."""
    told = []
    for row in rows:
        try:
            told.append((row, body_of(row)))
        except msgspec.DecodeError as error:
            leases.failed(db, [row], f"{UNREADABLE}: {error}")
    return told


def body_of(row: Row) -> Body:
    """What a message says.

    Raises:
        msgspec.DecodeError: another version of tiewatch wrote what this one cannot read.
    """
    match row.kind:
        case Kind.DIGEST:
            return msgspec.json.decode(row.body, type=Digest)
        case Kind.WEEKLY:
            return msgspec.json.decode(row.body, type=Weekly)
        case Kind.UPDATE if not row.body:
            return None
        case _:
            return msgspec.json.decode(row.body, type=Alert)
