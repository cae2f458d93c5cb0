"""The rulebook: what the rules directory says, read whole, and told apart by its digest."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from worker.core.bands import NO_HEALTH, HealthSettings
from worker.core.facts import reading_for
from worker.core.freshness import Sources
from worker.core.health import HEALTH_FACTS
from worker.core.metrics import NO_METRICS, Metrics
from worker.core.reading import Reading
from worker.core.rules import RuleSet
from worker.core.telling import Telling
from worker.core.ties import TieSettings
from worker.core.webhooks import Webhooks
from worker.rulefiles import (
    load,
    load_health,
    load_metrics,
    load_sources,
    load_telling,
    load_ties,
    load_webhooks,
)


@dataclass(frozen=True)
class Rulebook:
    """What the rules directory says: the rules, how ties are weighed, how people are told, the
    metrics, which sources matter, what the health score is made of, and what webhooks tell."""

    rules: RuleSet
    ties: TieSettings
    telling: Telling = field(default_factory=Telling)
    metrics: Metrics = NO_METRICS
    sources: Sources = field(default_factory=dict)
    health: HealthSettings = NO_HEALTH
    webhooks: Webhooks = ()

    @cached_property
    def facts(self) -> frozenset[str]:
        """The facts that rules look at or speak of, those that webhooks tell, and those that their
        health score rests on."""
        asked = self.rules.facts.union(*(webhook.facts for webhook in self.webhooks))
        return asked | self.health.facts if asked & set(HEALTH_FACTS) else asked

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits, equal for directories that mean the same."""
        parts = (self.ties, self.telling, self.metrics, self.sources, self.health, self.webhooks)
        said = " ".join([self.rules.digest, *map(str, parts)])
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @cached_property
    def reading(self) -> Reading:
        """What is to be read of accounts for these facts."""
        return reading_for(self.facts, self.metrics)


def read_rulebook(root: Path, shipped: Path | None = None) -> Rulebook:
    """The rules directory, read whole. Raises `RuleFilesRefused` with every problem in it.

    `shipped` is where the rules that ship are, by default those of this version of tiewatch.
    """
    rules = load(root, shipped)
    metrics = load_metrics(root, rules, shipped)
    return Rulebook(
        rules,
        load_ties(root),
        telling=load_telling(root),
        metrics=metrics,
        sources=load_sources(root),
        health=load_health(root, metrics),
        webhooks=load_webhooks(root),
    )


class OtherRules(Exception):
    """Other rules than those given are in force: ask again which, and do it with those."""

    def __init__(self, in_force: str) -> None:
        """Name the version in force."""
        super().__init__(f"version {in_force} of the rules is in force")
