"""Reads a message's body, whatever the events in it hold."""

import json
import re
from typing import Any

import msgspec

MAX_DEPTH = 100
"""Levels that an event may nest: a worker that passes on deeper ones would end with an error."""

_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.S)
_EVENT_LEVEL = 4
"""In a message, `[[[event, ...]], {}, {}]`, an event is the fourth level."""


def loads(body: str | bytes) -> Any:
    """A message's body as plain JSON values, in which an event that nests too deeply is text.

    Kombu's own reader turns an object with a `__type__` key into something else, or refuses the
    whole message: an event may hold any key.

    Raises:
        ValueError: it is no JSON.
    """
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
    try:
        message = _decoded(raw)
        if not _is_deep(message, _EVENT_LEVEL + MAX_DEPTH):
            return message
    except RecursionError:
        pass
    return _decoded(_deep_events_as_text(raw))


def value_of(raw: bytes) -> Any:
    """One JSON value as plain Python ones; one that nests too deeply for an event is its text.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it nests too deeply to be read at all.
    """
    value = _decoded(raw)
    if not isinstance(value, list):
        return as_text_if_deep(value)
    if not _is_deep(value, MAX_DEPTH + 1):  # one look at all of them: there may be a million
        return value
    return [as_text_if_deep(one) for one in value]


def as_text_if_deep(value: Any) -> Any:
    """The value, or its JSON text if it nests deeper than an event may."""
    deep = isinstance(value, dict | list) and _is_deep(value, MAX_DEPTH)
    return json.dumps(value) if deep else value


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeError):  # NaN, half a surrogate pair: one event's problem
        return json.loads(raw)


def _is_deep(value: Any, levels: int) -> bool:
    """Whether lists and objects nest in more than so many levels."""
    level = [value]
    for _ in range(levels):  # level by level: one pass over a batch, not a call for each event
        inner = (one.values() if type(one) is dict else one for one in level)
        level = [each for values in inner for each in values if type(each) in (dict, list)]
        if not level:
            return False
    return True


def _deep_events_as_text(body: bytes) -> bytes:
    parts, done, depth, deepest, start = [], 0, 0, 0, 0
    for token in _TOKENS.finditer(body):
        if token[0] in b"[{":
            depth += 1
            deepest = max(deepest, depth)
            if depth == _EVENT_LEVEL:
                start, deepest = token.start(), depth
        elif token[0] in b"]}":
            if depth == _EVENT_LEVEL and deepest > _EVENT_LEVEL + MAX_DEPTH:
                text = body[start : token.end()].decode("utf-8", "backslashreplace")
                parts += [body[done:start], json.dumps(text).encode()]
                done = token.end()
            depth -= 1
    return b"".join([*parts, body[done:]])
