"""A rule as it stands in a rule file."""

import re

from worker.core.facts import FACTS
from worker.core.rules import PLACEHOLDER, Rule, Severity
from worker.core.units import NEVER, Unit
from worker.rulefiles import shapes
from worker.rulefiles.conditions import condition
from worker.rulefiles.nodes import Node, Table
from worker.rulefiles.problems import Place, quoted
from worker.rulefiles.quantities import complaint, quantity
from worker.rulefiles.thresholds import Scope

REQUIRED = ("id", "title", "severity", "when")
KEYS = (*REQUIRED, "advice", "hold_for", "keep_open_for", "except_when")

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LONGEST_ID = 80
_LONGEST_TITLE = 300
_LONGEST_ADVICE = 2_000
_LONGEST_WORD = 60
_LONGEST_HOLD = 365
"""Days. A flag that waits longer than a year would miss the renewal that it is about."""


def rule(node: Node, ids: dict[str, Place], scope: Scope) -> Rule | None:
    """The rule that a node says; None if anything in it is wrong.

    `ids` are those of the rules read before, and get this one's.
    """
    before = len(scope.findings)
    found = shapes.fields(node, "a rule", KEYS, scope.findings)
    if isinstance(node, Table):
        for key in REQUIRED:
            if key not in found:
                scope.findings.add(node.at, f"the rule has no {quoted(key)}")
    values = {key: value for key, (_, value) in found.items()}
    name = _id(values.get("id"), ids, scope)
    title = _words(values.get("title"), "'title'", _LONGEST_TITLE, scope)
    severity = _severity(values.get("severity"), scope)
    advice = _words(values.get("advice"), "'advice'", _LONGEST_ADVICE, scope)
    hold_for = _days(values.get("hold_for"), "'hold_for'", scope)
    keep_open_for = _days(values.get("keep_open_for"), "'keep_open_for'", scope)
    when, except_when = (
        condition(values[key], quoted(key), scope) if key in values else None
        for key in ("when", "except_when")
    )
    if len(scope.findings) > before or not (name and title and severity and when):
        return None
    return Rule(
        name, " ".join(title.split()), severity, when, advice, hold_for, keep_open_for, except_when
    )


def _id(node: Node | None, ids: dict[str, Place], scope: Scope) -> str | None:
    name = shapes.text(node, "'id'", _LONGEST_ID, scope.findings) if node else None
    if node is None or name is None:
        return None
    if not _ID.fullmatch(name):
        message = f"{quoted(name)} cannot be an id: use letters, digits, '-', '_' and '.'"
        scope.findings.add(node.at, message)
    elif first := ids.get(name):
        message = f"rule {quoted(name)} is also in {first.file}:{first.line}"
        scope.findings.add(node.at, message)
    else:
        ids[name] = node.at
        return name
    return None


def _words(node: Node | None, what: str, longest: int, scope: Scope) -> str | None:
    """A text whose placeholders name facts and thresholds."""
    text = shapes.text(node, what, longest, scope.findings) if node else None
    if node is None or text is None:
        return None
    for found in PLACEHOLDER.finditer(text):
        name = found["name"]
        if name not in FACTS and name not in scope.thresholds and scope.complete:
            known = [*FACTS, *scope.thresholds]
            scope.findings.unknown(
                node.at, "placeholder", name, known, ": it is neither a fact nor a threshold"
            )
    if {"{", "}"} & set(PLACEHOLDER.sub("", text)):
        scope.findings.add(node.at, f"{what} has a brace without its partner")
    return text


def _severity(node: Node | None, scope: Scope) -> Severity | None:
    name = shapes.text(node, "'severity'", _LONGEST_WORD, scope.findings) if node else None
    if node is None or name is None:
        return None
    if name not in list(Severity):
        otherwise = f"; it is {', '.join(Severity)}"
        scope.findings.unknown(node.at, "severity", name, list(Severity), otherwise)
        return None
    return Severity(name)


def _days(node: Node | None, what: str, scope: Scope) -> int:
    """A hold: whole days, none if it is not given."""
    text = shapes.text(node, what, _LONGEST_WORD, scope.findings) if node else None
    if node is None or text is None:
        return 0
    found = quantity(text)
    wrong = complaint(what, Unit.DAYS, text)
    if found and not wrong and (found[0] == NEVER or not 0 <= found[0] <= _LONGEST_HOLD):
        wrong = f"{what} is 0 to {_LONGEST_HOLD} days, not {quoted(text)}"
    if wrong or not found:
        scope.findings.add(node.at, wrong or "")
        return 0
    return int(found[0])
