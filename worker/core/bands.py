"""What the health score is made of: parts with weights, whose facts are in bands worth points.

`rules/health.yaml` says it: by segment, tenure or whatever else accounts are told apart by.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from worker.core.conditions import Condition, Outcome, compiled, facts_in
from worker.core.metrics import NO_METRICS, Metrics


class Band(NamedTuple):
    """A range of a fact's values and the points that it is worth; the last one takes the rest."""

    name: str
    points: float
    when: Condition | None


class Scale(NamedTuple):
    """The bands of a fact, in order, for the accounts that `of` holds for: all, if it is None."""

    of: Condition | None
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class HealthPart:
    """A part of the score: its weight, and for each of its facts the scales, the first that fits
    an account being its own. All facts of a part weigh the same."""

    name: str
    weight: float
    facts: Mapping[str, tuple[Scale, ...]]


class CompiledScale(NamedTuple):
    """A scale with its conditions as functions of the facts."""

    of: Outcome | None
    bands: tuple[tuple[Band, Outcome | None], ...]


@dataclass(frozen=True)
class HealthSettings:
    """What `health.yaml` says; without parts there is no score.

    `metrics` are the features and the admins' own facts that the parts rest on.
    """

    parts: tuple[HealthPart, ...] = ()
    metrics: Metrics = NO_METRICS

    @property
    def facts(self) -> frozenset[str]:
        """The facts that scores are computed from, those that tell accounts apart included."""
        scales = [one for part in self.parts for one in part.facts.items()]
        asked = [facts_in(scale.of) for _, all_of in scales for scale in all_of if scale.of]
        return frozenset(name for name, _ in scales).union(*asked)

    @cached_property
    def compiled(self) -> tuple[tuple[tuple[str, tuple[CompiledScale, ...]], ...], ...]:
        """The facts of each part with their scales, for asking them of many accounts."""
        return tuple(
            tuple((name, tuple(map(_compiled, scales))) for name, scales in part.facts.items())
            for part in self.parts
        )

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits, equal for settings that mean the same."""
        return hashlib.sha256(repr((self.parts, self.metrics)).encode()).hexdigest()[:16]


NO_HEALTH = HealthSettings()


def _compiled(scale: Scale) -> CompiledScale:
    return CompiledScale(
        _function(scale.of), tuple((band, _function(band.when)) for band in scale.bands)
    )


def _function(condition: Condition | None) -> Outcome | None:
    return None if condition is None else compiled(condition, {})
