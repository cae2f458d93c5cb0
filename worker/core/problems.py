"""What is wrong with a value, in words: what it should have been, and what it is."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct


def whole(value: object) -> object:
    """A whole number written as a fraction, as spreadsheets do (10.0), as one; else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def as_json(raw: object) -> str:
    """The value as JSON text, whatever is in it."""
    try:
        return json.dumps(raw)
    except RecursionError:
        return '"nested too deeply to be written down"'


def storable(text: str) -> str:
    """The text as PostgreSQL can hold it: without NUL and half surrogate pairs."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def json_problem(line: str) -> str:
    """Why text is not an event's JSON."""
    try:
        decoded = json.loads(line)
    except RecursionError:
        return "not valid JSON: nested too deeply"
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "a number is too long"
        where = f" at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        return f"not valid JSON: {reason}{where}"
    if isinstance(decoded, dict):
        return "an event is a JSON object nested less than 100 deep, not the text of one"
    return f"an event is a JSON object, not {quoted(decoded)}"


def field_problems(given: dict[str, Any], kind: type[Struct]) -> Iterator[str]:
    """What is wrong with the fields of an object that should be one of `kind`."""
    for field in msgspec.structs.fields(kind):
        if field.encode_name not in given:
            if field.required:
                yield f"'{field.name}' is missing"
            continue
        value = given[field.encode_name]
        if field.name == "time" and isinstance(value, str) and _is_naive(value):
            yield f"'time' {quoted(value)} has no offset: add Z for UTC, or one like +02:00"
        elif not fits(value, field.type):
            most = _up_to(field.type, value)
            yield f"'{field.name}' must be {expected(field.type)}{most}, not {quoted(value)}"
        elif _has_unstorable(value) and field.name != "data":
            yield f"'{field.name}' contains a character that cannot be stored (NUL or half a pair)"


def _is_naive(value: str) -> bool:
    try:
        return msgspec.convert(value, datetime).tzinfo is None
    except (msgspec.ValidationError, UnicodeError):
        return False


def fits(value: object, kind: Any) -> bool:
    """Whether the value is of the type."""
    try:
        msgspec.convert(whole(value), kind)
    except (msgspec.ValidationError, UnicodeError):
        return False
    return True


def _has_unstorable(value: object) -> bool:
    texts = value if isinstance(value, list) else [value]
    return any(
        isinstance(text, str) and ("\x00" in text or any("\ud800" <= c <= "\udfff" for c in text))
        for text in texts
    )


def expected(kind: Any) -> str:
    """What a field's type asks for, in words."""
    info = msgspec.inspect.type_info(kind)
    parts = info.types if isinstance(info, msgspec.inspect.UnionType) else (info,)
    words = [_words(part) for part in parts]
    return " or ".join(word for word in words if word)


def _up_to(kind: Any, value: object) -> str:
    """The most that a number may be, in words, where the value is a number above it."""
    info = msgspec.inspect.type_info(kind)
    for part in info.types if isinstance(info, msgspec.inspect.UnionType) else (info,):
        if isinstance(part, msgspec.inspect.IntType | msgspec.inspect.FloatType):
            most = part.le
            if most is not None and most > 100 and isinstance(value, int | float) and value > most:
                return f" up to {most:,.0f}"
    return ""


def _words(info: msgspec.inspect.Type) -> str:
    match info:
        case msgspec.inspect.StrType(min_length=1):
            return f"text of 1 to {info.max_length} characters"
        case msgspec.inspect.StrType(max_length=int()):
            return f"text of up to {info.max_length:,} characters"
        case msgspec.inspect.StrType():
            return "text"
        case msgspec.inspect.IntType(ge=1):
            return "a positive whole number"
        case msgspec.inspect.IntType():
            return "a whole number, 0 or more"
        case msgspec.inspect.FloatType(ge=0, le=100):
            return "a number from 0 to 100"
        case msgspec.inspect.FloatType(ge=0):
            return "a number, 0 or more"
        case msgspec.inspect.FloatType():
            return "a number"
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.DateType():
            return "a date like 2026-03-31"
        case msgspec.inspect.DateTimeType():
            return "a time like 2026-03-31T09:30:00Z"
        case msgspec.inspect.LiteralType():
            return f"one of {', '.join(map(str, info.values))}"
        case msgspec.inspect.ListType():
            at_least = "at least one " if info.min_length else ""
            return f"a list of {at_least}{_words(info.item_type)}"
        case msgspec.inspect.DictType():
            return "an object"
        case _:
            return ""


def quoted(value: object) -> str:
    """The value as a message repeats it, shortened."""
    text = "a missing value" if value is None else as_json(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
