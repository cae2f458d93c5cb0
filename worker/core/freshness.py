"""Freshness: a source that has gone silent must not look like customers who have.

`sources.yaml` lists the sources that matter, each with its longest normal gap. While one is over
its gap, the facts of today that rest on what it delivers are unknown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import ceil

from worker.core.catalogue import Fact
from worker.core.facts import FACTS
from worker.core.units import Unit


@dataclass(frozen=True, slots=True)
class Source:
    """A source that matters: a silence of more than `gap` days is no normal one.

    `events` are the types of events by which it is judged, and whose facts rest on it; none stands
    for whatever it has delivered.
    """

    name: str
    gap: int
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """A source over its gap: `since` is the day of its last event, `events` what it delivers."""

    source: str
    since: date
    gap: int
    events: frozenset[str]

    @property
    def reason(self) -> str:
        """Why its facts are unknown."""
        normal = "1 day is" if self.gap == 1 else f"{self.gap:,} days are"
        return f"{self.source} has delivered nothing since {self.since:%d %b %Y}; {normal} normal"


def withheld(silences: Iterable[Silence], own: Iterable[Fact] = ()) -> dict[str, str]:
    """The facts that cannot be told today, in the order of the catalogue, each with the reason.

    Texts, such as the segment, are what they were until somebody says otherwise. `own` are the
    admins' own facts.
    """
    silent = list(silences)
    reasons = {}
    for fact in (*FACTS.values(), *own):
        of = [one.reason for one in silent if one.events & set(fact.events)]
        if of and fact.unit is not Unit.TEXT:
            reasons[fact.name] = of[0]
    return reasons


FEWEST_DAYS = 10
"""Days with events that it takes to tell what gap is normal."""

QUANTILE = 0.99


def usual_gap(days: Sequence[int]) -> int | None:
    """The gap to propose for a source with events on these days (ordinals, in order).

    It is a day more than 99% of its gaps were at most; None if there is too little to go by.
    """
    if len(days) < FEWEST_DAYS:
        return None
    gaps = sorted(later - earlier for earlier, later in pairwise(days))
    return gaps[ceil(QUANTILE * len(gaps)) - 1] + 1


Sources = Mapping[str, Source]
"""The sources that matter, by name."""

NO_SOURCES: Sources = {}
