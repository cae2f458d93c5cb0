"""`tests.crash.hurried`, but one event kills whoever reads it, as a bug in a C library would."""

import os
import signal
from datetime import datetime

import worker.ingest
from tests.crash.hurried import main
from worker.core.events import Event, Quarantined, parse

POISON = "poison"
"""The id of the event."""


def parse_or_die(raw: object, received: datetime) -> Event | Quarantined:
    """`parse`, but for the event of that id."""
    if isinstance(raw, dict) and raw.get("id") == POISON:
        os.kill(os.getpid(), signal.SIGKILL)
    return parse(raw, received)


worker.ingest.parse = parse_or_die

if __name__ == "__main__":
    main()
