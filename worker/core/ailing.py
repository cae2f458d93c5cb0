"""What lowers a health score most, in words: a rep who reads that it has fallen asks why."""

from collections.abc import Collection, Sequence

from worker.core.bands import CompiledScale, HealthSettings
from worker.core.conditions import Facts
from worker.core.facts import FACTS
from worker.core.health import HEALTH_FACTS, health_of
from worker.core.reasons import told

MOST = 3
"""Facts that are named: the next ones hardly matter."""


def lowered_by(named: Collection[str], facts: Facts, settings: HealthSettings) -> tuple[str, ...]:
    """A line on the facts without which the score would be highest, if it is one of the facts
    `named`; none if nothing lowers it."""
    if set(HEALTH_FACTS).isdisjoint(named):
        return ()
    known = FACTS | {fact.name: fact for fact in settings.metrics.facts}
    costs = sorted(
        (-scored.share * (best - scored.points), scored.fact)
        for part, scales in zip(health_of(facts, settings).parts, settings.compiled, strict=True)
        for scored, (_, of_fact) in zip(part.facts, scales, strict=True)
        if scored.points is not None and scored.points < (best := _best(of_fact, facts))
    )
    if not costs:
        return ()
    said = "; ".join(told(known[fact], facts[fact]) for _, fact in costs[:MOST])
    return (f"The health score is lowered most by {said}.",)


def _best(scales: Sequence[CompiledScale], facts: Facts) -> float:
    """The most points that a fact can be worth for an account with these facts."""
    own = next(scale for scale in scales if scale.of is None or scale.of(facts))
    return max(band.points for band, _ in own.bands)
