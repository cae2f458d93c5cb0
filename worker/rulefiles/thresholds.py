"""The `thresholds:` of rule files, and whatever else their conditions may name."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from worker.core.catalogue import Fact
from worker.core.conditions import Condition, Threshold
from worker.core.facts import FACTS
from worker.core.foregone import Effort
from worker.core.units import Unit
from worker.rulefiles import shapes
from worker.rulefiles.nodes import Node, Table, Text
from worker.rulefiles.problems import Findings, Place, quoted
from worker.rulefiles.quantities import complaint, quantity
from worker.rulefiles.words import PRESENCE, START

_LONGEST_NAME = 60
_MOST_SEGMENTS = 100
_NAME = re.compile(r"[^\W_][^{}\[\],]*")


@dataclass
class Definition:
    """A named condition, as it stands in a file and as it is read: how many parts it then has.

    One that has been read and means None has been reported.
    """

    at: Place
    node: Node
    meaning: Condition | None = None
    size: int = 0


@dataclass
class Scope:
    """What the files that are read together define and name.

    A threshold that is None has been reported. `used` are the names of thresholds and conditions
    that some file uses. `included` is whether a file asks for the rules that ship, `shipped` are
    the files of those that are read beside, and `replaced` the places of what stands in for a
    threshold or condition of theirs. With a file that could not be read, `complete` is
    False: a threshold, condition or rule that seems to be missing may be in there. `own` are the
    facts of metrics.yaml, `own_complete` unless it has a problem.
    """

    findings: Findings = field(default_factory=Findings)
    thresholds: dict[str, Threshold | None] = field(default_factory=dict)
    conditions: dict[str, Definition] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    segments: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    effort: Effort = field(default_factory=Effort)
    included: bool = False
    shipped: set[str] = field(default_factory=set)
    replaced: list[Place] = field(default_factory=list)
    complete: bool = True
    own: dict[str, Fact] = field(default_factory=dict)
    own_complete: bool = True

    def fact(self, name: str) -> Fact | None:
        """The fact of this name: the catalogue's, or an admin's own."""
        return FACTS.get(name) or self.own.get(name)


def definitions(
    node: Node, kind: str, place_of: Callable[[str], Place | None], scope: Scope
) -> Iterator[tuple[str, Text, Node]]:
    """(name, key, value) of what one file defines of a kind, such as `threshold`.

    `place_of` tells where a name was defined before, if it was; such a one is noted and left out.
    """
    if not isinstance(node, Table):
        scope.complete = False
    for key, value in shapes.table(node, f"'{kind}s'", scope.findings):
        name = name_of(key)
        if first := place_of(name):
            message = f"{kind} {quoted(name)} is also in {first.file}:{first.line}"
            scope.findings.add(key.at, message)
        else:
            yield name, key, value


def define(node: Node, scope: Scope) -> None:
    """Add the thresholds of one file's `thresholds:` to the scope."""
    for name, key, value in definitions(node, "threshold", scope.places.get, scope):
        if name in scope.own:
            message = f"{quoted(name)} cannot name a threshold: it is a fact of metrics.yaml"
            scope.findings.add(key.at, message)
        elif is_name(name, key, "threshold", scope.findings):
            scope.places[name] = key.at
            scope.thresholds[name] = _threshold(name, key, value, scope)


def require_values(scope: Scope) -> None:
    """Note each threshold without a default that lacks a segment which some file names."""
    segments = sorted(scope.segments)
    for name, threshold in scope.thresholds.items():
        if threshold is None or threshold.default is not None:
            continue
        for segment in segments:
            if segment not in threshold.by_segment:
                message = f"threshold {quoted(name)} has neither a value for {quoted(segment)}"
                scope.findings.add(scope.places[name], f"{message} nor a default")
                break


def name_of(text: Text) -> str:
    """The name that a text spells, however it is spaced."""
    return " ".join(text.text.split())


def is_name(name: str, key: Text, kind: str, findings: Findings) -> bool:
    """Whether a threshold or condition can have this name; why not is noted at its key."""
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        why = f"at most {_LONGEST_NAME} characters, a letter first, no brackets or commas"
    elif name in FACTS:
        why = "it is a fact"
    elif "and" in name.split() or START.match(name) or name in PRESENCE or quantity(name):
        why = "it would read as a part of a comparison"
    else:
        return True
    findings.add(key.at, f"{quoted(name)} cannot name a {kind}: {why}")
    return False


def _threshold(name: str, key: Text, value: Node, scope: Scope) -> Threshold | None:
    """The threshold, None if anything in it is wrong."""
    if isinstance(value, Table):
        rows = list(shapes.table(value, f"threshold {quoted(name)}", scope.findings))
        sound = len(rows) == len(value.pairs)
    else:
        rows, sound = [(Text(key.at, "default"), value)], True
    if not rows or len(rows) > _MOST_SEGMENTS:
        message = f"has {len(rows)} values: give it 1 to {_MOST_SEGMENTS}"
        scope.findings.add(key.at, f"threshold {quoted(name)} {message}")
        return None
    values: dict[str, float] = {}
    unit: Unit | None = None
    for segment, row in rows:
        what = f"the value for {quoted(segment.text)}"
        written = shapes.text(row, what, _LONGEST_NAME, scope.findings)
        found = quantity(written) if written is not None else None
        if written is None:
            continue
        if found is None:
            message = f"{quoted(written)} is not a number such as '15 days', '75%', '2' or '$500'"
            scope.findings.add(row.at, message)
            continue
        unit = unit or found[1]
        if wrong := complaint(f"threshold {quoted(name)}", unit, written):
            scope.findings.add(row.at, wrong)
            continue
        values[segment.text] = found[0]
    default = values.pop("default", None)
    scope.segments.update(values)
    if unit is None or not sound or len(values) + (default is not None) < len(rows):
        return None
    return Threshold(name, unit, values, default)
