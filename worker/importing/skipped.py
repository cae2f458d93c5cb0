"""What is left out of a mailbox or a calendar, and why."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Skipped:
    """A message or an appointment that becomes no event, and the line at which it begins.

    `spoilt` says that it could not be read; the others are of no use here.
    """

    line: int
    reason: str
    spoilt: bool = False
