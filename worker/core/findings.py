"""What a check-up of tiewatch or of Slack found: one line for each thing that was looked at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `trouble` is what is wrong, with what to do about it."""

    subject: str
    trouble: str | None = None
    detail: str = ""
