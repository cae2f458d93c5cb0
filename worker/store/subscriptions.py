"""Subscriptions: their events, which are the truth, and what those have come to, a cache.

The cache is brought up to date by later events, and made anew when one comes late.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from worker.core.contents import Subscription
from worker.core.events import Event
from worker.core.subscriptions import Contracts, SubscriptionEvent, as_of, extend
from worker.store.dialect import Rows, execute_among, execute_rows
from worker.store.tables import moment_of

decode_contracts = msgspec.json.Decoder(Contracts).decode
"""The contracts of an account, as its row keeps them."""

_decode_event = msgspec.json.Decoder(Subscription).decode


def ask_subscriptions(db: Connection, events: Sequence[Event]) -> Callable[[], None]:
    """Keep these subscription events, and ask what those before them have come to.

    The accounts' rows must be there, locked. The function returned waits for the answer and brings
    them up to date.
    """
    by_account: dict[str, list[SubscriptionEvent]] = defaultdict(list)
    rows = []
    for event in events:
        if event.account is not None and isinstance(event.data, Subscription):
            stamp = (event.time, event.id, event.source)
            by_account[event.account].append(SubscriptionEvent(stamp, event.data))
            named = (event.account, event.data.subscription, event.source, event.id)
            rows.append((*named, event.time, _json(event.data)))
    if not rows:
        return lambda: None
    execute_rows(
        db,
        """
        INSERT INTO subscription_events (account, subscription, source, id, time, data)
        SELECT account, subscription, source, id, time, data FROM {rows} WHERE true
        """,
        dict.fromkeys(("account", "subscription", "source", "id"), "text")
        | {"time": "timestamptz", "data": "text"},
        rows,
    )
    found = execute_among(
        db,
        "SELECT account, subscriptions, subscribed_until FROM accounts WHERE account {among}",
        sorted(by_account),
    )
    return lambda: _bring_up_to_date(db, by_account, found)


def _bring_up_to_date(
    db: Connection, by_account: dict[str, list[SubscriptionEvent]], found: Rows
) -> None:
    updated: dict[str, Contracts] = {}
    until: dict[str, datetime] = {}
    late = []
    for account, kept, last in found:
        times = [event.stamp[0] for event in by_account[account]]
        until[account] = max(times)
        if last is not None and min(times) <= moment_of(last):
            late.append(account)
            until[account] = max(until[account], moment_of(last))
        else:
            updated[account] = decode_contracts(kept) if kept else Contracts()
            extend(updated[account], by_account[account])
    for account, events in subscription_events(db, late).items():
        updated[account] = as_of(events)
    execute_rows(
        db,
        """
        UPDATE accounts SET subscriptions = r.subscriptions, subscribed_until = r.subscribed_until
        FROM {rows} WHERE accounts.account = r.account
        """,
        {"account": "text", "subscriptions": "text", "subscribed_until": "timestamptz"},
        [(account, _json(kept), until[account]) for account, kept in sorted(updated.items())],
    )


def subscription_events(
    db: Connection, accounts: Iterable[str]
) -> dict[str, list[SubscriptionEvent]]:
    """Every event of these accounts' subscriptions, by account, in no order."""
    events: dict[str, list[SubscriptionEvent]] = defaultdict(list)
    ids = sorted(accounts)
    if not ids:
        return events
    for account, moment, id_, source, data in execute_among(db, _EVENTS, ids):
        stamp = (moment_of(moment), id_, source)
        events[account].append(SubscriptionEvent(stamp, _decode_event(data)))
    return events


_EVENTS = """
    SELECT account, time, id, source, data FROM subscription_events WHERE account {among}
"""


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
