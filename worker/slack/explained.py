"""A rule's conditions as lines with their outcomes: the answer to Why?."""

from collections.abc import Iterator

from worker.core.explanation import Explained, Group, Kind
from worker.slack.phrases import line

MOST_LINES = 40

_OUTCOMES = {True: "✔️", False: "✖️", None: "❔"}
_GROUPS = {Kind.ALL: "all of these:", Kind.ANY: "at least one of these:", Kind.NOT: "not:"}

# Slack drops spaces at the start of a line, but not these.
_INDENT = "\u2003"


def conditions(tree: Explained, most: int = MOST_LINES) -> list[str]:
    """The conditions from the top, each with a sign for whether it holds, parts further in."""
    told = list(_lines(tree, 0))
    return told if len(told) <= most else [*told[:most], f"and {len(told) - most} more"]


def _lines(tree: Explained, depth: int) -> Iterator[str]:
    yield f"{_INDENT * min(depth, 5)}{_OUTCOMES[tree.outcome]} {_words(tree)}"
    if isinstance(tree, Group):
        for part in tree.parts:
            yield from _lines(part, depth + 1)


def _words(tree: Explained) -> str:
    if isinstance(tree, Group):
        return _GROUPS[tree.kind]
    because = f", not known: {tree.unknown_because}" if tree.unknown_because else ""
    return line(tree.words + because)
