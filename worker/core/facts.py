"""The facts: named, typed values of an account on a UTC date, computed from its stats.

`FACTS` is the catalogue, made of those of the modules beside this one. `facts_of_all` is the one
place that computes them, for the event path, the sweeps, the command line and rule tests alike. A
fact without data behind it is None (unknown), never zero; days since something that never happened
are NEVER.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from worker.core import adoption, commercial, exchanges, own, relationship, success, support, voice
from worker.core.catalogue import Fact, Part
from worker.core.health import FACTS as HEALTH
from worker.core.health import health_facts
from worker.core.measures import Measure
from worker.core.metrics import NO_METRICS, Metrics
from worker.core.reading import Reading
from worker.core.relationship import Related
from worker.core.stats import AccountStats, Workspace
from worker.core.subscriptions import NO_TERMS, Terms, terms_on
from worker.core.units import Value

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
        (Part.CONTACTS, exchanges.MEASURES),
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
    return facts_of_all([stats], on, workspace, metrics)[0]


def facts_of_all(
    accounts: Iterable[AccountStats], on: int, workspace: Workspace, metrics: Metrics = NO_METRICS
) -> list[dict[str, Value]]:
    """What `facts_of` says of each of these accounts."""
    known = [_Known(stats, dict.fromkeys(FACTS), on, workspace, metrics) for stats in accounts]
    # One step of all accounts, then the next: that takes a fifth less time than one account after
    # the other, since a processor is fast at what it has just done.
    for part, step in _STEPS:
        for one in known:
            if part in one.stats.reading.parts:
                step(one)
    return [one.facts for one in known]


@dataclass(slots=True)
class _Known:
    """An account and its facts, as far as they are known; `related` once there was interaction."""

    stats: AccountStats
    facts: dict[str, Value]
    on: int
    workspace: Workspace
    metrics: Metrics
    terms: Terms = NO_TERMS
    related: Related | None = None

    @property
    def uses(self) -> bool:
        """Whether usage has begun."""
        first = self.stats.first_usage_day
        return first is not None and first <= self.on

    @property
    def has_users(self) -> bool:
        """Whether usage by somebody has begun."""
        first = self.stats.first_user_day
        return first is not None and first <= self.on


def _commercial(one: _Known) -> None:
    one.terms = terms_on(one.stats.contracts.subscriptions, one.on)
    one.facts |= commercial.base_facts(one.stats, one.terms, one.on)


def _usage(one: _Known) -> None:
    if one.uses:
        one.facts |= adoption.usage_facts(one.stats, one.on)
    if one.has_users:
        one.facts |= adoption.licence_facts(one.stats, one.on, one.facts["licences"])


def _adoption(one: _Known) -> None:
    if one.uses:
        one.facts |= adoption.feature_facts(one.stats)
    if one.has_users:
        one.facts |= adoption.user_facts(one.stats, one.facts, one.metrics, one.on)


def _related(one: _Known) -> None:
    began = one.workspace.first_interaction_day
    if began is not None and began <= one.on:
        one.related = relationship.related(one.stats, one.on, one.workspace)
        one.facts |= one.related.facts


def _relations(one: _Known) -> None:
    if one.related is not None:
        one.facts |= relationship.relations(one.stats, one.on, one.related)


def _rhythm(one: _Known) -> None:
    if one.related is not None:
        execs, silence = one.related.people.execs, one.facts["days_since_exec_contact"]
        one.facts |= exchanges.rhythm(one.stats.met, execs, silence, one.on)


def _responses(one: _Known) -> None:
    if one.related is not None:
        one.facts |= exchanges.responses(one.stats.mails, one.on)


def _contacts(one: _Known) -> None:
    if one.related is not None:
        one.facts |= exchanges.contacts(one.stats.measures)


def _contracts(one: _Known) -> None:
    one.facts |= commercial.contract_facts(one.stats, one.terms, one.facts, one.on)


def _success(one: _Known) -> None:
    one.facts |= success.facts(one.stats.goals, one.stats.first_day, one.on)


def _voice(one: _Known) -> None:
    one.facts |= voice.facts(one.stats.voice, one.stats.measures, one.stats.ties, one.on)


def _support(one: _Known) -> None:
    tickets, licences = one.stats.tickets, one.facts["licences"]
    one.facts |= support.facts(tickets, one.stats.measures, licences, one.on)


def _withhold(one: _Known) -> None:
    for name in one.workspace.withheld.keys() & one.facts.keys():
        one.facts[name] = None


def _own(one: _Known) -> None:
    if names := _own_names(one.stats.reading, one.metrics):
        began = one.related is not None
        one.facts |= own.facts(names, one.metrics, one.stats, one.facts, began, one.on)
        _withhold(one)


def _health(one: _Known) -> None:
    if one.workspace.health.parts:
        one.facts |= health_facts(one.facts, one.workspace.health, one.stats.past_health)


_STEPS: Sequence[tuple[Part, Callable[[_Known], None]]] = (
    (Part.BASE, _commercial),
    (Part.BASE, _usage),
    (Part.ADOPTION, _adoption),
    (Part.BASE, _related),
    (Part.RELATIONS, _relations),
    (Part.RHYTHM, _rhythm),
    (Part.RESPONSES, _responses),
    (Part.CONTACTS, _contacts),
    (Part.CONTRACTS, _contracts),
    (Part.SUCCESS, _success),
    (Part.VOICE, _voice),
    (Part.SUPPORT, _support),
    (Part.BASE, _withhold),  # before what rests on other facts
    (Part.BASE, _own),
    (Part.BASE, _health),
)
"""How facts are computed: each step from the stats, and from what the steps before it have found.

A step is left out where its part has not been read.
"""
