"""Numbers as people write them, with their unit: `15 days`, `75%`, `-20%`, `$10,000`, `2`."""

import re

from worker.core.units import NEVER, Unit, shown
from worker.rulefiles.problems import quoted

_LONGEST = 40
_SIGN = r"(?P<sign>[-+−]?)"
_DIGITS = r"(?P<digits>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,15})(?P<fraction>\.[0-9]{1,6})?"
_MONEY = rf"(?:[$€£¥]|[A-Z]{{3}} )?{_DIGITS}(?: ?[$€£¥]| [A-Z]{{3}})?(?: (?:a|per) month)?"
_FORMS = {
    Unit.COUNT: re.compile(_SIGN + _DIGITS),
    Unit.DAYS: re.compile(_SIGN + _DIGITS + " ?days?"),
    Unit.HOURS: re.compile(_SIGN + _DIGITS + " ?hours?"),
    Unit.PERCENT: re.compile(_SIGN + _DIGITS + " ?%"),
    Unit.MONEY: re.compile(_SIGN + _MONEY),
}


def quantity(text: str) -> tuple[float, Unit] | None:
    """The number and its unit, a bare number being a count; None if the text is not a number.

    `never` is a number of days. Money has a currency before or after it, `a month`, or both; what
    currency it is does not matter to the number. `10.000 EUR` is not a number here: some mean ten
    by it, and some ten thousand.
    """
    if text == "never":
        return NEVER, Unit.DAYS
    for unit, form in _FORMS.items():
        if len(text) <= _LONGEST and (found := form.fullmatch(text)):
            if unit is not Unit.PERCENT and len(found["fraction"] or "") == len(".000"):
                return None
            number = float(found["digits"].replace(",", "") + (found["fraction"] or ""))
            if found["sign"] in ("-", "−"):
                number = -number
            return int(number) if number.is_integer() else number, unit
    return None


def complaint(name: str, unit: Unit, text: str) -> str | None:
    """What is wrong with a number for something of this unit; None if it fits."""
    found = quantity(text)
    if found is None:
        longer = _LONGER.fullmatch(text) if unit is Unit.DAYS else None
        if longer:
            days = int(longer[1]) * _DAYS_IN[longer[2]]
            return f"{name} is in days: write {_example(unit, days)}, not {quoted(text)}"
        return f"{name} is {MEANS[unit]}: write it like {_example(unit)}, not {quoted(text)}"
    number, written = found
    if written is Unit.COUNT and unit is Unit.NUMBER:
        return None
    if written is not unit:
        instead = _example(unit) if number == NEVER else _example(unit, number)
        return f"{name} is {MEANS[unit]}: write {instead}, not {quoted(text)}"
    if unit in _WHOLE and number != NEVER and not isinstance(number, int):
        return f"{name} is {MEANS[unit]}: {quoted(text)} is not a whole number"
    return None


_WHOLE = (Unit.DAYS, Unit.COUNT)
_LONGER = re.compile(r"([0-9]{1,4}) ?(week|month|quarter|year)s?")
_DAYS_IN = {"week": 7, "month": 30, "quarter": 90, "year": 365}
MEANS = {
    Unit.DAYS: "in days",
    Unit.PERCENT: "a percentage",
    Unit.COUNT: "a count",
    Unit.NUMBER: "a number",
    Unit.HOURS: "in hours",
    Unit.YES_NO: "yes or no",
    Unit.MONEY: "money",
    Unit.TEXT: "a text",
}
"""What a number of each unit is, as a part of a message."""
_EXAMPLES = {
    Unit.DAYS: 15,
    Unit.PERCENT: 75,
    Unit.COUNT: 2,
    Unit.NUMBER: 2.5,
    Unit.HOURS: 24,
    Unit.MONEY: 10_000,
}


def _example(unit: Unit, number: float | None = None) -> str:
    """How a number of this unit is written, as a part of a message."""
    number = _EXAMPLES[unit] if number is None else number
    match unit:
        case Unit.MONEY:
            return f"'{number:,} EUR' or '${number:,}'"
        case Unit.PERCENT:
            return f"'{number:,}%'"
        case _:
            return f"'{shown(number, unit)}'"
