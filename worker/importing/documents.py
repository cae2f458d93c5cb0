"""JSON files: an object a line, or a document with a list of objects in it."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import ijson
import msgspec

from worker.core.mapping import plain
from worker.core.problems import as_json, json_problem
from worker.importing.records import BreaksOff, Record, Records, Spoilt, Unreadable
from worker.importing.texts import CHUNK, TROUBLE, encoding_of, opened

LOOKED_AT = 100
"""Objects whose keys say what the columns are: JSON leaves out what is not there."""

_PROPERTIES = "properties"
"""Where HubSpot has the fields of a record; they count as the record's own."""


def read(path: Path, held: ExitStack) -> Records:
    """The objects of a JSON file, which stays open for as long as `held`.

    In a document they have numbers instead of lines. Raises Unreadable. Reading the rows raises
    BreaksOff.
    """
    if encoding_of(path).name not in ("utf-8", "utf-8-sig"):
        raise Unreadable("is JSON, and no UTF-8: save it in that encoding")
    content, raw = opened(path, held)
    one_a_line = _is_one_a_line(content)
    values = _lines(content) if one_a_line else _items(content)
    try:
        begin = list(islice(values, LOOKED_AT))
    except BreaksOff as error:
        raise Unreadable(f"is no JSON that can be read: {error}") from error
    if not begin:
        raise Unreadable("holds no list of objects, or an empty one")
    objects = (value for _, value in begin if isinstance(value, dict))
    names = {plain(name): name for one in objects for name in _flat(one)}
    rows = (_record(line, value) for line, value in chain(begin, values))
    return Records(names, rows, raw.tell, numbered=not one_a_line)


def _is_one_a_line(content: IO[bytes]) -> bool:
    """Whether the first line is an object, and another line comes after it."""
    first = content.readline(CHUNK)
    others = any(map(bytes.strip, iter(lambda: content.readline(CHUNK), b"")))
    content.seek(0)
    return others and isinstance(_value_of(first.removeprefix(BOM_UTF8)), dict)


def _lines(content: IO[bytes]) -> Iterator[tuple[int, Any]]:
    """(line, value) of each line that is not blank; text for what is no JSON."""
    line = 0
    try:
        for line, text in enumerate(content, 1):
            bare = text.removeprefix(BOM_UTF8).strip()
            if bare:
                yield line, _value_of(bare)
    except TROUBLE as error:
        raise BreaksOff(line + 1, str(error)) from error


def _items(content: IO[bytes]) -> Iterator[tuple[int, Any]]:
    """(number, value) of each value in the first list of a document; the document if it has none.

    Only one of them is in memory at a time.
    """
    number = 0
    try:
        where = _first_list(content)
        _rewind(content)
        for number, value in enumerate(ijson.items(content, where, use_float=True), 1):
            yield number, value
    except ijson.JSONError as error:
        raise BreaksOff(number + 1, f"not valid JSON: {str(error).strip()}") from error
    except (*TROUBLE, ValueError) as error:
        raise BreaksOff(number + 1, str(error)) from error


def _first_list(content: IO[bytes]) -> str:
    _rewind(content)
    for prefix, event, _ in ijson.parse(content):
        if event == "start_array" and "." not in prefix:
            return f"{prefix}.item" if prefix else "item"
    return ""


def _rewind(content: IO[bytes]) -> None:
    content.seek(0)
    if content.read(len(BOM_UTF8)) != BOM_UTF8:
        content.seek(0)


def _value_of(line: bytes) -> Any:
    for decode in (msgspec.json.decode, json.loads):  # the second one takes half surrogate pairs
        try:
            return decode(line)
        except (ValueError, RecursionError):
            continue
    return line.decode("utf-8", "backslashreplace")


def _record(line: int, value: Any) -> Record | Spoilt:
    if isinstance(value, dict):
        return Record(line, {plain(name): one for name, one in _flat(value).items()})
    if isinstance(value, str):
        return Spoilt(line, json_problem(value), value)
    return Spoilt(line, f"a record is a JSON object, not {as_json(value)[:60]}", as_json(value))


def _flat(value: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = value.get(_PROPERTIES)
    return {**value, **inner} if isinstance(inner, dict) else value
