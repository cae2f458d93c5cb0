"""What the numbers of facts and thresholds mean, and how people read them."""

import math
from enum import StrEnum

NEVER = math.inf
"""Days since something that never happened: known, and more than any number of days."""

YEARS = range(1900, 3000)
"""Years that a date may name: arithmetic with dates beyond the calendar's ends fails."""

Value = float | int | str | bool | None
"""A fact's value; None is unknown."""


class Unit(StrEnum):
    """The unit of a fact or threshold."""

    DAYS = "days"
    PERCENT = "%"
    COUNT = "count"
    NUMBER = "number"
    HOURS = "hours"
    YES_NO = "yes or no"
    MONEY = "money"
    TEXT = "text"


def since(day: int | None, on: int) -> int | float:
    """Days since a day, of which there may be none (None, or 0 where days are compared)."""
    return on - day if day else NEVER


def shown(value: Value, unit: Unit) -> str:
    """The value as an alert says it: `1 day`, `75%`, `20,000`, `yes`, `never`, `unknown`.

    Percentages are rounded to whole ones, money to whole units, hours to tenths and other numbers
    to hundredths; days and counts are whole already, but for medians.
    """
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if value == NEVER:
        return "never"
    match unit:
        case Unit.DAYS:
            return "1 day" if value == 1 else f"{value:g} days"
        case Unit.PERCENT:
            return f"{_whole(value)}%"
        case Unit.MONEY:
            return f"{_whole(value):,}"
        case Unit.HOURS:
            hours = f"{round(value, 1):g}"
            return "1 hour" if hours == "1" else f"{hours} hours"
        case Unit.NUMBER:
            return f"{round(value, 2):,}"
        case _:
            return f"{value:,}"


def _whole(value: float) -> int:
    """Rounded half away from zero, as people do; Python's own rounding goes to the even number."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))
