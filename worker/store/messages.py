"""Messages: what is told to one recipient, put here when it is planned.

A row is `waiting`, then `sending` while somebody holds it under a lease, then `sent`, `failed`, or
`dropped` if nobody need hear of it any more. Who sends them takes them (leases.py); what is left is
counted, and tried again, in backlog.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, FromClause, literal_column

from worker.core.bundles import Kind
from worker.store.dialect import execute_rows

WAITING = "waiting"
SENDING = "sending"
SENT = "sent"
FAILED = "failed"
DROPPED = "dropped"

DEFAULT = "default"
"""The recipient that is the default channel."""

ADMIN = "admin"
"""The recipient that is those who edit the rules and keep tiewatch running."""

INSTEAD = "instead of "
"""How the `why` of a message begins that was to go to another recipient."""

TELLING = (Kind.ALERT, Kind.REMINDER, Kind.ESCALATION)
"""The kinds that say something of an account in the conversation about it."""


def rep(id_: str) -> str:
    """The recipient that is this rep."""
    return f"rep:{id_}"


def channel(name: str) -> str:
    """The recipient that is this channel of Slack, by name or id."""
    return f"channel:{name}"


def account_bundle(account: str) -> str:
    """The bundle of a conversation about an account."""
    return f"account/{account}"


@dataclass(frozen=True, slots=True)
class New:
    """A message to put. `key` is what makes it the same message however often it is planned.

    `body` is an `Alert` for an alert, reminder, escalation and note, and for an update unless that
    has nothing new, a `Digest` of one line, to be put together with the others of its bundle, or a
    `Weekly`. `reason` is the alert's, whichever kind of message it is told in. `why` says for what
    reasons it is told to whom it is, when it is; `dropped` why it is told to nobody: then it is
    kept for the record.
    """

    key: str
    recipient: str
    account: str
    bundle: str
    kind: Kind
    body: str
    due_at: datetime
    flag: int | None = None
    reason: str | None = None
    why: str | None = None
    dropped: str | None = None


def put(db: Connection, new: Sequence[New], now: datetime) -> int:
    """Write messages; of those with the same key, only the first ever. Returns how many.

    What waits in the same bundle of the recipient, and was to wait longer, goes along with them:
    so a bundle leaves in order.
    """
    written = execute_rows(
        db,
        """
        INSERT INTO messages
            (key, recipient, account, bundle, kind, flag, reason, body, state, created_at, due_at,
            why, error)
        SELECT r.key, r.recipient, r.account, r.bundle, r.kind, r.flag, r.reason, r.body,
            CASE WHEN r.dropped IS NULL THEN 'waiting' ELSE 'dropped' END, :at, r.due_at, r.why,
            r.dropped
        FROM {rows} WHERE true
        ON CONFLICT (key) DO NOTHING RETURNING id
        """,
        dict.fromkeys(New.__slots__, "text") | {"due_at": "timestamptz", "flag": "bigint"},
        [[getattr(one, name) for name in New.__slots__] for one in new],
        at=now,
    ).all()
    due: dict[tuple[str, str], datetime] = {}
    for one in (each for each in new if each.dropped is None):
        where = (one.recipient, one.bundle)
        due[where] = min(one.due_at, due.get(where, one.due_at))
    execute_rows(
        db,
        """
        UPDATE messages SET due_at = r.due_at FROM {rows}
        WHERE messages.recipient = r.recipient AND messages.bundle = r.bundle
          AND messages.state IN ('waiting', 'sending') AND messages.state = 'waiting'
          AND messages.attempts = 0 AND messages.due_at > r.due_at
        """,
        {"recipient": "text", "bundle": "text", "due_at": "timestamptz"},
        [(*where, at) for where, at in sorted(due.items())],
    )
    return len(written)


def is_unsent(table: FromClause) -> ColumnElement[bool]:
    """Whether a row of `messages`, or of an alias of it, is waiting or being sent."""
    # Spelt out, not bound: only so does PostgreSQL see that the index of unsent rows will do.
    return table.c.state.in_([literal_column("'waiting'"), literal_column("'sending'")])
