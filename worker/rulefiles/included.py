"""The rules that ship, read beside an admin's own files, which add to them and override them.

They are read if a file says `include: shipped rules`, or overrides a rule that is in no other file.
What an admin defines stands: a threshold, condition or rule that ships gives way to one of the same
name, so that an upgrade that brings more of them collides with nothing. So does a fact of the
metrics.yaml that ships, which comes with the rules that look at it.
"""

from collections.abc import Iterable

from worker.rulefiles import shapes
from worker.rulefiles.nodes import Node, Table, Text
from worker.rulefiles.problems import quoted
from worker.rulefiles.quantities import MEANS
from worker.rulefiles.thresholds import Scope

SHIPPED = "shipped rules"
"""What `include` can name."""

_LONGEST = 80


def include(node: Node, scope: Scope) -> None:
    """Note what a file's `include:` says."""
    text = shapes.text(node, "'include'", _LONGEST, scope.findings)
    scope.included = True  # misspelt, it is meant
    if text is not None and " ".join(text.split()) != SHIPPED:
        message = f"'include' is {quoted(SHIPPED)}, which come with tiewatch, not {quoted(text)}"
        scope.findings.add(node.at, message)


def overridden(rules: Iterable[Node]) -> set[str]:
    """The ids of the rules that these override and that are not among these."""
    plain, overrides = set[str](), set[str]()
    for given in map(_texts, rules):
        if name := given.get("id", "").strip():
            (overrides if given.get("override") == "true" else plain).add(name)
    return overrides - plain


def add(shipped: Scope, scope: Scope) -> None:
    """Add what the files that ship define to what an admin's own do, which stands."""
    for name in sorted(shipped.own.keys() & scope.places.keys()):
        message = f"{quoted(name)} cannot name a threshold: it is a fact that ships with tiewatch"
        scope.findings.add(scope.places[name], message)
    scope.replaced += [scope.places[name] for name in shipped.thresholds if name in scope.places]
    conditions = scope.conditions.items()
    scope.replaced += [one.at for name, one in conditions if name in shipped.conditions]
    for name, threshold in shipped.thresholds.items():
        own = scope.thresholds.get(name, threshold)
        if own and threshold and own.unit is not threshold.unit:
            told = f"threshold {quoted(name)} takes the place of one that ships"
            means = f"which is {MEANS[threshold.unit]}: give it that unit or another name"
            scope.findings.add(scope.places[name], f"{told}, {means}")
            own = threshold
        scope.thresholds[name] = own
        scope.places.setdefault(name, shipped.places[name])
    scope.conditions = shipped.conditions | scope.conditions
    scope.own = shipped.own | scope.own
    scope.segments |= shipped.segments


def blame(scope: Scope) -> None:
    """Tell what is wrong in the files that ship where an admin can mend it.

    By themselves they are right: it comes of what stands in for a threshold or condition of theirs.
    """
    if scope.replaced:
        what = "takes the place of one that ships, and with it"
        scope.findings.move(scope.shipped, min(scope.replaced), what)


def _texts(rule: Node) -> dict[str, str]:
    pairs = rule.pairs if isinstance(rule, Table) else ()
    return {
        key.text: value.text
        for key, value in pairs
        if isinstance(key, Text) and isinstance(value, Text)
    }
