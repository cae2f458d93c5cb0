"""Who is who among the contacts of an account: its users, its executives, those who have left."""

from dataclasses import dataclass

from worker.core.stats import AccountStats
from worker.core.titles import EXEC_LEVELS, function_of, level_of

USER_ROLES = frozenset({"user", "champion", "admin"})
USER_DAYS = 90
"""A contact is a user for so many complete days after using the product."""


@dataclass(frozen=True, slots=True)
class People:
    """Who is who among an account's contacts. `users` and `execs` hold those who have left too."""

    users: set[str]
    execs: set[str]
    gone: set[str]


def people_of(stats: AccountStats, on: int) -> People:
    """Users and executives of the account on the day `on` (an ordinal)."""
    users, execs, gone = set(), set(), set()
    first_day_as_user = on - USER_DAYS
    for contact, _, title, level, role, has_left, used, _ in stats.contacts:
        if role in USER_ROLES or (used or 0) >= first_day_as_user:
            users.add(contact)
        if decision_level(level, title) in EXEC_LEVELS:
            execs.add(contact)
        if has_left:
            gone.add(contact)
    return People(users, execs, gone)


def decision_level(given: str | None, title: str | None) -> str | None:
    """The level that an event gave, else the one that the title tells; None if neither does."""
    return given or (level_of(title) if title else None)


def function(given: str | None, title: str | None) -> str | None:
    """The function that an event gave, in one spelling, else the one that the title tells."""
    if given and given.strip():
        return " ".join(given.split()).casefold()
    return function_of(title) if title else None
