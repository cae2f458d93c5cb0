"""A conversation's next move in Slack: its card is edited to the state of now, or posted if there
is none, and what is new is said in its thread.

A card that somebody deleted is not posted again for its own sake: what is new begins a conversation
of its own, and if that is only that flags have ended, nothing is said.

What was told before and cannot be laid out any more is left out: it holds up nothing new.

A conversation whose recipient is another user of Slack by now goes on with that one, on a new card.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from slack_sdk import WebClient
from slack_sdk.models.metadata import Metadata
from sqlalchemy import Connection

from worker.core import conversations as core
from worker.core.alerts import Alert
from worker.core.bundles import Kind
from worker.core.cards import Card
from worker.delivering.sending import Act, Body, Outcome, Record, laid_out, of_this_version, sent
from worker.slack import message as layout
from worker.slack.lookup import Found, find, place
from worker.slack.message import Message
from worker.slack.sender import edit, metadata, post
from worker.slack.trouble import FIXED, GONE, SendFailed
from worker.store import conversations, leases
from worker.store.conversations import Conversation
from worker.store.leases import Row

NO_CARD = "there is no card that it could change"
DELETED = "its card was deleted in Slack"


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be said, and what has been: `before` is all that the conversation has told, in
    order; `standings` are by rule."""

    told: tuple[tuple[Row, Body], ...]
    before: tuple[Alert, ...]
    standings: Mapping[str, core.Standing]
    address: str

    @property
    def rows(self) -> tuple[Row, ...]:
        """Those of these messages."""
        return tuple(row for row, _ in self.told)

    @property
    def news(self) -> tuple[Alert, ...]:
        """What is new."""
        return tuple(alert for _, alert in _news(self.told))

    @property
    def account(self) -> str:
        """The account that it is about."""
        return self.rows[0].account

    @property
    def recipient(self) -> str:
        """Who is told."""
        return self.rows[0].recipient

    @property
    def alerts(self) -> list[tuple[Row | None, Alert]]:
        """All that the conversation tells with these, in order."""
        return [*((None, alert) for alert in self.before), *_alerts(self.told)]

    def card(self) -> Message:
        """How the conversation stands with it.

        Raises:
            NoWords: it cannot be laid out with some of the rows.
        """
        return laid_out(self.alerts, lambda some: layout.card(self._card(some)))

    def reply(self) -> Message:
        """What is new, in short.

        Raises:
            NoWords: it cannot be laid out with some of the rows.
        """

        def short(some: Sequence[tuple[Row | None, Alert]]) -> Message:
            return layout.reply(core.told((alert for _, alert in some), self.standings))

        return laid_out(_news(self.told), short)

    @property
    def ended_on(self) -> date | None:
        """When the conversation's last flag ended; None while one is live."""
        return core.ended_on(self._card(self.alerts), self.standings)

    def _card(self, some: Sequence[tuple[Row | None, Alert]]) -> Card:
        return core.card((alert for _, alert in some), self.standings)

    @property
    def known_by(self) -> Metadata:
        """By what it is found again."""
        return metadata((row.id for row in self.rows), self.rows[0].bundle)


@dataclass(frozen=True, slots=True)
class Arrived:
    """Rows that turn out to be in Slack already; the others of their bundle are not."""

    rows: tuple[Row, ...]
    others: tuple[Row, ...]
    channel: str
    ts: str

    def record(self, conversation: int | None = None) -> Record:
        """How to record it: what is not there yet waits for its own message."""

        def record(db: Connection, now: datetime) -> Outcome:
            if self.others:
                leases.put_back(db, self.others, now, counted=False)
            return sent(db, self.rows, self.channel, self.ts, now, conversation)

        return record


