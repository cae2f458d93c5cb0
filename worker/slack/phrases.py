"""The small words that every message shares: a name, a day, an amount, a mark for how bad it is.

Names and titles come from other systems: here each becomes one printable line of bounded length.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date

from worker.core.flags import State
from worker.core.rules import Kind, Severity
from worker.core.units import Unit, shown

MAX_NAME = 60
MAX_LINE = 300
MAX_TITLE = 150
MAX_LINES = 8

_READ = 4
"""How many times its limit is looked at of a text; what follows is not worth the time."""

# Embeddings, overrides and isolates of writing direction: left open, they turn the rest round.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")

# Shape and word say the same as the colour, for those who do not see colours.
_SEVERITIES = {
    Severity.CRITICAL: "🔴",
    Severity.HIGH: "🟠",
    Severity.MEDIUM: "🟡",
    Severity.LOW: "🔵",
}
_STATES = {State.RESOLVED: "✅", State.SNOOZED: "💤", State.DISMISSED: "⚪"}


def line(text: str, limit: int = MAX_LINE) -> str:
    """The text on one line of at most `limit` characters, with nothing in it that cannot print."""
    start = _DIRECTIONS.sub("", text[: limit * _READ])
    printable = (" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in start)
    return cut(" ".join("".join(printable).split()), limit)


def lines(texts: Sequence[str], most: int = MAX_LINES) -> tuple[str, ...]:
    """Each text as a line; of more than `most`, the first ones and how many follow."""
    kept = [line(text) for text in texts[:most]]
    if len(texts) > most:
        kept.append(f"and {len(texts) - most} more")
    return tuple(text for text in kept if text)


def cut(text: str, limit: int) -> str:
    """The text, its end replaced by an ellipsis if it is longer than `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def named(name: str | None, id_: str, nameless: str = "An account without a name") -> str:
    """What to call an account, rep or contact: its name, else its id."""
    return line(name or "", MAX_NAME) or line(id_, MAX_NAME) or nameless


def titled(title: str, limit: int = MAX_LINE) -> str:
    """A flag's title."""
    return line(title, limit) or "no title"


def sentence(text: str) -> str:
    """The text with an end to it."""
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def joined(*parts: str | None) -> str:
    """What there is to say of these, with dots between."""
    return " · ".join(part for part in parts if part)


def counted(number: int, one: str) -> str:
    """`1 flag`, `2 flags`."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"


def revenue(mrr: float | None, currency: str | None) -> str | None:
    """A month's revenue: `20,000 EUR a month`."""
    if mrr is None:
        return None
    amount = f"{shown(mrr, Unit.MONEY)} {line(currency or '', MAX_NAME)}"
    return f"{amount.rstrip()} a month"


def renewal(renews: date | None, on: date) -> str | None:
    """When an account renews, counted from `on`: `renews 31 Mar 2026, in 41 days`."""
    if renews is None:
        return None
    days = (renews - on).days
    if days < 0:
        return f"renewal was {day(renews)}, {shown(-days, Unit.DAYS)} ago"
    return f"renews {day(renews)}, " + (f"in {shown(days, Unit.DAYS)}" if days else "today")


def owned(owner_name: str | None, owner: str | None) -> str:
    """Whose an account is."""
    name = line(owner_name or owner or "", MAX_NAME)
    return f"owner {name}" if name else "no owner"


def day(on: date) -> str:
    """A date as people write it: `3 Dec 2025`."""
    return f"{on.day} {on:%b %Y}"


_GROWTH = "🌱"


def mark(severity: Severity | None, state: State | None = None, kind: Kind = Kind.RISK) -> str:
    """A sign for how a flag stands: green if resolved, else the colour of its severity.

    Growth is a plant whatever its severity, and no relief once it is over.
    """
    if kind is Kind.GROWTH and state is State.RESOLVED:
        return _STATES[State.DISMISSED]
    if state in _STATES:
        return _STATES[state]
    if kind is Kind.GROWTH:
        return _GROWTH
    return _SEVERITIES[severity] if severity else "📅"
