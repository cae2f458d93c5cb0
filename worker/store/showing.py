"""Asks for the cards of an account to show the state of now: a message without words of its own."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection

from worker.core.alerts import Alert
from worker.store.dialect import execute


def show_again(
    db: Connection, account: str, key: str, now: datetime, alert: Alert | None = None
) -> None:
    """Have every conversation about the account show anew how its flags stand, with the words of
    `alert` for its flag if there is one.

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
