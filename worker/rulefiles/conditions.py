"""A `when:` or `except_when:` as a condition: facts beside comparisons, `all`, `any` and `not`."""

from worker.core.conditions import AllOf, AnyOf, Condition, Not
from worker.core.facts import FACTS
from worker.rulefiles import shapes
from worker.rulefiles.comparisons import compare
from worker.rulefiles.nodes import List, Node, Table, Text
from worker.rulefiles.thresholds import Scope

_CONNECTIVES = ("all", "any", "not")


def condition(node: Node, what: str, scope: Scope) -> Condition | None:
    """The condition that a node says; None if a part of it cannot be read.

    Several facts under one another, and the items of a list, must all hold.
    """
    parts = _parts(node, what, scope)
    if parts is None or None in parts:
        return None
    whole = tuple(part for part in parts if part is not None)
    return whole[0] if len(whole) == 1 else AllOf(whole)


def _parts(node: Node, what: str, scope: Scope) -> list[Condition | None] | None:
    """The conditions under one another or in a list, None for a wrong one, None if none at all."""
    if isinstance(node, List):
        parts = [condition(item, f"an item of {what}", scope) for item in node.items]
    elif isinstance(node, Table):
        pairs = shapes.table(node, what, scope.findings)
        parts = [_part(key, value, scope) for key, value in pairs]
    else:
        message = (
            f"{what} must be facts with comparisons, such as 'days_since_contact: over 15 days'"
        )
        shapes.complain(node, message, scope.findings)
        return None
    if not parts:
        shapes.complain(node, f"{what} is empty: it needs at least one fact", scope.findings)
        return None
    return parts


def _part(key: Text, value: Node, scope: Scope) -> Condition | None:
    if fact := FACTS.get(key.text):
        return compare(fact, value, scope)
    match key.text:
        case "all":
            return condition(value, "'all'", scope)
        case "not":
            part = condition(value, "'not'", scope)
            return part and Not(part)
        case "any":
            parts = _parts(value, "'any'", scope)
            if parts is None or None in parts:
                return None
            return AnyOf(tuple(part for part in parts if part is not None))
    scope.findings.unknown(
        key.at, "fact", key.text, [*FACTS, *_CONNECTIVES], "; docs/facts.md has them"
    )
    return None
