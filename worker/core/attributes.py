"""Attributes of accounts, contacts and reps: per field the latest event wins, whatever order
events arrive in."""

from typing import Any

import msgspec
from msgspec import UNSET

from worker.core.events import Event

Stamp = list[str]
"""[time, event id, source] of the event that last set a field. The greater one wins."""


def merge(values: dict[str, Any], stamps: dict[str, Stamp], event: Event) -> None:
    """Set what the event says, field by field, unless a later event has said it already.

    An absent field says nothing; a null one clears the value, and its stamp stays.
    """
    stamp = [event.time.isoformat(timespec="microseconds"), event.id, event.source]
    for name in event.data.__struct_fields__:
        value = getattr(event.data, name)
        if value is UNSET or name == event.type:
            continue
        if name not in stamps or stamps[name] < stamp:
            stamps[name] = stamp
            values[name] = msgspec.to_builtins(value)
