"""The forms of values: a number where a field needs one, a time where it needs a date; and what a
mapping may do to a value before."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec.inspect import BoolType, DateType, FloatType, IntType, ListType, StrType, UnionType

from worker.core.addresses import decides
from worker.core.contents import TYPES
from worker.core.moments import Writing, as_date

_SEPARATORS = re.compile(r"[;,|\n]")
_BESIDE_AMOUNT = re.compile(r"^[^\d(-]*|[^\d)]*$")


def filtered(value: Any, names: Iterable[str]) -> Any:
    """The value after these filters, one after the other; None if nothing is left of it."""
    for name in names:
        value = _FILTERS[name](value)
    return None if value == "" else value


def fitted(value: Any, type_: str, name: str, writing: Writing | None = None) -> Any:
    """The value in the form that this field of this type of event needs, if it has one.

    With `writing`, raises Unclear for a date that can be read in two ways.
    """
    kinds = _kinds(type_, name)
    if any(isinstance(kind, ListType) for kind in kinds):
        values = value if isinstance(value, list) else [value]
        return [as_text(one) for one in values]
    if isinstance(value, list) and value:
        value = value[0]
    if any(isinstance(kind, IntType | FloatType) for kind in kinds):
        return _as_number(value)
    if any(isinstance(kind, DateType) for kind in kinds):
        return writing.as_date(value) if writing else as_date(value)
    if any(isinstance(kind, BoolType) for kind in kinds):
        return _as_bool(value)
    return as_text(value) if any(isinstance(kind, StrType) for kind in kinds) else value


@lru_cache(maxsize=1_000)
def _kinds(type_: str, name: str) -> tuple[msgspec.inspect.Type, ...]:
    for one in msgspec.structs.fields(TYPES[type_]):
        if one.name == name:
            info = msgspec.inspect.type_info(one.type)
            return info.types if isinstance(info, UnionType) else (info,)
    return ()


def as_text(value: Any) -> Any:
    """A number or a truth value as text; anything else as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


def _as_number(value: Any) -> Any:
    if not isinstance(value, str) or len(value) > 40:
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() else number


def _as_bool(value: Any) -> Any:
    word = value.strip().lower() if isinstance(value, str) else value
    if word in ("true", "yes", "1", 1):
        return True
    return False if word in ("false", "no", "0", 0) else value


def _amount(value: Any) -> Any:
    """The number in `$1,234.50` or `1.234,50 EUR`; what is none as it is."""
    if not isinstance(value, str):
        return value
    text = _BESIDE_AMOUNT.sub("", value).replace(" ", "").replace("\xa0", "")
    whole, mark, cents = text.rpartition("," if text.rfind(",") > text.rfind(".") else ".")
    if mark == "," and len(cents) == 3:  # 1,234
        whole, mark, cents = text, "", ""
    digits = (whole if mark else text).replace(",", "").replace(".", "")
    number = _as_number(f"{digits}.{cents}" if mark else digits)
    return value if isinstance(number, str) else number


def _a_twelfth(value: Any) -> Any:
    number = _as_number(_amount(value))
    return round(number / 12, 2) if isinstance(number, int | float) else value


def _split(value: Any) -> Any:
    """The parts of a text that is a list, without the blank ones."""
    if not isinstance(value, str):
        return value
    return [part.strip() for part in _SEPARATORS.split(value) if part.strip()] or None


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _domain(value: Any) -> Any:
    """The domain of an address or a site, None if anybody may have one there."""
    if not isinstance(value, str):
        return None
    rest = value.strip().lower().rpartition("@")[2].rpartition("://")[2]
    domain = rest.partition("/")[0].partition(":")[0].removeprefix("www.")
    return domain if "." in domain and decides(domain) else None


_FILTERS: Mapping[str, Callable[[Any], Any]] = {
    "amount": _amount,
    "domain": _domain,
    "lower": _lower,
    "split": _split,
    "yearly": _a_twelfth,
}

FILTERS = tuple(_FILTERS)
"""What may be done to a value."""
