"""Picking values out of messages: the ways to them, and conditions on what they lead to."""

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import jsonpath

from worker.core.forms import as_text, filtered

PATH = re.compile(r"\$(\.[^\W\d](?:[\w -]*[\w-])?|\['[^'\\\[\]]+'\]|\[\d{1,4}\]|\[\*\])*")
"""The paths that are read: names, places in a list, and all of a list."""

STEP = re.compile(r"\.([^\W\d](?:[\w -]*[\w-])?)|\['([^'\\\[\]]+)'\]")
"""A name in such a path, as it may be written."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One way to a value: a path into the message with what is done to it, or the value itself.

    With `beside`, the texts of several paths with a space between them.
    """

    path: str | None = None
    constant: Any = None
    filters: tuple[str, ...] = ()
    beside: "Pick | None" = None

    @property
    def column(self) -> str | None:
        """The name that its path begins with, None for what is no path or begins otherwise."""
        step = STEP.match(self.path, 1) if self.path else None
        return (step[1] or step[2]) if step else None

    def of(self, message: Any) -> Any:
        """The value, None if it is not there. A path with `[*]` gives a list."""
        if self.path is None:
            return self.constant
        if self.beside is not None:
            both = (replace(self, beside=None).of(message), self.beside.of(message))
            return " ".join(str(as_text(one)) for one in both if one is not None) or None
        names = _names(self.path)
        if names is not None:  # names alone need no library, and are looked up ten times as fast
            return self._filtered(_at(names, message))
        if not isinstance(message, dict | list):
            return None  # of which the library would read a text as JSON
        found = map(self._filtered, _compiled(self.path).findall(message))
        values = [one for one in found if one is not None]
        if "[*]" in self.path:
            return values or None
        return values[0] if values else None

    def _filtered(self, value: Any) -> Any:
        return None if value is None or value == "" else filtered(value, self.filters)


Value = tuple[Pick, ...]
"""Ways to a value, of which the first that leads to one counts."""


Condition = tuple[tuple[Pick, tuple[str, ...]], ...]
"""Ways with the texts that each may lead to, in which `*` stands for anything."""


def first(value: Value, message: Any) -> Any:
    """What the first of the ways leads to, None if none does."""
    for pick in value:
        found = pick.of(message)
        if found is not None:
            return found
    return None


def holds(condition: Condition, message: Any) -> bool:
    """Whether every way leads to one of its texts."""
    return all(_matches(pick.of(message), words) for pick, words in condition)


def _matches(found: Any, words: tuple[str, ...]) -> bool:
    if found is None:
        return "" in words or "*" in words
    values = found if isinstance(found, list) else [found]
    texts = [str(as_text(one)) for one in values]
    return any(fnmatchcase(text, word) for text in texts for word in words)


def _at(names: tuple[str, ...], message: Any) -> Any:
    for name in names:
        if not isinstance(message, dict):
            return None
        message = message.get(name)
    return message


@lru_cache(maxsize=1_000)
def _compiled(path: str) -> Any:
    return jsonpath.compile(STEP.sub(lambda step: f"['{step[1] or step[2]}']", path))


@lru_cache(maxsize=1_000)
def _names(path: str) -> tuple[str, ...] | None:
    """The names that a path consists of, None if there is more in it."""
    steps = STEP.findall(path)
    return tuple(plain or odd for plain, odd in steps) if STEP.sub("", path) == "$" else None
