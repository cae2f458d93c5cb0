"""The facts: named, typed values of an account on a UTC date, computed from its stats.

`FACTS` is the catalogue, made of those of the modules beside this one. `facts_of` is the one place
that computes them, for the event path, the sweeps, the command line and rule tests alike. A fact
without data behind it is None (unknown), never zero; days since something that never happened are
NEVER.
"""

from collections.abc import Collection

from worker.core import adoption, commercial, own, relationship, success, support, voice
from worker.core.adoption import LICENCE_DAYS, USAGE_DAYS
from worker.core.catalogue import Fact, Part
from worker.core.commercial import mrr_of, renewal_day
from worker.core.health import FACTS as HEALTH
from worker.core.health import health_facts
from worker.core.measures import Measure
from worker.core.metrics import NO_METRICS, Metrics
from worker.core.reading import Reading
from worker.core.relationship import People, decision_level, people_of
from worker.core.stats import AccountStats, Workspace
from worker.core.subscriptions import terms_on
from worker.core.units import Value

__all__ = [
    "FACTS",
    "LICENCE_DAYS",
    "USAGE_DAYS",
    "Fact",
    "People",
    "decision_level",
    "facts_of",
    "measures_of",
    "mrr_of",
    "people_of",
    "reading_for",
    "renewal_day",
]

FACTS: dict[str, Fact] = {
    fact.name: fact
    for facts in (
        *(m.FACTS for m in (relationship, commercial, adoption, success, voice, support)),
        HEALTH,
    )
    for fact in facts
}
"""The catalogue by name, in the order in which facts are listed."""


def reading_for(names: Collection[str], metrics: Metrics) -> Reading:
    """What is to be read so that these facts can be computed."""
    own_names, others = own.wanted(names, metrics)
    parts = {FACTS[name].part for name in others} | set(own.parts(own_names, metrics))
    return Reading(frozenset({Part.BASE, *parts}), own_names)


def measures_of(reading: Reading, metrics: Metrics, on: int) -> frozenset[Measure]:
    """What is to be measured for a reading on the day `on` (an ordinal)."""
    found: set[Measure] = set(own.measures(_own_names(reading, metrics), metrics))
    for part, measures in (
        (Part.CONTACTS, relationship.MEASURES),
        (Part.VOICE, voice.MEASURES),
        (Part.SUPPORT, support.MEASURES),
        (Part.ADOPTION, adoption.measures(metrics, on)),
    ):
        if part in reading.parts:
            found.update(measures)
    return frozenset(found)


def _own_names(reading: Reading, metrics: Metrics) -> Collection[str]:
    return metrics.own.keys() if reading.own is None else reading.own


def facts_of(
    stats: AccountStats, on: int, workspace: Workspace, metrics: Metrics = NO_METRICS
) -> dict[str, Value]:
    """Every fact of the catalogue, in its order, and then the admins' own, for the day `on`.

    `on` is an ordinal. `stats` hold events up to the end of that day, its windows end the day
    before. Facts of parts that have not been read are None.
    """
    parts = stats.reading.parts
    facts: dict[str, Value] = dict.fromkeys(FACTS)
    terms = terms_on(stats.contracts.subscriptions, on)
    facts |= commercial.base_facts(stats, terms, on)
    facts |= _usage(stats, on, facts, metrics)
    began = workspace.first_interaction_day is not None and workspace.first_interaction_day <= on
    if began:
        facts |= _relationships(stats, on, workspace)
    if Part.CONTRACTS in parts:
        facts |= commercial.contract_facts(stats, terms, facts, on)
    if Part.SUCCESS in parts:
        facts |= success.facts(stats.goals, stats.first_day, on)
    if Part.VOICE in parts:
        facts |= voice.facts(stats.voice, stats.measures, stats.ties, on)
    if Part.SUPPORT in parts:
        facts |= support.facts(stats.tickets, stats.measures, facts["licences"], on)
    _withhold(facts, workspace)  # before what rests on other facts
    names = _own_names(stats.reading, metrics)
    if names:
        facts |= own.facts(names, metrics, stats, facts, began, on)
        _withhold(facts, workspace)
    if workspace.health.parts:
        facts |= health_facts(facts, workspace.health, stats.past_health)
    return facts


def _withhold(facts: dict[str, Value], workspace: Workspace) -> None:
    for name in workspace.withheld.keys() & facts.keys():
        facts[name] = None


def _usage(
    stats: AccountStats, on: int, base: dict[str, Value], metrics: Metrics
) -> dict[str, Value]:
    """The facts of adoption, as far as usage, or usage by somebody, has begun."""
    facts: dict[str, Value] = {}
    adopted = Part.ADOPTION in stats.reading.parts
    if stats.first_usage_day is not None and stats.first_usage_day <= on:
        facts |= adoption.usage_facts(stats, on)
        if adopted:
            facts |= adoption.feature_facts(stats)
    if stats.first_user_day is not None and stats.first_user_day <= on:
        facts |= adoption.licence_facts(stats, on, base["licences"])
        if adopted:
            facts |= adoption.user_facts(stats, base | facts, metrics, on)
    return facts


def _relationships(stats: AccountStats, on: int, workspace: Workspace) -> dict[str, Value]:
    parts = stats.reading.parts
    related = relationship.related(stats, on, workspace)
    facts = related.facts
    if Part.RELATIONS in parts:
        facts |= relationship.relations(stats, on, related)
    if Part.RHYTHM in parts:
        silence = facts["days_since_exec_contact"]
        facts |= relationship.rhythm(stats.met, related.people.execs, silence, on)
    if Part.RESPONSES in parts:
        facts |= relationship.responses(stats.mails, on)
    if Part.CONTACTS in parts:
        facts |= relationship.contacts(stats.measures)
    return facts
