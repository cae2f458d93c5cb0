"""YAML text as a tree of plain texts, lists and mappings that know where they stand.

Built from the parser's events, not by ruamel's own loaders: those stop at the first duplicate key,
turn `2026-01-05` into a date, and build whatever a tag or a pile of aliases asks for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from worker.rulefiles.problems import Findings, Place, quoted

MOST_NODES = 10_000
DEEPEST = 20
LONGEST_LINE = 10_000

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_INDENTING_TAB = re.compile(r" *\t")
_BRACKETS_FIRST = re.compile(r"(?P<before> *(?:- +)?[\w-]+: +)(?:\{[^{}]*\}|\[[^\[\]]*\]) *[^\s#]")
_MOST_TABS = 50


@dataclass(frozen=True, slots=True)
class Text:
    """A single value; `folded` if it is a block that starts with | or >."""

    at: Place
    text: str
    quoted: bool = False
    folded: bool = False


@dataclass(frozen=True, slots=True)
class List:
    """A list of nodes."""

    at: Place
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Keys and their values in order, a key that stands twice included."""

    at: Place
    pairs: tuple[tuple["Node", "Node"], ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A node that has been reported already."""

    at: Place


Node = Text | List | Table | Refused


class _Stop(Exception):
    """The rest of the file cannot be read."""


def parse(text: str, file: str, findings: Findings) -> Node | None:
    """The tree of the one document in a YAML text, None if it has none.

    A text that cannot be read is a refused node, and `findings` says why.
    """
    refused = Refused(Place(file))
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LONGEST_LINE:
            message = f"a line of more than {LONGEST_LINE:,} characters"
            findings.add(Place(file, number, LONGEST_LINE + 1), message)
            return refused
    composer = _Composer(text, file, findings)
    try:
        return composer.document()
    except _Stop:
        return refused
    except MarkedYAMLError as error:
        for at, message in _explained(error, text, file):
            findings.add(at, message)
    except ReaderError as error:
        findings.add(_place_in(text, error.position, file), "a character that YAML does not allow")
    except (YAMLError, ValueError, OverflowError):
        # An escape such as "\UFFFFFFFF" ends in what Python raises for it, without a place: it is
        # after the last thing that could be read.
        findings.add(composer.last, "not valid YAML after this point")
    return refused


class _Composer:
    """Builds the tree, one event after the other."""

    def __init__(self, text: str, file: str, findings: Findings) -> None:
        self._events: Iterator[Event] = YAML(typ="safe", pure=True).parse(text)
        self._source = text
        self._lone: set[Place] = set()  # keys in braces that have no colon
        self._file = file
        self._findings = findings
        self._nodes = 0
        self.last = Place(file)

    def document(self) -> Node | None:
        tree = None
        for event in self._events:
            if isinstance(event, NodeEvent):
                tree = self._node(event, 1)
            elif isinstance(event, DocumentStartEvent) and tree is not None:
                message = "a second document: a rule file holds one, so no line may be just '---'"
                self._findings.add(self._place(event), message)
                break
        return tree

    def _node(self, event: Event, depth: int) -> Node:
        at = self._place(event)
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._stop(at, f"more than {MOST_NODES:,} values: split the file")
        if depth > DEEPEST:
            self._stop(at, f"nested more than {DEEPEST} deep")
        if isinstance(event, AliasEvent):
            self._findings.add(at, "YAML aliases (*name) are not allowed: write the value out")
            return Refused(at)
        if getattr(event, "anchor", None) is not None:
            self._findings.add(at, "YAML anchors (&name) are not allowed: write the value out")
        if getattr(event, "tag", None) is not None:
            message = "YAML tags (!name) are not allowed; quote a text that starts with !"
            self._findings.add(at, message)
        if isinstance(event, ScalarEvent):
            return self._text(event, at)
        if isinstance(event, SequenceStartEvent):
            return List(at, tuple(self._items(depth)))
        return self._whole(Table(at, tuple(self._pairs(depth))))

    def _whole(self, found: Table) -> Node:
        """The mapping, unless a comma in one of its texts has been taken for that one's end."""
        for (_, before), (key, _) in pairwise(found.pairs):
            if not isinstance(before, Text) or not isinstance(key, Text):
                continue
            if key.at in self._lone and not before.quoted:
                comma = before.at.column + len(before.text)
                text = f"{before.text},{' ' * (key.at.column - comma - 1)}{key.text}"
                message = (
                    f"inside {{ }} a comma ends a value: put {quoted(text)} in quotes, or on a "
                    "line of its own without { }"
                )
                self._findings.add(before.at, message)
                return Refused(found.at)
        return found

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _pairs(self, depth: int) -> Iterator[tuple[Node, Node]]:
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(after := next(self._events), depth + 1)
            # An empty value has no place of its own: the parser gives that of what comes next.
            nothing = isinstance(value, Text) and not value.text and not value.quoted
            if nothing and ":" not in self._source[event.end_mark.index : after.start_mark.index]:
                self._lone.add(key.at)
            yield key, Text(key.at, "") if nothing else value

    def _text(self, event: ScalarEvent, at: Place) -> Node:
        if _UNPRINTABLE.search(event.value):
            self._findings.add(at, "a text with an unprintable character")
            return Refused(at)
        folded = event.style in ("|", ">")
        return Text(at, event.value, quoted=event.style is not None and not folded, folded=folded)

    def _place(self, event: Event) -> Place:
        mark = event.start_mark
        self.last = Place(self._file, mark.line + 1, mark.column + 1)
        return self.last

    def _stop(self, at: Place, message: str) -> None:
        self._findings.add(at, message)
        raise _Stop


def _place_in(text: str, position: int, file: str) -> Place:
    before = text[:position]
    return Place(file, before.count("\n") + 1, position - before.rfind("\n"))


def _explained(error: MarkedYAMLError, text: str, file: str) -> list[tuple[Place, str]]:
    """Where the parser stumbled, and what the writer can do about it."""
    here = _at(error.problem_mark or error.context_mark, file)
    lines = text.splitlines()
    line = lines[here.line - 1] if here.line <= len(lines) else ""
    if _INDENTING_TAB.match(line):
        # Whoever indents with tabs does so throughout.
        tabs = [
            (Place(file, number, tab.end()), "a tab: indent with spaces")
            for number, each in enumerate(lines, 1)
            if number >= here.line and (tab := _INDENTING_TAB.match(each))
        ]
        return tabs[:_MOST_TABS]
    if brackets := _BRACKETS_FIRST.match(line):
        at = Place(file, here.line, brackets.end("before") + 1)
        return [(at, "quote a text that starts with { or [")]
    return [_stumbled(error, here, file)]


def _stumbled(error: MarkedYAMLError, here: Place, file: str) -> tuple[Place, str]:
    problem, context = error.problem or "", error.context or ""
    start = _at(error.context_mark or error.problem_mark, file)
    if "'\\t'" in problem:
        return here, "a tab: use a space"
    if "block scalar" in context:
        return start, 'quote a text that starts with > or |, such as ">= 70%"'
    if "quoted scalar" in context and "unexpected end" in problem:
        return start, "this quote is never closed"
    if "mapping values are not allowed" in problem:
        return here, "a ':' where none can be: quote a text that has one, and check the indentation"
    if "expected ':'" in problem:
        return start, "a key without its ':'"
    if "flow" in context and "expected ','" in problem:
        return here, f"a comma or a closing bracket is missing; it opens in line {start.line}"
    if "cannot start any token" in problem or "expected the node content" in problem:
        return here, "a value cannot start with this character: quote it"
    if "sequence entries" in problem:
        return here, "a list must start on a line of its own"
    if "<block end>" in problem or "<document start>" in problem:
        return here, "this does not fit what is above it: check the indentation and the quotes"
    return here, f"not valid YAML: {problem}"


def _at(mark: StringMark | None, file: str) -> Place:
    return Place(file) if mark is None else Place(file, mark.line + 1, mark.column + 1)
