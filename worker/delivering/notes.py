"""Notes to those who run tiewatch: what only they can put right, told once."""

from datetime import datetime
from enum import StrEnum

import msgspec

from worker.core.alerts import Alert, AlertReason
from worker.core.bundles import Kind
from worker.core.routing import ADMIN
from worker.store.messages import New


class Missing(StrEnum):
    """Why a rep is not told. Each is told of once: who has mended one may meet the other."""

    UNKNOWN = "unknown"
    NOT_IN_SLACK = "not-in-slack"


_ADVICE = {
    Missing.UNKNOWN: "Send a rep event of theirs, or give their accounts another owner.",
    Missing.NOT_IN_SLACK: "Send a rep event with their slack_user, or their e-mail address in "
    "Slack.",
}


def of_missing_rep(recipient: str, cause: Missing, why: str, now: datetime) -> New:
    """That the alerts of a rep go to the default channel: for each cause the same message however
    often it is put."""
    alert = Alert(
        reason=AlertReason.PEOPLE,
        account="",
        on=now.date(),
        title=f"{why}: their alerts go to the default channel",
        advice=_ADVICE[cause],
    )
    key = f"missing/{cause}/{recipient}"
    body = msgspec.json.encode(alert).decode()
    return New(key, ADMIN, "", f"note/{key}", Kind.NOTE, body, now)
