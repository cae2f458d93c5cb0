"""`tests.crash.hurried`, but one event kills whoever reads it, as a bug in a C library would."""

import os
import signal
from datetime import datetime

from tests.crash.hurried import hurry
from worker import cli
from worker.core.events import Event, Quarantined, parse
from worker.intake import listening

POISON = "poison"
"""The id of the event."""


def parse_or_die(
    raw: object, received: datetime, account: str | None = None
) -> Event | Quarantined:
    """`parse`, but for the event of that id."""
    if isinstance(raw, dict) and raw.get("id") == POISON:
        os.kill(os.getpid(), signal.SIGKILL)
    return parse(raw, received, account)


if __name__ == "__main__":
    hurry()
    setattr(listening, "parse", parse_or_die)  # noqa: B010
    cli.main()
