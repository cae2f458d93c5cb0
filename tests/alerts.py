"""An alert to send, for tests that care about one or two of its fields."""

from datetime import date
from typing import Any

import msgspec

from worker.core.alerts import Alert, AlertReason
from worker.core.rules import Severity

ALERT = Alert(
    reason=AlertReason.OPENED,
    account="acme",
    on=date(2026, 2, 18),
    title="Renews in 41 days, no exec contact for 22 days",
    account_name="Acme",
    segment="enterprise",
    mrr=20_000.0,
    currency="EUR",
    renewal_date=date(2026, 3, 31),
    owner="sam",
    rule="renewal-without-exec-contact",
    severity=Severity.HIGH,
    why=("the renewal is in 41 days", "the last contact with an executive was 22 days ago"),
    who=("Last executive contact: Dana Ruiz, CIO, 27 Jan, with Sam.",),
    advice="Ask Dana for a short check-in before the renewal talk.",
    since=date(2026, 2, 12),
    clears="the last contact with an executive is at most 15 days ago",
)


def alert(**changes: Any) -> Alert:
    """`ALERT` with other values in some fields."""
    return msgspec.structs.replace(ALERT, **changes)
