"""Notes to those who run tiewatch: what only they can put right, told once."""

from datetime import datetime

import msgspec

from worker.core.alerts import Alert, AlertReason
from worker.core.bundles import Kind
from worker.core.routing import ADMIN
from worker.store.messages import New


def of_missing_rep(recipient: str, why: str, advice: str, now: datetime) -> New:
    """That the alerts of a rep go to the default channel: the same message however often it is
    put."""
    alert = Alert(
        reason=AlertReason.PEOPLE,
        account="",
        on=now.date(),
        title=f"{why}: their alerts go to the default channel",
        advice=advice,
    )
    key = f"missing/{recipient}"
    body = msgspec.json.encode(alert).decode()
    return New(key, ADMIN, "", f"note/{key}", Kind.NOTE, body, now)
