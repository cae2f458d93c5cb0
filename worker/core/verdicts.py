"""What reps made of a rule's flags, and how often it was right by their own verdict."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

ACKNOWLEDGE = "acknowledge"
DISMISS = "not_a_risk"
KNOWN = "known_and_handled"
"""The one reason to dismiss a flag that does not say that it is wrong."""


class Tally(NamedTuple):
    """How many flags were last answered so; `reason` is why one is no risk."""

    action: str
    reason: str | None
    flags: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a rule's flags: `dismissed` by reason; `unanswered` ended without any answer.

    `right` and `wrong` count the flags that reps said were a risk, and were none.
    """

    dismissed: Mapping[str, int]
    unanswered: int
    right: int
    wrong: int

    @property
    def precision(self) -> float | None:
        """Of the flags of which reps said it, the percentage that was a risk; None if they never
        did."""
        judged = self.right + self.wrong
        return None if judged == 0 else round(100 * self.right / judged, 1)


def verdict(tallies: Iterable[Tally], unanswered: int) -> Verdict:
    """What the last answers to a rule's flags come to.

    Who acknowledges a flag says that it is a risk, and so does who knows of it and has handled it.
    A snooze says neither.
    """
    dismissed: dict[str, int] = {}
    acknowledged = 0
    for action, reason, flags in tallies:
        if action == ACKNOWLEDGE:
            acknowledged += flags
        elif action == DISMISS:
            name = reason or "no reason given"
            dismissed[name] = dismissed.get(name, 0) + flags
    known = dismissed.get(KNOWN, 0)
    return Verdict(
        dict(sorted(dismissed.items())),
        unanswered,
        right=acknowledged + known,
        wrong=sum(dismissed.values()) - known,
    )
