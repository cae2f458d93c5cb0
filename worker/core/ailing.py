"""What lowers a health score most, in words: a rep who reads that it has fallen asks why."""

from collections.abc import Collection

from worker.core.bands import HealthSettings
from worker.core.conditions import Facts
from worker.core.facts import FACTS
from worker.core.health import HEALTH_FACTS, health_of
from worker.core.reasons import told

MOST = 3
"""Facts that are named: the next ones hardly matter."""

FULL = 100
"""Points of a fact that could not be better."""


def lowered_by(named: Collection[str], facts: Facts, settings: HealthSettings) -> tuple[str, ...]:
    """A line on the facts without which the score would be highest, if it is one of the facts
    `named`; none if nothing lowers it."""
    if set(HEALTH_FACTS).isdisjoint(named):
        return ()
    known = FACTS | {fact.name: fact for fact in settings.metrics.facts}
    costs = sorted(
        (-scored.share * (FULL - scored.points), scored.fact)
        for part in health_of(facts, settings).parts
        for scored in part.facts
        if scored.points is not None and scored.points < FULL
    )
    if not costs:
        return ()
    said = "; ".join(told(known[fact], facts[fact]) for _, fact in costs[:MOST])
    return (f"The health score is lowered most by {said}.",)
