"""`health.yaml`: the parts of the health score, what they weigh, and the bands of their facts."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from worker.core import own
from worker.core.bands import NO_HEALTH, Band, HealthPart, HealthSettings, Scale
from worker.core.catalogue import Fact
from worker.core.conditions import Condition, facts_in
from worker.core.facts import FACTS
from worker.core.health import HEALTH_FACTS
from worker.core.metrics import NO_METRICS, Metrics
from worker.core.units import Unit
from worker.rulefiles import shapes
from worker.rulefiles.comparisons import compare
from worker.rulefiles.conditions import condition
from worker.rulefiles.files import HEALTH, read
from worker.rulefiles.nodes import List, Node, Text
from worker.rulefiles.problems import Findings, quoted
from worker.rulefiles.quantities import quantity
from worker.rulefiles.thresholds import Scope, name_of

KEYS = ("bands", "parts")
PART_KEYS = ("weight", "facts")
FOR = "for"
OTHERWISE = "otherwise"

_LONGEST_NUMBER = 40
_LONGEST_NAME = 60


def load_health(root: Path, metrics: Metrics = NO_METRICS) -> HealthSettings:
    """The health score of a rules directory; no parts without the file.

    `metrics` has the admins' own facts, which it may rest on. Raises RuleFilesRefused, with every
    problem, if its health.yaml is wrong.
    """
    scope = Scope(own={name: one.fact for name, one in metrics.own.items()})
    found, findings = read_health(root / HEALTH, scope), scope.findings
    findings.require_none()
    if not found.parts:
        return found
    rests_on, _ = own.wanted(found.facts, metrics)
    used = replace(metrics, own={name: metrics.own[name] for name in sorted(rests_on)})
    return replace(found, metrics=used)


def read_health(file: Path, known: Scope) -> HealthSettings:
    """The settings of one file; no parts where it is missing or wrong.

    Of what is `known`, it may rest on the admins' own facts; thresholds and conditions are those of
    rules.
    """
    findings = known.findings
    tree = read(file, findings) if file.is_file() else None
    if tree is None:
        return NO_HEALTH
    before = len(findings)
    found = shapes.fields(tree, "a health file", KEYS, findings)
    if "parts" not in found or shapes.is_blank(found["parts"][1]):
        return NO_HEALTH
    if "bands" not in found:
        findings.add(tree.at, "'bands' is missing: the points of each band, such as {good: 100}")
        return NO_HEALTH
    scope = Scope(findings, own=known.own, own_complete=known.own_complete)
    bands = _bands(found["bands"][1], findings)
    parts = [
        part
        for key, node in shapes.table(found["parts"][1], "'parts'", findings)
        if (part := _part(key, node, bands, scope)) is not None
    ]
    if len(findings) > before:
        return NO_HEALTH
    return HealthSettings(tuple(parts))


def _bands(node: Node, findings: Findings) -> dict[str, float]:
    """Points by the band's name."""
    found = {}
    for key, value in shapes.table(node, "'bands'", findings):
        points = _number(value, f"the points of {quoted(key.text)}", 0, 100, findings)
        if key.text == FOR or len(key.text) > _LONGEST_NAME:
            findings.add(key.at, f"{quoted(key.text)} cannot name a band")
        elif points is not None:
            found[key.text] = points
    return found


def _number(node: Node, what: str, least: float, most: float, findings: Findings) -> float | None:
    text = shapes.text(node, what, _LONGEST_NUMBER, findings)
    if text is None:
        return None
    number, unit = quantity(text) or (-1, Unit.COUNT)
    if unit is not Unit.COUNT or not least <= number <= most:
        findings.add(node.at, f"{what} is a number from {least:g} to {most:g}, not {quoted(text)}")
        return None
    return number


def _part(key: Text, node: Node, bands: Mapping[str, float], scope: Scope) -> HealthPart | None:
    findings = scope.findings
    found = shapes.fields(node, "a part", PART_KEYS, findings)
    for name in PART_KEYS:
        if name not in found:
            findings.add(key.at, f"part {quoted(key.text)} has no {quoted(name)}")
    if len(found) < len(PART_KEYS):
        return None
    weight = _number(found["weight"][1], "'weight'", 1, 1_000, findings)
    facts = {}
    rows = list(shapes.table(found["facts"][1], "'facts'", findings))
    for named, value in rows:
        if fact := _fact(named, scope):
            facts[fact.name] = _scales(fact, value, bands, scope)
    if not rows:
        findings.add(key.at, f"part {quoted(key.text)} has no fact")
    return None if weight is None else HealthPart(key.text, weight, facts)


def _fact(key: Text, scope: Scope) -> Fact | None:
    """The fact of this name; what it is not is noted."""
    name = name_of(key)
    fact = scope.fact(name)
    if name in HEALTH_FACTS:
        scope.findings.add(key.at, f"{name} is what comes of this file: it cannot be a part of it")
        return None
    if fact is None and scope.own_complete:
        known = [one for one in [*FACTS, *scope.own] if one not in HEALTH_FACTS]
        scope.findings.unknown(key.at, "fact", name, known, "; docs/facts.md has them")
    return fact


def _scales(fact: Fact, node: Node, bands: Mapping[str, float], scope: Scope) -> tuple[Scale, ...]:
    """The scales of a fact: one for all, or a list, of which all but the last say for whom."""
    if not isinstance(node, List):
        return (_scale(fact, node, bands, scope, is_last=True),)
    if not node.items:
        scope.findings.add(node.at, f"the list of the bands of {fact.name} is empty")
    last = len(node.items) - 1
    return tuple(
        _scale(fact, item, bands, scope, is_last=place == last)
        for place, item in enumerate(node.items)
    )


def _scale(
    fact: Fact, node: Node, bands: Mapping[str, float], scope: Scope, *, is_last: bool
) -> Scale:
    found = shapes.fields(node, f"the bands of {fact.name}", (FOR, *bands), scope.findings)
    of: Condition | None = None
    if FOR in found:
        of = _accounts(found[FOR][1], scope)
    elif not is_last:
        scope.findings.add(node.at, "only the last of several may be for everyone: say 'for' whom")
    if FOR in found and is_last:
        scope.findings.add(found[FOR][0].at, "the last one is for everyone else: no 'for' here")
    named = {name: value for name, (_, value) in found.items() if name != FOR}
    ranges = []
    for place, (name, value) in enumerate(named.items(), 1):
        rest = isinstance(value, Text) and value.text.strip() == OTHERWISE
        if rest is not (place == len(named)):
            message = f"the last band of a fact, and only that, is '{OTHERWISE}'"
            scope.findings.add(value.at, message)
        when = None if rest else compare(fact, value, scope)
        ranges.append(Band(name, bands[name], when))
    if not ranges:
        scope.findings.add(node.at, f"{fact.name} has no band, such as {next(iter(bands), 'good')}")
    return Scale(of, tuple(ranges))


def _accounts(node: Node, scope: Scope) -> Condition | None:
    """The accounts that bands are for."""
    of = condition(node, "'for'", scope)
    for name in sorted(facts_in(of) & set(HEALTH_FACTS)) if of else ():
        scope.findings.add(node.at, f"{name} is what comes of this file: no 'for' can ask for it")
    return of
