"""Planning: who hears of an alert, when, and together with what. No message leaves from here.

What it decides are rows in `messages`, whose keys make it the same to plan an alert once or twice.
"""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, Engine

from worker.core.alerts import AlertReason
from worker.core.bundles import Kind
from worker.store import messages, outbox
from worker.store.database import writing
from worker.store.messages import New
from worker.store.outbox import Unplanned

AT_ONCE = 500
"""Alerts in one transaction."""


def plan(engine: Engine, now: datetime) -> int:
    """Plan every alert in the outbox; the number of messages that this made."""
    made = 0
    more = True
    while more:
        with writing(engine) as db:
            alerts = outbox.unplanned(db, AT_ONCE)
            if alerts:
                made += messages.put(db, [_message(db, one, now) for one in alerts], now)
                outbox.planned(db, (one.id for one in alerts), now)
        more = len(alerts) == AT_ONCE
    return made


def _message(db: Connection, row: Unplanned, now: datetime) -> New:
    """The alert goes to its account's owner, at once."""
    try:
        alert = row.alert
    except msgspec.DecodeError:  # which the delivery will say of it
        alert = None
    if alert is not None and alert.reason is AlertReason.RULES:
        recipient, bundle, kind = messages.ADMIN, f"note/{row.key}", Kind.NOTE
    else:
        owner = alert.owner if alert else None
        recipient = messages.rep(owner) if owner else messages.DEFAULT
        bundle, kind = messages.account_bundle(row.account), Kind.ALERT
    key = f"{row.id}/{recipient}"
    return New(key, recipient, row.account, bundle, kind, row.body, now)
