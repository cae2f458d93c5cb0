"""Admins' own facts: what they rest on, and what they come to."""

from collections.abc import Collection, Iterator, Mapping

from worker.core.catalogue import Part
from worker.core.measures import Measure, Source
from worker.core.metrics import Metrics, Ratio, Share
from worker.core.stats import AccountStats
from worker.core.units import NEVER, Value

_PARTS = {Source.TICKET: Part.SUPPORT, Source.SURVEY: Part.VOICE}
"""What tells whether there has been any event of a source, where base stats do not."""


def wanted(names: Collection[str], metrics: Metrics) -> tuple[frozenset[str], frozenset[str]]:
    """The own facts that these facts come to, through ratios of them, and the other facts."""
    own: set[str] = set()
    others: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        one = metrics.own.get(name)
        if one is None:
            others.add(name)
        elif name not in own:
            own.add(name)
            if isinstance(one.formula, Ratio):
                left += [one.formula.part, one.formula.whole]
    return frozenset(own), frozenset(others)


def measures(names: Collection[str], metrics: Metrics) -> Iterator[Measure]:
    """What own facts are measured by."""
    for name in names:
        formula = metrics.own[name].formula
        if isinstance(formula, Measure):
            yield formula
        elif isinstance(formula, Share):
            yield from (formula.part, formula.whole)


def parts(names: Collection[str], metrics: Metrics) -> Iterator[Part]:
    """What else is to be read for own facts: whether there is any event of their source."""
    for measure in measures(names, metrics):
        if measure.source in _PARTS:
            yield _PARTS[measure.source]


def facts(
    names: Collection[str],
    metrics: Metrics,
    stats: AccountStats,
    others: Mapping[str, Value],
    began: bool,
    on: int,
) -> dict[str, Value]:
    """Own facts on the day `on`; `others` are those of the catalogue, and `began` says whether the
    workspace has any interaction yet."""
    begun = {
        Source.USAGE: stats.first_usage_day is not None and stats.first_usage_day <= on,
        Source.INTERACTION: began,
        Source.TICKET: stats.tickets.first_day is not None and stats.tickets.first_day <= on,
        Source.SURVEY: stats.voice.last_day is not None,
    }
    found: dict[str, Value] = {}
    # Not by functions in here that call each other: they would keep an account's stats from going
    # before the garbage collector comes by, which took a tenth of a batch's time.
    for name in names:
        _compute(name, metrics, stats, others, begun, found)
    return {name: found[name] for name in names}


def _compute(
    name: str,
    metrics: Metrics,
    stats: AccountStats,
    others: Mapping[str, Value],
    begun: Mapping[Source, bool],
    found: dict[str, Value],
) -> Value:
    """The value of a fact, which is kept in `found` if it is an own one."""
    if name not in metrics.own:
        return others[name]
    if name in found:
        return found[name]
    formula = metrics.own[name].formula
    value: Value = None
    if isinstance(formula, Ratio):
        part = _compute(formula.part, metrics, stats, others, begun, found)
        whole = _compute(formula.whole, metrics, stats, others, begun, found)
        value = _divided(part, whole, 1)
    elif isinstance(formula, Share):
        if begun[formula.part.source]:
            value = _divided(stats.measures[formula.part], stats.measures[formula.whole], 100)
    elif begun[formula.source]:
        amount = stats.measures[formula]
        value = amount / 1_000 if formula.amount == "minutes" else amount
    found[name] = value
    return value


def _divided(part: Value, whole: Value, scale: int) -> Value:
    """A ratio; None unless both are numbers, and the lower one is not 0."""
    if not isinstance(part, int | float) or not isinstance(whole, int | float):
        return None
    return None if NEVER in (part, whole) or not whole else scale * part / whole
