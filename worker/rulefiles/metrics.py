"""`metrics.yaml`: which features are advanced or new, and admins' own facts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from worker.core.catalogue import Fact
from worker.core.facts import FACTS
from worker.core.health import HEALTH_FACTS
from worker.core.measures import Source
from worker.core.metrics import NO_METRICS, Metrics, OwnFact
from worker.core.rules import RuleSet
from worker.core.units import YEARS
from worker.rulefiles import shapes
from worker.rulefiles.files import METRICS, read
from worker.rulefiles.nodes import Node, Text
from worker.rulefiles.own import Kind, Written, written
from worker.rulefiles.problems import Findings, quoted
from worker.rulefiles.thresholds import is_name, name_of
from worker.shipped import rules_dir

KEYS = ("features", "facts")
FEATURE_KEYS = ("advanced", "launched")
MOST_FACTS = 100
MOST_FEATURES = 200
LONGEST_FEATURE = 200

_UNKNOWN = {
    Source.USAGE: "the account has no usage event yet",
    Source.INTERACTION: "nobody's interactions have been recorded yet",
    Source.TICKET: "the account has no ticket yet",
    Source.SURVEY: "the account has answered no survey yet",
}


def load_metrics(root: Path, rules: RuleSet | None = None, shipped: Path | None = None) -> Metrics:
    """The metrics of a rules directory, none if it has no such file.

    If its `rules` include those that ship, the facts that ship are there too, but for those of
    which the own file has the name; `shipped` is where they are, if not where this version of
    tiewatch has them. Raises RuleFilesRefused, with every problem, if a metrics.yaml is wrong.
    """
    findings = Findings()
    metrics, own = read_metrics(root / METRICS, findings), dict[str, OwnFact]()
    if rules and rules.includes_shipped:
        own |= read_metrics((shipped or rules_dir()) / METRICS, findings).own
    findings.require_none()
    return replace(metrics, own=dict(sorted((own | {**metrics.own}).items())))


def read_beside(path: Path, findings: Findings) -> Metrics:
    """The metrics that go with a rules directory, or with a file in it."""
    try:
        file = (path if path.is_dir() else path.parent) / METRICS
        return read_metrics(file, findings)
    except OSError:  # a path that cannot be, which is told where its rules are read
        return NO_METRICS


def read_metrics(file: Path, findings: Findings) -> Metrics:
    """The metrics of one file, without what is wrong in it; none if it is missing."""
    tree = read(file, findings) if file.is_file() else None
    if tree is None:
        return NO_METRICS
    found = shapes.fields(tree, "a metrics file", KEYS, findings)
    advanced: tuple[str, ...] = ()
    launched: dict[str, int] = {}
    if "features" in found and not shapes.is_blank(found["features"][1]):
        advanced, launched = _features(found["features"][1], findings)
    own: dict[str, OwnFact] = {}
    if "facts" in found and not shapes.is_blank(found["facts"][1]):
        own = _facts(found["facts"][1], findings)
    return Metrics(advanced, launched, own)


def _features(node: Node, findings: Findings) -> tuple[tuple[str, ...], dict[str, int]]:
    found = {
        key: value
        for key, (_, value) in shapes.fields(node, "'features'", FEATURE_KEYS, findings).items()
        if not shapes.is_blank(value)
    }
    advanced: set[str] = set()
    if "advanced" in found:
        for item in shapes.one_or_more(found["advanced"], "'advanced'", MOST_FEATURES, findings):
            name = shapes.text(item, "a feature", LONGEST_FEATURE, findings)
            if name is not None:
                advanced.add(name)
    launched = {}
    if "launched" in found:
        for key, value in shapes.table(found["launched"], "'launched'", findings):
            day = _day(value, findings)
            if day is not None:
                launched[key.text] = day
    return tuple(sorted(advanced)), dict(sorted(launched.items()))


def _day(node: Node, findings: Findings) -> int | None:
    """A date as an ordinal."""
    text = shapes.text(node, "a launch", LONGEST_FEATURE, findings)
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day.year not in YEARS:
        findings.add(node.at, f"{quoted(text)} is not a date: write it like 2026-03-31")
        return None
    return day.toordinal()


def _facts(node: Node, findings: Findings) -> dict[str, OwnFact]:
    read_so_far: dict[str, tuple[Text, Written]] = {}
    rows = list(shapes.table(node, "'facts'", findings))
    if len(rows) > MOST_FACTS:
        findings.add(node.at, f"{len(rows):,} facts; {MOST_FACTS} are allowed")
        return {}
    for key, value in rows:
        name = name_of(key)
        if name in read_so_far:
            first = read_so_far[name][0].at.line
            findings.add(key.at, f"fact {quoted(name)} is here twice, first in line {first}")
        elif is_name(name, key, "fact", findings) and (one := written(name, value, findings)):
            read_so_far[name] = (key, one)
    places = {name: key.at for name, (key, _) in read_so_far.items()}
    facts = {name: one for name, (_, one) in read_so_far.items()}
    _check_ratios(facts, [name_of(key) for key, _ in rows], findings)
    for name in _circular(facts):
        findings.add(places[name], f"fact {quoted(name)} leads back to itself")
    return {name: _own(name, facts[name], facts) for name in sorted(facts)}


def _check_ratios(facts: Mapping[str, Written], named: Sequence[str], findings: Findings) -> None:
    """Note what ratios name that is no fact, or no number."""
    for one in facts.values():
        for name, at in one.named:
            fact = FACTS.get(name)
            if name in HEALTH_FACTS:
                told = f"{name} is made of facts, of those of this file too"
                findings.add(at, f"{told}: a ratio of it could lead back to itself")
            elif fact is not None and fact.in_words:
                findings.add(at, f"{name} is {fact.unit}: a ratio is of numbers")
            elif fact is None and name not in named:
                known = [*FACTS, *named]
                findings.unknown(at, "fact", name, known, "; docs/facts.md has them")


def _circular(facts: Mapping[str, Written]) -> list[str]:
    """The facts that lead back to themselves through ratios."""
    sound: set[str] = set()
    left = {name: {n for n, _ in one.named if n in facts} for name, one in facts.items()}
    while ready := [name for name, used in left.items() if used <= sound]:
        sound.update(ready)
        left = {name: used for name, used in left.items() if name not in sound}
    return list(left)


def _own(name: str, one: Written, facts: Mapping[str, Written]) -> OwnFact:
    """The fact with its entry: its formula is what the file says."""
    if one.source is not None:
        unknown = _UNKNOWN[one.source]
        events: tuple[str, ...] = (one.source.value,)
    else:
        unknown, events = "either fact is unknown or never, or the lower one is 0", ("all types",)
    if one.kind is Kind.SHARE:
        unknown += ", or there is none in these days"
    return OwnFact(
        Fact(
            name,
            one.unit,
            one.label or name,
            one.meaning or f"{name}, defined in {METRICS}",
            unknown,
            formula=one.formula,
            events=events,
            least=0 if one.source is not None else None,
            most=100 if one.kind is Kind.SHARE else None,
        ),
        one.meant,
    )
