"""How people want to be told: the settings of `rules/slack.yaml`, and what they are without it.

docs/slack.md says what each does. What an admin has not set is off, or gentle.
"""

from dataclasses import dataclass, field
from datetime import time

from worker.core.quiet import QuietTimes
from worker.core.rules import Recipient, Severity


@dataclass(frozen=True, slots=True)
class Route:
    """Who is told of the flags of some segments, or of rules with some tags; where both are given,
    both must fit."""

    notify: tuple[Recipient, ...]
    segments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Telling:
    """Whom, when and how much at once.

    `timezone` is of those who have none. `let_through` is the severity from which neither quiet
    times nor the budget hold anything back. `digest_up_to` is the severity up to which flags wait
    for the digest, at `digest_at` by the recipient's clock; more than `many` new flags for someone
    from one sweep come as one digest. `budget` is in messages a person and local day,
    `escalate_after` in days. `weekly_on` is a weekday, 0 for Monday. `admins` are ids of reps.
    """

    timezone: str = "UTC"
    quiet: QuietTimes = field(default_factory=QuietTimes)
    let_through: Severity | None = None
    digest_at: time = time(8)
    digest_up_to: Severity | None = Severity.LOW
    many: int = 5
    budget: int = 20
    escalate_after: int | None = None
    weekly_on: int | None = 0
    admins: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()

    def lets_through(self, severity: Severity | None) -> bool:
        """Whether nothing may hold this up."""
        return bool(severity and self.let_through and severity.rank >= self.let_through.rank)

    def waits_for_digest(self, severity: Severity | None) -> bool:
        """Whether this is no message of its own."""
        return bool(severity and self.digest_up_to and severity.rank <= self.digest_up_to.rank)
