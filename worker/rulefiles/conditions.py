"""A `when:` or `except_when:` as a condition: facts beside comparisons, `all`, `any` and `not`.

A plain text is the name of a condition from `conditions:`; what that one says takes its place.
"""

import re
from collections.abc import Iterable, Iterator

from worker.core.conditions import AllOf, AnyOf, Condition, Not
from worker.core.facts import FACTS
from worker.rulefiles import foregone, shapes
from worker.rulefiles.comparisons import compare
from worker.rulefiles.nodes import List, Node, Table, Text
from worker.rulefiles.problems import Place, quoted
from worker.rulefiles.thresholds import Scope, name_of

CONNECTIVES = ("all", "any", "not")
MOST_PARTS = 200
"""Parts that the names in one condition may come to: named conditions that use each other twice
double with every line."""

_FACT_FIRST = re.compile(r"(?P<fact>\w+)(?: ?: ?| |$)?(?P<rest>.*)")


def condition(node: Node, what: str, scope: Scope) -> Condition | None:
    """The condition that a node says; None if a part of it cannot be read.

    Several facts under one another, and the items of a list, must all hold.
    """
    named = (scope.conditions.get(name) for name in names_in(node))
    if sum(each.size for each in named if each) > MOST_PARTS:
        message = f"{what} comes to more than {MOST_PARTS} parts with its conditions written out"
        scope.findings.add(node.at, f"{message}: name fewer")
        return None
    return _all_of(node, what, scope)


def names_in(node: Node) -> Iterator[str]:
    """The names of conditions that stand in a node, as often as they do."""
    match node:
        case Text():
            yield name_of(node)
        case List(items=items):
            for item in items:
                yield from names_in(item)
        case Table(pairs=pairs):
            for key, value in pairs:
                if isinstance(key, Text) and key.text in CONNECTIVES:
                    yield from names_in(value)


def _all_of(node: Node, what: str, scope: Scope) -> Condition | None:
    return _joined(AllOf, _parts(node, what, scope), scope)


def _joined(
    kind: type[AllOf] | type[AnyOf], parts: Iterable[tuple[Condition | None, Place]], scope: Scope
) -> Condition | None:
    """The parts as one condition, None if there are none or a part is wrong.

    A part of the same kind is dissolved in it, so that a named condition and the same lines written
    out are equal, in the digest too.
    """
    flat: list[tuple[Condition, Place]] = []
    for part, at in parts:
        if part is None:
            return None
        flat += [(each, at) for each in (part.parts if isinstance(part, kind) else (part,))]
    if len(flat) < 2:
        return flat[0][0] if flat else None
    if foregone.note_joined(kind, flat, scope):
        return None
    return kind(tuple(part for part, _ in flat))


def _parts(node: Node, what: str, scope: Scope) -> list[tuple[Condition | None, Place]]:
    """The conditions under one another or in a list, each with its place; empty if none at all.

    A wrong one is None.
    """
    if isinstance(node, List):
        parts = [(_all_of(item, f"an item of {what}", scope), item.at) for item in node.items]
    elif isinstance(node, Table):
        pairs = shapes.table(node, what, scope.findings)
        parts = [(_part(key, value, scope), value.at) for key, value in pairs]
    elif isinstance(node, Text) and node.text.strip():
        parts = [(_named(node, scope), node.at)]
    else:
        message = (
            f"{what} must be facts with comparisons, such as 'days_since_contact: over 15 days'"
        )
        shapes.complain(node, message, scope.findings)
        return []
    if not parts:
        shapes.complain(node, f"{what} is empty: it needs at least one fact", scope.findings)
    return parts


def _part(key: Text, value: Node, scope: Scope) -> Condition | None:
    if fact := FACTS.get(key.text) or scope.own.get(name_of(key)):
        found = compare(fact, value, scope)
        return None if found and foregone.note_comparison(found, value.at, scope) else found
    match key.text:
        case "all":
            return _all_of(value, "'all'", scope)
        case "not":
            part = _all_of(value, "'not'", scope)
            return part and Not(part)
        case "any":
            return _joined(AnyOf, _parts(value, "'any'", scope), scope)
    name = name_of(key)
    if name in scope.conditions:
        message = f"{quoted(name)} is a condition, not a fact: name it in a list, after '- '"
        scope.findings.add(key.at, message)
        return None
    if not scope.own_complete and not scope.findings.nearest(key.text, FACTS):
        return None  # it may be one that metrics.yaml tries to define
    scope.findings.unknown(
        key.at, "fact", key.text, [*FACTS, *scope.own, *CONNECTIVES], "; docs/facts.md has them"
    )
    return None


def _named(node: Text, scope: Scope) -> Condition | None:
    """What the condition of this name says."""
    name = name_of(node)
    if found := scope.conditions.get(name):
        scope.used.add(name)
        return found.meaning
    said = _FACT_FIRST.fullmatch(name)
    if said and said["fact"] in FACTS and not scope.findings.nearest(name, scope.conditions):
        fact, rest = said["fact"], said["rest"]
        if not rest:
            return compare(FACTS[fact], Text(node.at, ""), scope)
        message = f"write {quoted(f'{fact}: {rest}')}: a fact has a colon and a space after it"
        scope.findings.add(node.at, message)
    elif scope.complete:
        otherwise = ": no 'conditions:' has it"
        scope.findings.unknown(node.at, "condition", name, scope.conditions, otherwise)
    return None
