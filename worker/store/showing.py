"""Asks for what was sent of an account to show the state of now: messages without words of their
own, for the cards of its conversations and for the digests in which it was told.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, select

from worker.core.alerts import Alert
from worker.core.bundles import Kind
from worker.core.flags import State
from worker.store.dialect import execute, execute_rows
from worker.store.messages import SENT
from worker.store.tables import flags, messages

SHOWN_FOR = timedelta(days=30)
"""How long a digest follows its flags: further back nobody scrolls."""


def show_again(
    db: Connection, account: str, key: str, now: datetime, alert: Alert | None = None
) -> None:
    """Have every conversation about the account show anew how its flags stand, with the words of
    `alert` for its flag if there is one; and every digest in which it was told.

    It leaves with delivery, behind what waits for the same conversation; `key` is what makes it the
    same message however often it is asked for.
    """
    execute(
        db,
        """
        INSERT INTO messages
            (key, recipient, account, bundle, kind, body, state, created_at, due_at)
        SELECT :key || '/' || recipient, recipient, account, 'account/' || account, 'update', :body,
            'waiting', :now, :now
        FROM (
            SELECT DISTINCT recipient, account FROM conversations
            WHERE account = :account AND root_ts IS NOT NULL
        ) AS shown
        WHERE true
        ON CONFLICT (key) DO NOTHING
        """,
        key=key,
        account=account,
        body="" if alert is None else msgspec.json.encode(alert).decode(),
        now=now,
    )
    redraw_digests(db, [(account, key)], now)


def redraw_digests(db: Connection, wanted: Iterable[tuple[str, str]], now: datetime) -> None:
    """Have the digests of the last days in which these accounts were told show how their flags
    stand; `wanted` is (account, key), of which the key makes it the same however often it is asked.
    """
    execute_rows(
        db,
        """
        INSERT INTO messages
            (key, recipient, account, bundle, kind, body, state, created_at, due_at)
        SELECT key || '/' || place, recipient, account, place, 'redrawn', '', 'waiting', :now, :now
        FROM (
            SELECT DISTINCT r.key, r.account, m.recipient,
                'redrawn/' || m.channel || '/' || m.message_ts AS place
            FROM {rows}
            JOIN flags f ON f.account = r.account
            JOIN messages m ON m.flag = f.id
            WHERE m.kind = 'digest' AND m.state = 'sent' AND m.message_ts IS NOT NULL
              AND m.sent_at >= r.since
        ) AS told
        WHERE true
        ON CONFLICT (key) DO NOTHING
        """,
        {"account": "text", "key": "text", "since": "timestamptz"},
        [(account, key, now - SHOWN_FOR) for account, key in sorted(wanted)],
        now=now,
    )


def place_of(bundle: str) -> tuple[str, str]:
    """The channel and the `ts` of the digest that a bundle of `redraw_digests` is about."""
    _, channel, ts = bundle.split("/")
    return channel, ts


def digest_parts(db: Connection, recipient: str, channel: str, ts: str) -> list[str]:
    """The bodies of the messages that were sent as one digest, in order."""
    of = messages.c
    found = db.scalars(
        select(of.body)
        .where(
            of.recipient == recipient,
            of.channel == channel,
            of.message_ts == ts,
            of.kind == Kind.DIGEST,
            of.state == SENT,
        )
        .order_by(of.id)
    )
    return list(found)


def states(db: Connection, ids: Iterable[int]) -> dict[int, State]:
    """The states of these flags, by id, of those that there are."""
    found = db.execute(select(flags.c.id, flags.c.state).where(flags.c.id.in_(sorted(set(ids)))))
    return {id_: State(state) for id_, state in found}
