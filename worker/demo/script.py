"""The language of the demo: customers, their people, and who is in touch with whom how often.

Days are counted from the last day of the demo's year: 0 is that day, -41 is 41 days before it, and
30 is 30 days after it. People are named as they are spoken of; `key` makes ids of their names.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Segment = Literal["enterprise", "mid-market", "smb"]
Curve = tuple[tuple[int, float], ...]
"""(day, value) in order of day; straight between the points, level before and after them."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone at a customer. `role` is as in a contact event: user, champion, admin..."""

    name: str
    title: str | None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Rep:
    """Someone on the vendor's team. `leaves` is the day of leaving, if any."""

    id: str
    name: str
    slack_user: str
    timezone: str
    leaves: int | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Contact that recurs every so many days, from the day `since` to the day `until`.

    Without them it has always been so, and goes on. The last of a series that ends takes place on
    the day `until`; the others move by a day or two, as calendars do. A mail that is `answered`
    gets its reply on one of the next working days. A series without `goes_wrong` is held.
    """

    channel: Literal["meeting", "call", "email"]
    rep: str
    contacts: tuple[str, ...]
    every: int
    since: int | None = None
    until: int | None = None
    minutes: int | None = None
    direction: Literal["inbound", "outbound"] | None = None
    answered: bool = False
    cc: tuple[str, ...] = ()
    goes_wrong: Literal["cancelled", "declined", "no_show"] | None = None
    automatic: Literal["auto-reply", "bounce", "bulk", "calendar"] | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """An attribute that changes on a day: an event of this type with these contents."""

    day: int
    type: Literal["account", "contact"]
    says: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Account:
    """A customer, and all that happens there.

    `mrr` is in the currency of the country. `renews` is the day of a renewal, others lie a `term`
    of days apart. `adoption` is the share of the seats that use the product. `people` are those
    whom the stories speak of; colleagues who use the product are made up to go with them. An
    account `begins` on a day of the year, or was there before it.
    """

    name: str
    segment: Segment
    owner: str
    country: Literal["uk", "us", "de", "fr", "es"]
    seats: int
    mrr: int
    renews: int
    people: tuple[Person, ...]
    talks: tuple[Series, ...]
    adoption: Curve = ((0, 0.6),)
    turns: tuple[Turn, ...] = ()
    term: int = 365
    lifecycle: Literal["trial", "onboarding"] | None = None
    begins: int | None = None
    churns: int | None = None

    @property
    def id(self) -> str:
        """The account's id in events."""
        return key(self.name)


def key(name: str) -> str:
    """The id for a name: `Solène Guérard` is `solene-guerard`."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore")
    return re.sub(r"[^a-z0-9]+", "-", plain.decode().lower()).strip("-")


def meets(
    rep: str,
    *contacts: str,
    every: int,
    since: int | None = None,
    until: int | None = None,
    minutes: int = 60,
    goes_wrong: Literal["cancelled", "declined", "no_show"] | None = None,
) -> Series:
    """A meeting in everybody's calendar."""
    return Series(
        "meeting", rep, contacts, every, since, until, minutes=minutes, goes_wrong=goes_wrong
    )


def calls(
    rep: str, *contacts: str, every: int, since: int | None = None, until: int | None = None
) -> Series:
    """A call of a quarter of an hour or so."""
    return Series("call", rep, contacts, every, since, until, minutes=15)


def writes(
    rep: str,
    *contacts: str,
    every: int,
    since: int | None = None,
    until: int | None = None,
    cc: tuple[str, ...] = (),
    answered: bool = True,
) -> Series:
    """A mail by the rep, and its answer."""
    return Series(
        "email", rep, contacts, every, since, until,
        direction="outbound", answered=answered, cc=cc,
    )  # fmt: skip


def machine(
    kind: Literal["auto-reply", "bounce", "bulk", "calendar"],
    rep: str,
    *contacts: str,
    every: int,
    since: int | None = None,
) -> Series:
    """Mail that no human wrote: the vendor's campaigns and notices, and what comes back."""
    sent = kind in ("bulk", "calendar")
    direction: Literal["inbound", "outbound"] = "outbound" if sent else "inbound"
    return Series("email", rep, contacts, every, since, direction=direction, automatic=kind)


def courts(
    rep: str, *execs: str, since: int | None = None, until: int | None = None
) -> tuple[Series, ...]:
    """What keeps executives close: all in a meeting every four weeks, each by mail every two."""
    mails = (
        writes(rep, each, every=14, since=since, until=None if until is None else until - 4 * n)
        for n, each in enumerate(execs, start=1)
    )
    return meets(rep, *execs, every=28, since=since, until=until), *mails


def supports(
    rep: str, *users: str, since: int | None = None, until: int | None = None
) -> tuple[Series, ...]:
    """What keeps users close: a call every two weeks, and a mail to the first in between."""
    return (
        calls(rep, *users, every=14, since=since, until=until),
        writes(rep, users[0], every=12, since=since, until=None if until is None else until - 3),
    )


def prepares(rep: str, *execs: str, renewal: int) -> tuple[Series, ...]:
    """The weeks before a renewal, when somebody who signs is asked every week how it goes."""
    return tuple(
        writes(rep, each, every=6 * len(execs), since=renewal - 100, until=renewal - 2 * n)
        for n, each in enumerate(execs)
    )


def leaves(day: int, name: str) -> Turn:
    """A contact leaves the customer."""
    return Turn(day, "contact", {"contact": key(name), "left": True})


def goes_to(day: int, rep: str) -> Turn:
    """The account gets a new owner."""
    return Turn(day, "account", {"owner": rep})


def goes_live(day: int) -> Turn:
    """Onboarding is over."""
    return Turn(day, "account", {"lifecycle": "active"})
