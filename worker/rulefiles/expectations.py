"""What a rule test expects to be up on a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from worker.core.flags import HEARD_OF, State
from worker.core.rules import Mode, Severity
from worker.rulefiles import shapes
from worker.rulefiles.happenings import LONGEST_WORD, date_of
from worker.rulefiles.nodes import Node, Table, Text
from worker.rulefiles.problems import Findings, Place, quoted

FLAG_LISTS = {"flags": Mode.LIVE, "shadow": Mode.SHADOW}
"""The keys under which an expectation lists flags, by the mode of their rules."""

EXPECTATION_KEYS = ("day", *FLAG_LISTS)
FLAG_KEYS = ("state", "severity", "title")
STATES = (State.PENDING, *sorted(HEARD_OF))

_IN_MODE = {Mode.LIVE: "live", Mode.SHADOW: "in shadow"}


@dataclass(frozen=True, slots=True)
class Expected:
    """What a flag should be like; what is None is not looked at."""

    state: State | None = None
    severity: Severity | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What should be up after the sweep of a day.

    `flags` has for each mode that is looked at all flags of its rules, by the id of their rule.
    """

    at: Place
    on: date
    flags: Mapping[Mode, Mapping[str, Expected]]


def expectation(node: Node, rules: Mapping[str, Mode], findings: Findings) -> Expectation | None:
    """One item of `expect`, which may name these rules; what is wrong goes to `findings`."""
    found = shapes.fields(node, "an expectation", EXPECTATION_KEYS, findings)
    values = {key: value for key, (_, value) in found.items()}
    if not isinstance(node, Table):
        return None
    lists = [key for key in FLAG_LISTS if key in values]
    if "day" not in values or not lists:
        findings.add(node.at, "an expectation has a 'day', and 'flags': [] if none should be up")
        return None
    text = shapes.text(values["day"], "'day'", LONGEST_WORD, findings)
    day = None if text is None else date_of(text, values["day"].at, findings)
    flags = {FLAG_LISTS[key]: _flags(key, values[key], rules, findings) for key in lists}
    return None if day is None else Expectation(node.at, day, flags)


def _flags(
    under: str, node: Node, rules: Mapping[str, Mode], findings: Findings
) -> dict[str, Expected]:
    """The flags of a list of ids, or of a mapping of ids to what each should be like."""
    if shapes.is_blank(node):
        return {}
    expected = {}
    if isinstance(node, Table):
        for key, value in shapes.table(node, quoted(under), findings):
            if _is_rule(key, under, rules, findings):
                expected[key.text] = _expected(value, findings)
        return expected
    for item in shapes.items(node, quoted(under), findings):
        if not isinstance(item, Text):
            shapes.complain(item, "an item of this list is the id of a rule", findings)
        elif _is_rule(item, under, rules, findings):
            expected[item.text] = Expected()
    return expected


def _is_rule(node: Text, under: str, rules: Mapping[str, Mode], findings: Findings) -> bool:
    mode = rules.get(node.text)
    if mode is None:
        findings.unknown(node.at, "rule", node.text, sorted(rules), ": no rule in force has it")
    elif mode is not FLAG_LISTS[under]:
        right = next(key for key, listed in FLAG_LISTS.items() if listed is mode)
        message = f"rule {quoted(node.text)} is {_IN_MODE[mode]}: expect it under {quoted(right)}"
        findings.add(node.at, message)
    return mode is FLAG_LISTS[under]


def _expected(node: Node, findings: Findings) -> Expected:
    if shapes.is_blank(node):
        return Expected()
    found = shapes.fields(node, "a flag", FLAG_KEYS, findings)
    given = {
        key: text
        for key, (_, value) in found.items()
        if (text := shapes.text(value, quoted(key), LONGEST_WORD, findings)) is not None
    }
    for key, known in (("state", STATES), ("severity", tuple(Severity))):
        if key in given and given[key] not in known:
            otherwise = f"; it is {', '.join(known)}"
            findings.unknown(found[key][1].at, key, given.pop(key), list(known), otherwise)
    return Expected(
        State(given["state"]) if "state" in given else None,
        Severity(given["severity"]) if "severity" in given else None,
        given.get("title"),
    )
