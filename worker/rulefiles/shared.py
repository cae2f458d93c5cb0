"""The `conditions:` of rule files: conditions with a name, for all rules of all files."""

from collections.abc import Mapping, Sequence

from worker.core.conditions import AllOf, AnyOf, Compare, Condition, Not
from worker.rulefiles.conditions import CONNECTIVES, condition, names_in
from worker.rulefiles.nodes import Node
from worker.rulefiles.problems import Place, quoted
from worker.rulefiles.thresholds import Definition, Scope, definitions, is_name

_MOST_TOLD = 5


def define(node: Node, scope: Scope) -> None:
    """Add the conditions of one file's `conditions:` to the scope, not yet looked into."""

    def place_of(name: str) -> Place | None:
        first = scope.conditions.get(name)
        return first.at if first else None

    for name, key, value in definitions(node, "condition", place_of, scope):
        # One that cannot have its name is kept all the same: its own mistakes are worth knowing,
        # and those who use it made none.
        scope.conditions[name] = Definition(key.at, value)
        if is_name(name, key, "condition", scope.findings) and name in CONNECTIVES:
            message = f"{quoted(name)} cannot name a condition: it joins conditions"
            scope.findings.add(key.at, message)


def read_conditions(scope: Scope) -> None:
    """Read all that is defined, used or not, once every file has been.

    Each is read after those that it uses, wherever they stand; what is in a circle means nothing.
    """
    in_order = sorted(scope.conditions.items(), key=lambda item: item[1].at)
    for name, one in in_order:
        if name in scope.own:
            message = f"{quoted(name)} cannot name a condition: it is a fact of metrics.yaml"
            scope.findings.add(one.at, message)
        if name in scope.thresholds:
            message = f"{quoted(name)} cannot name a condition: it is a threshold"
            scope.findings.add(one.at, message)
    uses = {
        name: [used for used in dict.fromkeys(names_in(one.node)) if used in scope.conditions]
        for name, one in in_order
    }
    order, circles = _ordered(uses)
    for circle in circles:
        _note_circle(circle, scope)
    for name in order:
        one = scope.conditions[name]
        one.meaning = condition(one.node, f"condition {quoted(name)}", scope)
        one.size = _size(one.meaning) if one.meaning else 0


def _ordered(uses: Mapping[str, Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """The names, each after those that it uses, and the circles that keep some from that.

    Not by recursion: a chain of names may be longer than Python's stack.
    """
    order: dict[str, None] = {}
    circles = []
    for start in uses:
        path = {} if start in order else {start: iter(uses[start])}
        while path:
            name = next(reversed(path))
            used = next(path[name], None)
            if used is None:
                del path[name]
                order[name] = None
            elif used in path:
                names = list(path)
                circles.append(names[names.index(used) :])
            elif used not in order:
                path[used] = iter(uses[used])
    return list(order), circles


def _note_circle(circle: Sequence[str], scope: Scope) -> None:
    """Note it at the first of its conditions, by place."""
    start = min(range(len(circle)), key=lambda index: scope.conditions[circle[index]].at)
    first, *others = [*circle[start:], *circle[:start]]
    message = f"condition {quoted(first)} uses itself"
    if others:
        told = [quoted(name) for name in others[:_MOST_TOLD]]
        if len(others) > _MOST_TOLD:
            told.append(f"{len(others) - _MOST_TOLD} more")
        message += f", by way of {', then '.join(told)}"
    scope.findings.add(scope.conditions[first].at, message)


def _size(condition: Condition) -> int:
    """How many parts a condition has, at any depth, itself among them."""
    match condition:
        case Compare():
            return 1
        case Not(part):
            return 1 + _size(part)
        case AllOf(parts) | AnyOf(parts):
            return 1 + sum(map(_size, parts))
