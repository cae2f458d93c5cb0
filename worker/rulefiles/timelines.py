"""Rule tests as they stand in `rules/tests/*.yaml`: timelines of events, and what is then open."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from worker.core.events import FIELDS, TYPES, Event, parse
from worker.core.flags import HEARD_OF, State
from worker.core.freshness import NO_SOURCES, Silence, Source, Sources
from worker.core.rules import Mode, Severity
from worker.core.units import YEARS
from worker.rulefiles import shapes
from worker.rulefiles.files import read
from worker.rulefiles.nodes import List, Node, Refused, Table, Text
from worker.rulefiles.problems import Findings, Place, quoted
from worker.rulefiles.values import days_within

KEYS = ("test", "account", "contacts", "reps", "stale", "events", "expect")
FLAG_LISTS = {"flags": Mode.LIVE, "shadow": Mode.SHADOW}
"""The keys under which an expectation lists flags, by the mode of their rules."""

EXPECTATION_KEYS = ("day", *FLAG_LISTS)
FLAG_KEYS = ("state", "severity", "title")
STATES = (State.PENDING, *sorted(HEARD_OF))
MOST_EVENTS = 10_000
LONGEST_DAYS = 3_660

_MAIN_FIELDS = {
    "interaction": "channel",
    "usage": "feature",
    "subscription": "status",
    "survey": "kind",
    "ticket": "status",
    "outcome": "goal",
    "contact": "contact",
    "rep": "rep",
    "account": "id",
}
"""The types of events by the field that stands beside the type in a test."""

_IN_MODE = {Mode.LIVE: "live", Mode.SHADOW: "in shadow"}
_NAMED_BY_ID = ("subscription", "ticket")
_ACCOUNT = "account"
_LONGEST_NAME = 200
_LONGEST_WORD = 400
_CLOSE = 0.75
_NUMBER = re.compile(r"[-+]?[0-9]{1,15}(\.[0-9]{1,6})?")
_RANGE = re.compile(r"(\S+?) ?\.\. ?(\S+)")


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


@dataclass(frozen=True, slots=True)
class Timeline:
    """One rule test: the events of an account by their UTC day, and what is then expected."""

    at: Place
    name: str
    account: str
    events: Mapping[date, Sequence[Event]]
    expectations: tuple[Expectation, ...]
    stale: Mapping[date, tuple[Source, ...]] = field(default_factory=dict)

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
    about = _plain_fields(values.get("account"), "'account'", "account", findings)
    account = str(about.pop("id", None) or _ACCOUNT)
    happening = _items(values.get("events"), "'events'", findings)
    changes = [item for item in happening if _is_of_sources(item)]
    dated = [
        pair
        for item in happening
        if item not in changes
        for pair in _happenings(item, account, findings)
    ]
    expected = [
        one
        for item in _items(values["expect"], "'expect'", findings)
        if (one := _expectation(item, known.rules, findings)) is not None
    ]
    if name is None or not expected:
        return None
    days = [day for day, _, _, _ in dated]
    first = min(days, default=min(one.on for one in expected))
    who = list(_introductions(values, about, first, findings))
    events: dict[date, list[Event]] = defaultdict(list)
    for event in _events(who, dated, account, findings):
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
    return dict.fromkeys(_days(found["day"][1], None, findings)[:1], stale)


def _sources(node: Node, sources: Sources, findings: Findings) -> tuple[Source, ...]:
    """The sources of a list, which sources.yaml must have."""
    found = []
    for item in _items(node, "'stale'", findings):
        name = shapes.text(item, "a source", _LONGEST_WORD, findings)
        if name is not None and name not in sources:
            findings.unknown(item.at, "source", name, list(sources), ": sources.yaml has none so")
        elif name is not None:
            found.append(sources[name])
    return tuple(found)


Happening = tuple[date, Place, str, dict[str, Any]]
"""(day, where it stands, type, data) of an event to be."""


def _introductions(
    values: Mapping[str, Node], about: dict[str, Any], first: date, findings: Findings
) -> Iterator[Happening]:
    """Who is who before anything happens."""
    if about:
        yield first, values["account"].at, "account", about
    for section, type_ in (("reps", "rep"), ("contacts", "contact")):
        for item in _items(values.get(section), quoted(section), findings):
            what = f"an item of {section!r}"
            yield first, item.at, type_, _plain_fields(item, what, type_, findings)


def _happenings(node: Node, account: str, findings: Findings) -> Iterator[Happening]:
    """The events that one item says, as often as it says."""
    pairs = list(shapes.table(node, "an event", findings))
    rest = [(key, value) for key, value in pairs if key.text not in ("day", "every")]
    when = {key.text: value for key, value in pairs if key.text in ("day", "every")}
    if "day" not in when:
        if isinstance(node, Table):
            findings.add(node.at, "the event has no 'day'")
        return
    days = _days(when["day"], when.get("every"), findings)
    if not rest:
        findings.add(node.at, f"the event has no type, such as {', '.join(_MAIN_FIELDS)}")
        return
    (type_, main), *more = rest
    field = _MAIN_FIELDS.get(type_.text)
    if field is None:
        known = f"; after 'day' and 'every' comes one of {', '.join(_MAIN_FIELDS)}"
        findings.unknown(type_.at, "event type", type_.text, list(_MAIN_FIELDS), known)
        return
    _note_misspelt(more, type_.text, findings)
    data = {key.text: _plain(value) for key, value in more}
    if type_.text in _NAMED_BY_ID:
        data[type_.text] = str(data.pop("id", 1))
    value = _plain(main)
    if type_.text == "account":
        if value not in (None, account):
            findings.add(main.at, f"the account of this test is {quoted(account)}")
    elif value is not None:
        data[field] = str(value) if field in ("contact", "rep", "goal") else value
    for day in days:
        yield day, node.at, type_.text, dict(data)


def _days(node: Node, every: Node | None, findings: Findings) -> list[date]:
    """The days of an event: one, or all of `A..B`, both ends in, `every` so many days."""
    text = shapes.text(node, "'day'", _LONGEST_WORD, findings)
    step = _step(every, findings)
    if text is None:
        return []
    ends = _RANGE.fullmatch(text)
    if ends is None:
        if every is not None:
            findings.add(every.at, "'every' goes with a 'day' such as 2026-01-05..2026-02-16")
        day = _date(text, node.at, findings)
        return [] if day is None else [day]
    first, last = (_date(end, node.at, findings) for end in ends.groups())
    if first is None or last is None:
        return []
    if last < first:
        findings.add(node.at, f"this range is reversed: it goes from {first} to {last}")
    number = (last - first).days // step + 1
    if number > MOST_EVENTS:
        findings.add(node.at, f"more than {MOST_EVENTS:,} days")
        return []
    return [first + timedelta(days=step * n) for n in range(number)]


def _step(node: Node | None, findings: Findings) -> int:
    if node is None:
        return 1
    return days_within(node, "'every'", 1, LONGEST_DAYS, _LONGEST_WORD, findings) or 1


def _date(text: str, at: Place, findings: Findings) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        findings.add(at, f"{quoted(text)} is not a date: write it like 2026-03-31")
        return None
    if day.year not in YEARS:
        findings.add(at, f"{text} is too far away")
        return None
    return day


def _events(
    known: Sequence[Happening], dated: Sequence[Happening], account: str, findings: Findings
) -> Iterator[Event]:
    """The events, numbered in the order of the file: who is who at 00:00, the others at noon."""
    for number, (day, at, type_, data) in enumerate([*known, *dated]):
        hour = 0 if number < len(known) else 12
        raw = {
            "id": f"{number:06}",
            "source": "rule-test",
            "type": type_,
            "subject": account,
            "time": datetime.combine(day, time(hour), UTC).isoformat(),
            "data": data,
        }
        event = parse(raw, datetime.combine(day, time(23), UTC))
        if isinstance(event, Event):
            yield event
        else:
            findings.add(at, f"this is no {type_} event: {'; '.join(event.problems)}")


def _expectation(node: Node, rules: Mapping[str, Mode], findings: Findings) -> Expectation | None:
    found = shapes.fields(node, "an expectation", EXPECTATION_KEYS, findings)
    values = {key: value for key, (_, value) in found.items()}
    if not isinstance(node, Table):
        return None
    lists = [key for key in FLAG_LISTS if key in values]
    if "day" not in values or not lists:
        findings.add(node.at, "an expectation has a 'day', and 'flags': [] if none should be up")
        return None
    text = shapes.text(values["day"], "'day'", _LONGEST_WORD, findings)
    day = None if text is None else _date(text, values["day"].at, findings)
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
        if (text := shapes.text(value, quoted(key), _LONGEST_WORD, findings)) is not None
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


def _items(node: Node | None, what: str, findings: Findings) -> tuple[Node, ...]:
    if node is None or shapes.is_blank(node):
        return ()
    return shapes.items(node, what, findings)


def _plain_fields(node: Node | None, what: str, type_: str, findings: Findings) -> dict[str, Any]:
    if node is None:
        return {}
    pairs = list(shapes.table(node, what, findings))
    _note_misspelt(pairs, type_, findings)
    return {key.text: _plain(value) for key, value in pairs}


def _note_misspelt(pairs: Sequence[tuple[Text, Node]], type_: str, findings: Findings) -> None:
    """Note keys that look like one that an event of the type has: as unknown ones, which an event
    may have, they would do nothing."""
    known = FIELDS[type_] | {"id"}
    for key, _ in pairs:
        if key.text not in known and (meant := findings.nearest(key.text, sorted(known), _CLOSE)):
            findings.add(key.at, f"unknown key {quoted(key.text)}; did you mean {quoted(meant)}?")


def _plain(node: Node) -> Any:
    """What YAML takes a value for, but a date, which stays a text."""
    match node:
        case List(items=items):
            return [_plain(item) for item in items]
        case Table(pairs=pairs):
            return {key.text: _plain(value) for key, value in pairs if isinstance(key, Text)}
        case Text(text=text, quoted=False, folded=False):
            if text in ("", "~", "null"):
                return None
            if text in ("true", "false"):
                return text == "true"
            if _NUMBER.fullmatch(text):
                return float(text) if "." in text else int(text)
            return text
        case Text(text=text):
            return text
        case _:
            return None
