"""How health scores have changed in 30 days, and what has moved them."""

from typing import NamedTuple

from worker.core.conditions import Facts
from worker.core.health import HEALTH, Health, Scored
from worker.core.units import Value

TREND_DAYS = 30
"""Days over which the score's change is told."""

MOVERS = 3
"""Facts that are named for having moved a score most."""


class Mover(NamedTuple):
    """What a fact added to a score, or took from it, in points, between two days."""

    fact: str
    before: Value
    now: Value
    points: float


def movers(then: Health, now: Health) -> list[Mover]:
    """The facts that moved a score most, the most first; all of them add up to its change.

    A fact is measured against the earlier score, so that one that becomes unknown counts as what
    it had added to that.
    """
    if then.score is None or now.score is None:
        return []
    before = {one.fact: one for part in then.parts for one in part.facts}
    moved = []
    for one in (one for part in now.parts for one in part.facts):
        was = before[one.fact]
        points = _added(one, then.exact) - _added(was, then.exact)
        moved.append(Mover(one.fact, was.value, one.value, points))
    moved.sort(key=lambda mover: (-abs(mover.points), mover.fact))
    return [mover for mover in moved if abs(mover.points) >= 0.05][:MOVERS]


def _added(one: Scored, level: float) -> float:
    return 0.0 if one.points is None else one.share * (one.points - level)


class PastScores:
    """The scores of the last 30 days, where days pass one after the other."""

    def __init__(self) -> None:
        """None yet."""
        self._scores: dict[str, dict[int, int]] = {}

    def before(self, account: str, on: int) -> int | None:
        """The score of 30 days before the day `on` (an ordinal); it is then forgotten."""
        return self._scores.get(account, {}).pop(on - TREND_DAYS, None)

    def note(self, account: str, on: int, facts: Facts) -> None:
        """Keep the score of a day."""
        score = facts[HEALTH]
        if isinstance(score, int):
            self._scores.setdefault(account, {})[on] = score
