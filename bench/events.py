"""Events as a vendor's systems would send them: skewed accounts, mostly usage, a few meetings.

The same arguments give the same events, to the last byte. Times come from the caller, so that what
is measured today lies as near to today as it did when the numbers were first taken.
"""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

Event = dict[str, Any]

_TITLES = (
    ("c_level", "CIO", "other"),
    ("vp", "VP Operations", "economic_buyer"),
    ("director", "Director, IT", "admin"),
    ("manager", "Product Owner", "champion"),
    ("staff", "Analyst", "user"),
    ("staff", "Engineer", "user"),
)
_LEVEL_WEIGHTS = (3, 6, 10, 18, 35, 28)
_SEGMENTS = ("smb", "mid-market", "enterprise")
_FEATURES = ("board", "report", "export", "search", "import", "api", "comment")
_CHANNELS = ("email", "meeting", "call", "chat")
_CHANNEL_WEIGHTS = (70, 15, 10, 5)

HISTORY_DAYS = 180

_USAGE = 0.85
_INTERACTIONS = 0.98
"""Up to here; what is left are attributes and subscriptions."""


@dataclass(frozen=True, slots=True)
class Customer:
    """An account, the people there and ours for it, the owner first.

    `size` is how much happens there, beside the others. All contacts use the product, the first
    third of them also talk with us.
    """

    account: str
    size: float
    reps: tuple[str, str]
    contacts: tuple[str, ...]

    @property
    def talking(self) -> tuple[str, ...]:
        """The contacts who talk with us."""
        return self.contacts[: 1 + len(self.contacts) // 3]


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor with its reps and customers."""

    reps: tuple[str, ...]
    customers: tuple[Customer, ...]


def vendor(customers: int, seed: int = 2) -> Vendor:
    """A vendor whose largest tenth of accounts makes about half of all events."""
    random = Random(seed)
    reps = tuple(f"rep-{n:03}" for n in range(max(3, customers // 25)))
    made = []
    for n in range(customers):
        size = random.lognormvariate(0, 1.2)
        people = min(60, 2 + int(2 * size))
        contacts = tuple(f"person-{n:05}-{p:02}" for p in range(people))
        made.append(Customer(f"account-{n:05}", size, _two(random, reps), contacts))
    return Vendor(reps, tuple(made))


def introductions(of: Vendor, at: datetime, seed: int = 3) -> Iterator[Event]:
    """Who is who, at one moment: every rep, every account with a first meeting, most contacts."""
    random = Random(seed)
    made = Envelopes("crm", "introduction")
    for rep in of.reps:
        yield made("rep", at, None, {"rep": rep, "name": rep.title()})
    for customer in of.customers:
        rank = bisect((0.8, 3.0), customer.size)
        renewal = at.date() + timedelta(days=random.randrange(200, 560))
        yield made(
            "account",
            at,
            customer.account,
            {
                "name": customer.account.title(),
                "segment": _SEGMENTS[rank],
                "owner": customer.reps[0],
                "seats": len(customer.contacts) + random.randrange(5),
                "mrr": round(400 * customer.size, 2),
                "currency": "EUR",
                "renewal_date": renewal.isoformat(),
                "lifecycle": "active",
            },
        )
        for contact in customer.contacts:
            if random.random() < 2 / 3:
                yield made("contact", at, customer.account, _person(random, contact))
        everyone = {"reps": list(customer.reps), "contacts": list(customer.talking)}
        yield made("interaction", at, customer.account, {"channel": "meeting"} | everyone)


def activity(
    of: Vendor, number: int, begin: datetime, end: datetime, series: str, seed: int = 5
) -> Iterator[Event]:
    """`number` events in order of time, evenly spread; `series` keeps their ids apart from others.

    Of a hundred, 85 are usage, 13 interactions and 2 change an attribute or a subscription.
    """
    random = Random(f"{seed}/{series}")
    app, mail, crm = (Envelopes(source, series) for source in ("app", "mail", "crm"))
    cumulative = list(accumulate(customer.size for customer in of.customers))
    step = (end - begin) / max(1, number)
    for n in range(number):
        at = begin + step * n
        customer = random.choices(of.customers, cum_weights=cumulative)[0]
        kind = random.random()
        if kind < _USAGE:
            yield app("usage", at, customer.account, _usage(random, customer))
        elif kind < _INTERACTIONS:
            yield mail("interaction", at, customer.account, _interaction(random, customer))
        else:
            type_, data = _change(random, customer, at)
            yield crm(type_, at, customer.account, data)


def history(of: Vendor, number: int, until: datetime) -> Iterator[Event]:
    """`number` events up to a moment: the introductions, then half a year of activity."""
    begin = until - timedelta(days=HISTORY_DAYS)
    introduced = list(introductions(of, begin))
    yield from introduced
    yield from activity(of, number - len(introduced), begin, until, "history")


def today(of: Vendor, number: int, now: datetime) -> list[Event]:
    """`number` events of this UTC day so far, or of its first hour."""
    begin = midnight(now)
    return list(activity(of, number, begin, max(now, begin + timedelta(hours=1)), "today"))


def yesterday(of: Vendor, number: int, now: datetime) -> list[Event]:
    """`number` events of the UTC day before."""
    end = midnight(now)
    return list(activity(of, number, end - timedelta(days=1), end, "yesterday"))


def midnight(now: datetime) -> datetime:
    """When this UTC day began."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def usage(customers: tuple[Customer, ...], number: int, at: datetime, series: str) -> list[Event]:
    """`number` usage events of one moment: what changes no fact before midnight has passed."""
    random = Random(series)
    made = Envelopes("app", series)
    chosen = random.choices(customers, [c.size for c in customers], k=number)
    return [made("usage", at, one.account, _usage(random, one)) for one in chosen]


class Envelopes:
    """Makes the envelopes of one source, numbered."""

    def __init__(self, source: str, series: str) -> None:
        self._source, self._series, self._number = source, series, 0

    def __call__(self, type_: str, at: datetime, subject: str | None, data: Event) -> Event:
        self._number += 1
        event = {
            "specversion": "1.0",
            "source": self._source,
            "id": f"{self._series}-{self._number:07}",
            "type": type_,
            "time": at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "data": data,
        }
        return event if subject is None else event | {"subject": subject}


def _two(random: Random, reps: tuple[str, ...]) -> tuple[str, str]:
    owner, other = random.sample(reps, 2)
    return owner, other


def _person(random: Random, contact: str) -> Event:
    level, title, role = random.choices(_TITLES, _LEVEL_WEIGHTS)[0]
    about = {"contact": contact, "name": contact.title(), "title": title, "level": level}
    return about | {"role": role}


def _someone(random: Random, contacts: tuple[str, ...]) -> str:
    return contacts[int(len(contacts) * random.random() ** 2)]  # some do much more than others


def _usage(random: Random, customer: Customer) -> Event:
    made: Event = {"feature": random.choice(_FEATURES), "count": random.randrange(1, 20)}
    if random.random() < 0.9:
        made["user"] = _someone(random, customer.contacts)
    return made


def _interaction(random: Random, customer: Customer) -> Event:
    channel = random.choices(_CHANNELS, _CHANNEL_WEIGHTS)[0]
    rep = customer.reps[random.random() > 0.8]
    people = random.choices((1, 2, 4), (70, 20, 10))[0]
    contacts = list(dict.fromkeys(_someone(random, customer.talking) for _ in range(people)))
    made: Event = {"channel": channel, "reps": [rep], "contacts": contacts}
    if channel in ("email", "chat"):
        made["direction"] = random.choice(("inbound", "outbound"))
        if random.random() < 0.15:
            made["cc"] = [_someone(random, customer.talking)]
        if random.random() < 0.05:
            made["automatic"] = "auto-reply"
    else:
        made["duration_minutes"] = random.choice((15, 30, 45, 60))
        if random.random() < 0.05:
            made["status"] = "cancelled"
    return made


def _change(random: Random, customer: Customer, at: datetime) -> tuple[str, Event]:
    match random.randrange(4):
        case 0:
            return "account", {"mrr": round(400 * customer.size * random.uniform(0.9, 1.2), 2)}
        case 1:
            seats = len(customer.contacts) + random.randrange(5)
            ends = at.date() + timedelta(days=random.randrange(200, 400))
            return "subscription", {
                "subscription": "main",
                "status": "renewed",
                "seats": seats,
                "term_start": at.date().isoformat(),
                "term_end": ends.isoformat(),
            }
        case _:
            return "contact", _person(random, _someone(random, customer.contacts))
