"""The way to Slack: where a bundle goes, when it is its channel's turn, and what if Slack refuses.

No message is sent again blindly: of rows that were tried before, and of which nobody knows whether
Slack took them, it is looked up first whether they stand there.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from slack_sdk import WebClient
from sqlalchemy import Connection

from worker.core.bundles import Kind
from worker.core.cards import Digest, Weekly
from worker.delivering import conversing, redrawing
from worker.delivering.conversing import look_for
from worker.delivering.notes import Missing, of_missing_rep
from worker.delivering.sending import (
    Act,
    Body,
    Outcome,
    Record,
    Way,
    laid_out,
    readable,
    sent,
    whole,
)
from worker.slack import message as layout
from worker.slack.lookup import user_with
from worker.slack.message import Message
from worker.slack.sender import SlackConfig, client, metadata, post
from worker.slack.trouble import SendFailed, Verdict
from worker.store import directory, leases, messages, pacing
from worker.store.directory import Channels
from worker.store.leases import Row
from worker.store.messages import DEFAULT

NO_CHANNEL = "no channel: nobody in Slack is to hear of it, and TIEWATCH_SLACK_CHANNEL is not set"

_ALONE = frozenset({Kind.DIGEST, Kind.WEEKLY, Kind.NOTE})
"""What is a message of its own, without a conversation."""


def to_slack(config: SlackConfig) -> Way:
    """The way to a workspace that has a token."""
    slack = client(config)
    channels = Channels(config.channel, config.admin_channel)
    apart = timedelta(seconds=config.apart)

    def ready(db: Connection, rows: Sequence[Row], now: datetime) -> Act | Outcome:
        if rows[0].kind is Kind.REDRAWN:
            return redrawing.ready(db, slack, rows) or Outcome()
        where = directory.address(db, rows[0].recipient, channels, now)
        if where.ask:
            return partial(_ask, slack, rows, where.ask)
        if where.missing:
            cause = Missing.NOT_IN_SLACK
            note = of_missing_rep(rows[0].recipient, cause, where.missing, now)
            messages.put(db, [note], now)
        if not where.at:
            leases.failed(db, rows, NO_CHANNEL)
            return Outcome(failed=len(rows))
        speaks = any(row.kind is not Kind.UPDATE for row in rows)
        if speaks and not pacing.turn(db, where.at, now, apart):
            leases.put_off(db, rows, where.at)
            return Outcome()
        told = readable(db, rows)
        if not told:
            return Outcome(failed=len(rows))
        if rows[0].kind in _ALONE:
            act: Act | None = partial(_alone, slack, told, where.at)
        else:
            act = conversing.ready(db, slack, told, where.at, now)
        if act is None:
            return Outcome()
        if speaks:
            leases.trying(db, [row for row, _ in told], now)
        elsewhere = channels.default if where.at != channels.default else None
        return partial(_or_elsewhere, act, rows, elsewhere)

    return ready


def _alone(slack: WebClient, told: Sequence[tuple[Row, Body]], address: str) -> Record:
    """Send what is a message of its own."""
    rows = [row for row, _ in told]
    found = look_for(slack, rows, address)
    if found is not None:
        return found.record()
    known_by = metadata((row.id for row in rows), rows[0].bundle)
    posted = post(slack, address, laid_out(told, _content), known_by)
    return lambda db, now: sent(db, rows, posted.channel, posted.ts, now)


def _content(told: Sequence[tuple[Row | None, Body]]) -> Message:
    body = whole(told)[0]
    match body:
        case Digest():
            return layout.digest(body)
        case Weekly():
            return layout.weekly(body)
        case _:
            return layout.note(body)


def _or_elsewhere(act: Act, rows: Sequence[Row], elsewhere: str | None) -> Record:
    """Send a bundle; what its channel refuses for good goes to the default channel instead."""
    try:
        return act()
    except SendFailed as error:
        if error.verdict is not Verdict.ELSEWHERE or not elsewhere:
            raise
        why = error.reason

    def record(db: Connection, now: datetime) -> Outcome:
        spoken = [row for row in rows if row.kind is not Kind.UPDATE]
        leases.dropped(db, [row for row in rows if row.kind is Kind.UPDATE], why)
        leases.readdress(db, spoken, DEFAULT, why, now)
        return Outcome()

    return record


def _ask(slack: WebClient, rows: Sequence[Row], email: str) -> Record:
    """Find out which Slack user has an e-mail address; the rows are sent when that is known."""
    try:
        user = user_with(slack, email)
    except SendFailed as error:
        if error.verdict in (Verdict.WAIT, Verdict.AGAIN):
            raise
        user = None  # not without another scope: the default channel has them meanwhile

    def record(db: Connection, now: datetime) -> Outcome:
        directory.learn(db, email, user, now)
        leases.put_back(db, rows, now, counted=False)
        return Outcome()

    return record
