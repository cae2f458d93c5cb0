"""The values of a rule's keys: its words, its severity, its holds and the rest."""

import re

from worker.core.facts import FACTS
from worker.core.rules import LONGEST_LINK, PLACEHOLDER, Kind, Mode, Severity, is_link
from worker.core.units import Unit
from worker.rulefiles import shapes
from worker.rulefiles.nodes import List, Node
from worker.rulefiles.problems import Findings, quoted
from worker.rulefiles.quantities import complaint, quantity
from worker.rulefiles.thresholds import Scope

_LONGEST_WORD = 60
LONGEST_HOLD = 365
"""Days. A flag that waits longer than a year would miss the renewal that it is about."""
OFF = "off"
MODES = (*Mode, OFF)
"""What `mode` can be; a rule that is off never becomes one in force."""

_TAG = re.compile(r"[\w -]+")
_LONGEST_TAG = 40
_MOST_TAGS = 20


def words(node: Node | None, what: str, longest: int, scope: Scope) -> str | None:
    """A text whose placeholders name facts and thresholds."""
    text = shapes.text(node, what, longest, scope.findings) if node else None
    if node is None or text is None:
        return None
    for found in PLACEHOLDER.finditer(text):
        name = found["name"]
        scope.used.add(name)
        if not scope.fact(name) and name not in scope.thresholds and scope.complete:
            known = [*FACTS, *scope.own, *scope.thresholds]
            scope.findings.unknown(
                node.at, "placeholder", name, known, ": it is neither a fact nor a threshold"
            )
    if {"{", "}"} & set(PLACEHOLDER.sub("", text)):
        scope.findings.add(node.at, f"{what} has a brace without its partner")
    return text


def severity(node: Node | None, scope: Scope) -> Severity | None:
    """How much the rule matters; None if that is missing or wrong."""
    name = shapes.text(node, "'severity'", _LONGEST_WORD, scope.findings) if node else None
    if node is None or name is None:
        return None
    if name not in list(Severity):
        otherwise = f"; it is {', '.join(Severity)}"
        scope.findings.unknown(node.at, "severity", name, list(Severity), otherwise)
        return None
    return Severity(name)


def kind(node: Node | None, scope: Scope) -> Kind:
    """Risk unless the rule says otherwise."""
    name = shapes.text(node, "'kind'", _LONGEST_WORD, scope.findings) if node else Kind.RISK
    if node is None or name is None or name in list(Kind):
        return Kind(name or Kind.RISK)
    otherwise = f"; it is {', '.join(Kind)}"
    scope.findings.unknown(node.at, "kind", name, list(Kind), otherwise)
    return Kind.RISK


def mode(node: Node | None, scope: Scope) -> Mode | None:
    """Live unless the rule says otherwise; None if it is off."""
    if node is None:
        return Mode.LIVE
    name = shapes.text(node, "'mode'", _LONGEST_WORD, scope.findings)
    if name is not None and name not in MODES:
        otherwise = f"; it is {', '.join(MODES)}"
        scope.findings.unknown(node.at, "mode", name, MODES, otherwise)
    return None if name == OFF else Mode(name) if name in list(Mode) else Mode.LIVE


def days(node: Node | None, what: str, scope: Scope) -> int:
    """A hold: whole days, none if it is not given."""
    if node is None:
        return 0
    return days_within(node, what, 0, LONGEST_HOLD, _LONGEST_WORD, scope.findings) or 0


def reminder(node: Node | None, what: str, scope: Scope) -> int | None:
    """Whole days, at least one; None if it is not given."""
    if node is None:
        return None
    return days_within(node, what, 1, LONGEST_HOLD, _LONGEST_WORD, scope.findings)


def days_within(
    node: Node, what: str, least: int, most: int, longest: int, findings: Findings
) -> int | None:
    """A whole number of days, both bounds included, in at most `longest` characters."""
    text = shapes.text(node, what, longest, findings)
    if text is None:
        return None
    wrong = complaint(what, Unit.DAYS, text)
    number, _ = quantity(text) or (0, Unit.DAYS)
    if not wrong and not least <= number <= most:
        wrong = f"{what} is {least} to {most:,} days, not {quoted(text)}"
    if wrong:
        findings.add(node.at, wrong)
        return None
    return int(number)


def link(node: Node | None, what: str, scope: Scope) -> str | None:
    """An http or https link."""
    text = shapes.text(node, what, LONGEST_LINK, scope.findings) if node else None
    if node is None or text is None:
        return None
    if not is_link(text):
        message = (
            f"{what} is a link such as 'https://wiki.example.com/renewals', not {quoted(text)}"
        )
        scope.findings.add(node.at, f"{message}; write a space as %20")
        return None
    return text


def tags(node: Node | None, scope: Scope) -> tuple[str, ...]:
    """The tags in a list, or the one that stands alone; sorted, as their order means nothing."""
    return () if node is None else tags_in(node, "'tags'", scope.findings)


def tags_in(node: Node, key: str, findings: Findings) -> tuple[str, ...]:
    """The tags in a list, or the one that stands alone, of any file."""
    what = "a tag" if isinstance(node, List) else key
    found: set[str] = set()
    for item in shapes.one_or_more(node, key, _MOST_TAGS, findings):
        text = shapes.text(item, what, _LONGEST_TAG, findings)
        if text is None:
            continue
        tag = " ".join(text.split())
        if not _TAG.fullmatch(tag):
            message = f"{quoted(tag)} cannot be a tag: use letters, digits, '-', '_' and spaces"
            findings.add(item.at, message)
        elif tag in found:
            findings.add(item.at, f"the tag {quoted(tag)} is here twice")
        found.add(tag)
    return tuple(sorted(found))


def truth(node: Node | None, what: str, scope: Scope) -> bool | None:
    """Whether it says `true`: not if it is not given, and None if it says neither."""
    if node is None:
        return False
    text = shapes.text(node, what, _LONGEST_WORD, scope.findings)
    if text is not None and text not in ("true", "false"):
        scope.findings.add(node.at, f"{what} is true or false, not {quoted(text)}")
        return None
    return None if text is None else text == "true"
