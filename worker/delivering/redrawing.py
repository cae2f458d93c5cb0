"""A digest that was sent, edited to how its flags stand by now: what was answered, what is over.

Nobody is notified of it. A digest that somebody deleted, that may not be edited any more, or whose
channel is gone is left as it is.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from slack_sdk import WebClient
from sqlalchemy import Connection

from worker.core.bundles import as_they_stand, together
from worker.core.cards import Digest
from worker.delivering.sending import Act, Outcome, Record, of_this_version, sent
from worker.slack import message as layout
from worker.slack.sender import edit
from worker.slack.trouble import FIXED, GONE, SendFailed, Verdict
from worker.store import leases, showing
from worker.store.leases import Row

NOT_THERE = "the digest is not there any more"


def ready(db: Connection, slack: WebClient, rows: Sequence[Row]) -> Act | None:
    """How to edit the digest that these rows are about; None if they are dropped."""
    channel, ts = showing.place_of(rows[0].bundle)
    parts = of_this_version(showing.digest_parts(db, rows[0].recipient, channel, ts), Digest)
    if not parts:
        leases.dropped(db, rows, NOT_THERE)
        return None
    whole = together(parts)
    flags = {line.flag for line in whole.lines if line.flag is not None}
    now = as_they_stand(whole, showing.states(db, flags))
    return partial(_edit, slack, rows, channel, ts, now)


def _edit(slack: WebClient, rows: Sequence[Row], channel: str, ts: str, digest: Digest) -> Record:
    try:
        edit(slack, channel, ts, layout.digest(digest))
    except SendFailed as error:
        if error.verdict is not Verdict.ELSEWHERE and error.code not in GONE | FIXED:
            raise
        return partial(_left, rows, error.reason)
    return lambda db, now: sent(db, rows, channel, ts, now)


def _left(rows: Sequence[Row], why: str, db: Connection, _now: datetime) -> Outcome:
    leases.dropped(db, rows, why)
    return Outcome()
