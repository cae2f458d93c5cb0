"""Asks for the cards of an account to show the state of now: a message without words of its own."""

from datetime import datetime

from sqlalchemy import Connection

from worker.store.dialect import execute


def show_again(db: Connection, account: str, key: str, now: datetime) -> None:
    """Have every conversation about the account show anew how its flags stand.

    It leaves with delivery, behind what waits for the same conversation; `key` is what makes it the
    same message however often it is asked for.
    """
    execute(
        db,
        """
        INSERT INTO messages
            (key, recipient, account, bundle, kind, body, state, created_at, due_at)
        SELECT :key || '/' || recipient, recipient, account, 'account/' || account, 'update', '',
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
        now=now,
    )
