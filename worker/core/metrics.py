"""What `rules/metrics.yaml` says: which features are advanced or new, and admins' own facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from worker.core.catalogue import Fact
from worker.core.measures import Measure


@dataclass(frozen=True, slots=True)
class Share:
    """How much of one measure another is: a percentage if `percent`, else a plain ratio."""

    part: Measure
    whole: Measure


@dataclass(frozen=True, slots=True)
class Ratio:
    """One fact divided by another, both by name."""

    part: str
    whole: str


@dataclass(frozen=True, slots=True)
class OwnFact:
    """A fact of an admin's own: what it is called and how it is computed."""

    fact: Fact
    formula: Measure | Share | Ratio


@dataclass(frozen=True, slots=True)
class Metrics:
    """The features that are told apart, and the facts that admins define, in order of their names.

    `launched` maps features to the day on which they came, an ordinal. Facts may be ratios of
    others; none leads back to itself.
    """

    advanced: tuple[str, ...] = ()
    launched: Mapping[str, int] = field(default_factory=dict)
    own: Mapping[str, OwnFact] = field(default_factory=dict)

    @property
    def facts(self) -> list[Fact]:
        """The admins' own facts, as the catalogue would have them."""
        return [one.fact for one in self.own.values()]


NO_METRICS = Metrics()
