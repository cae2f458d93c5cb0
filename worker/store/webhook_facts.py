"""Which facts other systems were told last: what has changed since is news to them."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection

from worker.core.units import Value
from worker.store.dialect import execute_among, execute_rows


def ask_told(
    db: Connection, accounts: Iterable[str]
) -> Callable[[], dict[tuple[str, str], dict[str, Value]]]:
    """Ask which facts of these accounts webhooks were told last; the function returned waits, and
    gives them by (webhook, account)."""
    found = execute_among(
        db, "SELECT webhook, account, facts FROM webhook_facts WHERE account {among}", accounts
    )
    return lambda: {(name, account): msgspec.json.decode(facts) for name, account, facts in found}


def keep(db: Connection, told: Iterable[tuple[str, str, dict[str, Any]]]) -> None:
    """Keep what webhooks have now been told: (webhook, account, facts), all of them."""
    rows = [(name, account, msgspec.json.encode(facts).decode()) for name, account, facts in told]
    if rows:
        execute_rows(
            db,
            "INSERT INTO webhook_facts (webhook, account, facts) "
            "SELECT webhook, account, facts FROM {rows} WHERE true "
            "ON CONFLICT (webhook, account) DO UPDATE SET facts = excluded.facts",
            dict.fromkeys(("webhook", "account", "facts"), "text"),
            sorted(rows),
        )
