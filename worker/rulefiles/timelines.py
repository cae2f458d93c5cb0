"""Rule tests as they stand in `rules/tests/*.yaml`: timelines of events, and what is then open."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from worker.core.contents import TYPES
from worker.core.events import Event
from worker.core.freshness import NO_SOURCES, Silence, Source, Sources
from worker.core.rules import Mode
from worker.rulefiles import shapes
from worker.rulefiles.expectations import Expectation, expectation
from worker.rulefiles.files import read
from worker.rulefiles.happenings import (
    LONGEST_DAYS,
    LONGEST_WORD,
    days_of,
    events_of,
    happenings,
    introductions,
    items_of,
    plain_fields,
)
from worker.rulefiles.nodes import Node, Refused, Table, Text
from worker.rulefiles.problems import Findings, Place, quoted

KEYS = ("test", "account", "contacts", "reps", "stale", "events", "expect")

_ACCOUNT = "account"
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Timeline:
    """One rule test: the events of an account by their UTC day, and what is then expected."""

    at: Place
    name: str
    account: str
    events: Mapping[date, Sequence[Event]]
    expectations: tuple[Expectation, ...]
    stale: Mapping[date, tuple[Source, ...]] = field(default_factory=dict)

    def expects(self, rule: str) -> bool:
        """Whether a flag of the rule is expected on some day."""
        return any(rule in found for each in self.expectations for found in each.flags.values())

    def silences(self, on: date) -> list[Silence]:
        """The sources that are stale on a day: those of the last change up to then."""
        changes = [day for day in self.stale if day <= on]
        if not changes:
            return []
        since = max(changes)
        return [
            Silence(source.name, since, source.gap, frozenset(source.events or TYPES))
            for source in self.stale[since]
        ]


@dataclass(frozen=True, slots=True)
class _Known:
    """What a test may name: rules by id, and sources by name."""

    rules: Mapping[str, Mode]
    sources: Sources


def timelines(
    path: Path, rules: Mapping[str, Mode], findings: Findings, sources: Sources = NO_SOURCES
) -> list[Timeline]:
    """The tests of a file, or of all files of a folder; what is wrong in them goes to `findings`.

    `rules` are those that a test may expect, by id, `sources` those that it may declare stale.
    """
    files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    known = _Known(rules, sources)
    return [test for file in files for test in _tests_in(file, known, findings)]


def _tests_in(file: Path, known: _Known, findings: Findings) -> Iterator[Timeline]:
    tree = read(file, findings)
    if tree is None or isinstance(tree, Refused):
        return
    for node in shapes.items(tree, "a file of rule tests", findings):
        before = len(findings)
        test = _timeline(node, known, findings)
        if test is not None and len(findings) == before:
            yield test


def _timeline(node: Node, known: _Known, findings: Findings) -> Timeline | None:
    found = shapes.fields(node, "a rule test", KEYS, findings)
    values = {key: value for key, (_, value) in found.items()}
    for key in ("test", "expect"):
        if isinstance(node, Table) and key not in values:
            findings.add(node.at, f"the test has no {quoted(key)}")
    if "test" not in values or "expect" not in values:
        return None
    name = shapes.text(values["test"], "'test'", _LONGEST_NAME, findings)
    about = plain_fields(values.get("account"), "'account'", "account", findings)
    account = str(about.pop("id", None) or _ACCOUNT)
    happening = items_of(values.get("events"), "'events'", findings)
    changes = [item for item in happening if _is_of_sources(item)]
    dated = [
        pair
        for item in happening
        if item not in changes
        for pair in happenings(item, account, findings)
    ]
    expected = [
        one
        for item in items_of(values["expect"], "'expect'", findings)
        if (one := expectation(item, known.rules, findings)) is not None
    ]
    if name is None or not expected:
        return None
    days = [day for day, _, _, _ in dated]
    first = min(days, default=min(one.on for one in expected))
    who = list(introductions(values, about, first, findings))
    events: dict[date, list[Event]] = defaultdict(list)
    for event in events_of(who, dated, account, findings):
        events[event.time.date()].append(event)
    if (max([first, *days, *(one.on for one in expected)]) - first).days > LONGEST_DAYS:
        findings.add(node.at, f"a test of more than {LONGEST_DAYS:,} days")
        return None
    stale = {first: _sources(values["stale"], known.sources, findings)} if "stale" in values else {}
    for item in changes:
        stale |= _change_of_sources(item, known.sources, findings)
    return Timeline(node.at, name, account, events, tuple(expected), stale)


def _is_of_sources(node: Node) -> bool:
    return isinstance(node, Table) and any(
        isinstance(key, Text) and key.text == "stale" for key, _ in node.pairs
    )


def _change_of_sources(
    node: Node, sources: Sources, findings: Findings
) -> dict[date, tuple[Source, ...]]:
    """From which day on which sources are stale: `{day: 2026-02-01, stale: [mail]}`."""
    found = shapes.fields(node, "a change of sources", ("day", "stale"), findings)
    if "day" not in found:
        findings.add(node.at, "the change of sources has no 'day'")
        return {}
    stale = _sources(found["stale"][1], sources, findings)
    return dict.fromkeys(days_of(found["day"][1], None, findings)[:1], stale)


def _sources(node: Node, sources: Sources, findings: Findings) -> tuple[Source, ...]:
    """The sources of a list, which sources.yaml must have."""
    found = []
    for item in items_of(node, "'stale'", findings):
        name = shapes.text(item, "a source", LONGEST_WORD, findings)
        if name is not None and name not in sources:
            findings.unknown(item.at, "source", name, list(sources), ": sources.yaml has none so")
        elif name is not None:
            found.append(sources[name])
    return tuple(found)
