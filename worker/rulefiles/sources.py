"""`sources.yaml`: the sources of events that matter, and how long each may normally be silent."""

from pathlib import Path

from worker.core.contents import TYPES
from worker.core.freshness import Source, Sources
from worker.rulefiles import shapes
from worker.rulefiles.files import SOURCES, read
from worker.rulefiles.nodes import Node, Table, Text
from worker.rulefiles.problems import Findings, quoted
from worker.rulefiles.values import days_within

KEYS = ("sources",)
SOURCE_KEYS = ("gap", "events")
LONGEST_GAP = 366
LONGEST_NAME = 300
"""Characters of a source's name, as in events."""

_LONGEST_WORD = 60


def load_sources(root: Path) -> Sources:
    """The sources of a rules directory that matter; none without the file.

    Raises RuleFilesRefused, with every problem, if its sources.yaml is wrong.
    """
    findings = Findings()
    found = read_sources(root / SOURCES, findings)
    findings.require_none()
    return found


def read_sources(file: Path, findings: Findings) -> Sources:
    """The sources of one file: those that are right, none where it is missing."""
    tree = read(file, findings) if file.is_file() else None
    if tree is None:
        return {}
    _, listed = shapes.fields(tree, "a sources file", KEYS, findings).get("sources", (None, None))
    if listed is None or shapes.is_blank(listed):
        return {}
    found = {}
    for key, node in shapes.table(listed, "'sources'", findings):
        if len(key.text) > LONGEST_NAME or not key.text:
            findings.add(key.at, f"a source has a name of 1 to {LONGEST_NAME} characters")
        elif (source := _source(key, node, findings)) is not None:
            found[key.text] = source
    return dict(sorted(found.items()))


def _source(key: Text, node: Node, findings: Findings) -> Source | None:
    """`mail: 3 days`, or a table that also says which events it is judged by."""
    if not isinstance(node, Table):
        gap = _gap(node, findings)
        return None if gap is None else Source(key.text, gap)
    given = shapes.fields(node, "a source", SOURCE_KEYS, findings)
    if "gap" not in given:
        findings.add(key.at, f"source {quoted(key.text)} has no 'gap', such as 3 days")
        return None
    gap = _gap(given["gap"][1], findings)
    events = _events(given["events"][1], findings) if "events" in given else ()
    return None if gap is None else Source(key.text, gap, events)


def _gap(node: Node, findings: Findings) -> int | None:
    return days_within(node, "'gap'", 1, LONGEST_GAP, _LONGEST_WORD, findings)


def _events(node: Node, findings: Findings) -> tuple[str, ...]:
    found = []
    for item in shapes.one_or_more(node, "'events'", len(TYPES), findings):
        text = shapes.text(item, "an event type", _LONGEST_WORD, findings)
        if text is not None and text not in TYPES:
            findings.unknown(item.at, "event type", text, TYPES, f"; it is {', '.join(TYPES)}")
        elif text is not None:
            found.append(text)
    return tuple(sorted(set(found)))