def ready(
    db: Connection,
    slack: WebClient,
    told: Sequence[tuple[Row, Body]],
    address: str,
    now: datetime,
) -> Act | None:
    """How to go on with a conversation, in the transaction that took its rows; None if they are
    dropped."""
    rows = tuple(row for row, _ in told)
    on = max((alert.on for _, alert in _alerts(told)), default=now.date())
    going_on = conversations.live(db, rows[0].account, rows[0].recipient, on)
    moved = going_on is not None and address not in (going_on.address, going_on.channel)
    if (going_on is None or moved) and not _news(told):
        leases.dropped(db, rows, NO_CARD)
        return None
    before = conversations.told(db, going_on.id) if going_on else []
    # Laid out later: what cannot be must not keep this transaction from counting the attempt.
    move = Move(
        told=tuple(told),
        before=tuple(of_this_version(before, Alert)),
        standings=conversations.standings(db, rows[0].account),
        address=address,
    )
    if going_on is None or moved:
        return partial(_begin, slack, move, going_on.id if going_on else None)
    return partial(_go_on, slack, move, going_on)


def _go_on(slack: WebClient, move: Move, there: Conversation) -> Record:
    """Edit the card, and say what is new in its thread."""
    arrived = look_for(slack, move.rows, there.channel, there.root_ts)
    if arrived is not None:
        return _recorded(move, arrived, there.id)
    card, reply = move.card(), move.reply() if move.news else None
    try:
        edit(slack, there.channel, there.root_ts, card)
    except SendFailed as error:
        if error.code in GONE:
            return _begin_anew(slack, move, there)
        if error.code not in FIXED:
            raise
    ts = None
    if reply is not None:
        ts = post(slack, there.channel, reply, move.known_by, there.root_ts).ts
    return _recorded(move, Arrived(move.rows, (), there.channel, ts or there.root_ts), there.id)


def _begin(slack: WebClient, move: Move, instead_of: int | None = None) -> Record:
    """Post a card."""
    arrived = look_for(slack, move.rows, move.address)
    if arrived is None:
        posted = post(slack, move.address, move.card(), move.known_by)
        arrived = Arrived(move.rows, (), posted.channel, posted.ts or "")

    def record(db: Connection, now: datetime) -> Outcome:
        begun = conversations.begin(
            db,
            move.account,
            move.recipient,
            move.address,
            arrived.channel,
            arrived.ts,
            now,
            None if arrived.others else move.ended_on,
            instead_of,
        )
        return arrived.record(begun)(db, now)

    return record


def _begin_anew(slack: WebClient, move: Move, gone: Conversation) -> Record:
    """What to do when somebody has deleted the card."""
    if core.worth_beginning(move.news):
        return _begin(slack, move, instead_of=gone.id)

    def record(db: Connection, now: datetime) -> Outcome:
        conversations.forget(db, gone.id)
        leases.dropped(db, move.rows, DELETED)
        return Outcome()

    return record


def _recorded(move: Move, arrived: Arrived, conversation: int) -> Record:
    def record(db: Connection, now: datetime) -> Outcome:
        if not arrived.others:
            conversations.end(db, conversation, move.ended_on)
        return arrived.record(conversation)(db, now)

    return record


def look_for(
    slack: WebClient, rows: Sequence[Row], address: str, thread: str | None = None
) -> Arrived | None:
    """Those of the rows that stand in Slack already: asked only where a try was made before.

    Raises:
        SendFailed: nobody can tell.
    """
    tried = [row.tried_at for row in rows if row.tried_at is not None]
    if not tried:
        return None
    channel = address if thread is not None else place(slack, address)
    found: Found | None = find(
        slack, channel, min(tried), frozenset(row.id for row in rows), thread
    )
    if found is None:
        return None
    there = tuple(row for row in rows if row.id in found.ids)
    others = tuple(row for row in rows if row.id not in found.ids)
    return Arrived(there, others, channel, found.ts)


def _alerts(told: Iterable[tuple[Row, Body]]) -> list[tuple[Row, Alert]]:
    return [(row, body) for row, body in told if isinstance(body, Alert)]


def _news(told: Iterable[tuple[Row, Body]]) -> list[tuple[Row, Alert]]:
    """What is to be said of them, beside what the card shows."""
    return [(row, alert) for row, alert in _alerts(told) if row.kind is not Kind.UPDATE]
