"""The health score: how an account is doing, from 0 to 100, out of weighted parts.

What is unknown drops out with its weight and lowers the confidence; it is never scored as bad.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, fsum
from typing import NamedTuple

from worker.core.bands import Band, CompiledScale, HealthPart, HealthSettings
from worker.core.catalogue import Fact, Part
from worker.core.conditions import Facts
from worker.core.units import Unit, Value

HEALTH, CONFIDENCE, CHANGE = HEALTH_FACTS = ("health", "health_confidence", "health_change_30d")

_NO_HEALTH = "rules/health.yaml has no parts, or nothing that they look at is known"
_EVENTS = ("all types",)

FACTS = (
    Fact(
        HEALTH,
        Unit.NUMBER,
        "health score",
        "the health score, from 0 to 100, out of the parts in rules/health.yaml",
        _NO_HEALTH,
        formula="Of each part, the mean of the points of its known facts; of those, the mean "
        "weighted by the parts' weights, rounded. What is unknown drops out with its weight.",
        part=Part.HEALTH,
        events=_EVENTS,
        least=0,
        most=100,
    ),
    Fact(
        CONFIDENCE,
        Unit.PERCENT,
        "confidence of the health score",
        "how much of the health score's weight is known",
        _NO_HEALTH,
        formula="Each part's weight times the known share of its facts, as a share of all weights.",
        part=Part.HEALTH,
        events=_EVENTS,
        least=0,
        most=100,
    ),
    Fact(
        CHANGE,
        Unit.NUMBER,
        "30-day change of the health score",
        "the health score less that of 30 days before",
        f"{_NO_HEALTH}, or there was no score 30 days before",
        formula="Less the score of 30 days before, as the sweep of that day found it, or, if "
        "events dated up to then came more than a day late, as they make it.",
        part=Part.HEALTH,
        events=_EVENTS,
        least=-100,
        most=100,
    ),
)


class Scored(NamedTuple):
    """What a fact adds: `share` is how much of the whole score it decides, from 0 to 1.

    `band` and `points` are None where the fact is unknown, and its share then is 0.
    """

    fact: str
    value: Value
    band: str | None
    points: float | None
    share: float


class PartScore(NamedTuple):
    """A part's score; None if none of its facts is known."""

    part: HealthPart
    score: float | None
    facts: tuple[Scored, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """An account's score, a whole number; None if nothing is known.

    `exact` is the score before rounding, `confidence` the known part of all weight, in %.
    """

    score: int | None
    exact: float
    confidence: float
    parts: tuple[PartScore, ...]


class _Weighed(NamedTuple):
    """The bands of each part's facts, and what each known fact of a part decides of the score."""

    bands: Sequence[Sequence[Band | None]]
    shares: Sequence[float]
    exact: float
    confidence: float
    is_known: bool

    @property
    def score(self) -> int | None:
        """A whole number; None if nothing is known."""
        return floor(self.exact + 0.5) if self.is_known else None


def health_of(facts: Facts, settings: HealthSettings) -> Health:
    """The score that facts come to, part by part."""
    found = _weighed(facts, settings)
    parts = []
    for part, bands, share in zip(settings.parts, found.bands, found.shares, strict=True):
        scored = tuple(
            Scored(name, facts[name], band.name, band.points, share)
            if band
            else Scored(name, facts[name], None, None, 0.0)
            for name, band in zip(part.facts, bands, strict=True)
        )
        points = [band.points for band in bands if band]
        score = fsum(points) / len(points) if points else None
        parts.append(PartScore(part, score, scored))
    return Health(found.score, found.exact, found.confidence, tuple(parts))


def _weighed(facts: Facts, settings: HealthSettings) -> _Weighed:
    # Lists, not generators: every account that is evaluated comes through here.
    bands = [
        [_band(facts[name], scales, facts) for name, scales in of_part]
        for of_part in settings.compiled
    ]
    known = [len(of_part) - of_part.count(None) for of_part in bands]
    weights = [part.weight for part in settings.parts]
    weight = fsum([w for w, n in zip(weights, known, strict=True) if n])
    shares = [w / weight / n if n else 0.0 for w, n in zip(weights, known, strict=True)]
    points = [s * band.points for s, of in zip(shares, bands, strict=True) for band in of if band]
    told = fsum([w * n / len(of) for w, n, of in zip(weights, known, bands, strict=True)])
    confidence = 100 * told / fsum(weights) if weights else 0.0
    return _Weighed(bands, shares, fsum(points), confidence, weight > 0)


def _band(value: Value, scales: Sequence[CompiledScale], facts: Facts) -> Band | None:
    """The band that a fact's value is in; None if it is unknown."""
    if value is not None:
        for of, bands in scales:
            if of is not None and not of(facts):
                continue
            for band, holds in bands:
                if holds is None or holds(facts):
                    return band
    return None


def health_facts(facts: Facts, settings: HealthSettings, past: int | None) -> dict[str, Value]:
    """The score, its confidence in %, and its change against `past`, that of 30 days before."""
    found = _weighed(facts, settings)
    score = found.score
    return {
        HEALTH: score,
        CONFIDENCE: None if score is None else found.confidence,
        CHANGE: None if score is None or past is None else score - past,
    }
