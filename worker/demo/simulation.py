"""Plays the script: from a seed to the events of every day, the same for the same seed.

Nothing here reads a clock or the environment. What the script leaves open (the hour, a day more or
less, who uses what) is drawn from a generator of each account's own, so that one account's story
can be changed without touching another's.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from worker.demo.cast import COMPANY, COUNTRIES, HEAD, REPS, colleagues
from worker.demo.script import Account, Curve, Person, Series, key
from worker.demo.stories import ACCOUNTS

LAST_DAY = date(2026, 9, 30)
HISTORY_DAYS = 120
"""Days before the year: what mail and calendar held when tiewatch came, to be loaded at once."""

HOLIDAYS = ((1, 1), (12, 25), (12, 26))
FEATURES = ("round", "checklist", "photo", "report")
USER_ROLES = ("user", "admin")
SUBSCRIPTION = "rounds"

MISSED = 0.05
"""How often a user skips a day of theirs, and a routine meeting is cancelled."""

WEEKEND_USE = 0.02
"""How likely a user is to walk a round on a Saturday or Sunday."""

Event = dict[str, Any]


def simulate(
    seed: int = 7, last_day: date = LAST_DAY, days: int = 365
) -> Iterator[tuple[date, list[Event]]]:
    """Each UTC day with its events in order of time: `HISTORY_DAYS` of history, then `days` more.

    The stories are dated back from `last_day`. Events are contract 1 envelopes, ready for JSON.
    """
    first = first_day(last_day, days) - timedelta(HISTORY_DAYS)
    by_day: dict[date, list[Event]] = defaultdict(list)
    for event in _events(seed, first, last_day):
        by_day[date.fromisoformat(event["time"][:10])].append(event)
    for n in range(HISTORY_DAYS + days):
        day = first + timedelta(n)
        events = sorted(by_day.pop(day, ()), key=lambda event: event["time"])
        for number, event in enumerate(events, start=1):
            event["id"] = f"{day:%Y%m%d}-{number:04}"
        yield day, events


def first_day(last_day: date = LAST_DAY, days: int = 365) -> date:
    """The day after the history: the first on which tiewatch watches."""
    return last_day - timedelta(days - 1)


def _events(seed: int, first: date, last_day: date) -> Iterator[Event]:
    """All events of the days from `first` to `last_day`, in no order."""
    yield from _team(first, last_day)
    for account in ACCOUNTS:
        rng = Random(f"{seed}/{account.id}")
        begins = first if account.begins is None else last_day + timedelta(account.begins)
        begins = max(begins, first)
        crowd = _crowd(account)
        yield from _attributes(account, crowd, begins, last_day)
        yield from _subscription(account, begins, last_day)
        for series in account.talks:
            for moment, says in _played(series, begins, last_day, rng):
                if begins <= moment.date() <= last_day:
                    yield _event("interaction", account.id, moment, says)
        yield from _usage(account, crowd, begins, last_day, rng)


def _event(kind: str, account: str | None, moment: datetime, says: Event) -> Event:
    return {
        "id": "",  # numbered when the day is complete
        "source": f"{key(COMPANY)}/{_SOURCES[kind]}",
        "type": kind,
        "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        **({"subject": account} if account else {}),
        "data": says,
    }


_SOURCES = {
    "rep": "crm",
    "account": "crm",
    "contact": "crm",
    "subscription": "billing",
    "interaction": "inbox",
    "usage": "product",
}


def _team(first: date, last_day: date) -> Iterator[Event]:
    for rep in REPS:
        says = {
            "rep": rep.id,
            "name": rep.name,
            "email": f"{rep.id}@{key(COMPANY)}.example",
            "slack_user": rep.slack_user,
            "timezone": rep.timezone,
        }
        reports = {} if rep.id == HEAD else {"manager": HEAD}
        yield _event("rep", None, _early(first), says | reports)
        if rep.leaves is not None:
            day = max(last_day + timedelta(rep.leaves), first)
            yield _event("rep", None, _late(day), {"rep": rep.id, "left": True})


def _attributes(
    account: Account, crowd: list[Person], begins: date, last_day: date
) -> Iterator[Event]:
    home = COUNTRIES[account.country]
    says: Event = {
        "name": account.name,
        "segment": account.segment,
        "owner": account.owner,
        "currency": home.currency,
        "timezone": home.timezone,
        "domains": [f"{account.id}.example"],
    }
    if account.lifecycle:
        says["lifecycle"] = account.lifecycle
    yield _event("account", account.id, _early(begins), says)
    for person in dict.fromkeys((*account.people, *crowd)):
        yield _event("contact", account.id, _early(begins), _card(person, account))
    for turn in account.turns:
        day = max(last_day + timedelta(turn.day), begins)
        yield _event(turn.type, account.id, _late(day), dict(turn.says))


def _card(person: Person, account: Account) -> Event:
    known = {"title": person.title, "role": person.role}
    return {
        "contact": key(person.name),
        "name": person.name,
        "emails": [f"{key(person.name).replace('-', '.')}@{account.id}.example"],
        **{name: value for name, value in known.items() if value},
    }


def _crowd(account: Account) -> list[Person]:
    """Those who use the product at its busiest, in the order in which they began to."""
    number = _whole(account.seats * max(share for _, share in account.adoption))
    spoken_of = {person.name for person in account.people}
    others = colleagues(account.name, account.country, number + len(spoken_of))
    crowd = [person for person in account.people if person.role in USER_ROLES]
    crowd += [person for person in others if person.name not in spoken_of]
    return crowd[:number]


def _subscription(account: Account, begins: date, last_day: date) -> Iterator[Event]:
    """The term that runs when the account begins, and each that follows it."""
    term = timedelta(account.term)
    end = last_day + timedelta(account.renews)
    over = None if account.churns is None else last_day + timedelta(account.churns)
    while end - term > begins:
        end -= term
    status = "trial" if account.lifecycle == "trial" else "started"
    day = begins
    while True:
        says = {
            "subscription": SUBSCRIPTION,
            "status": status,
            "mrr": account.mrr,
            "seats": account.seats,
            "term_start": f"{end - term}",
            "term_end": f"{end}",
        }
        yield _event("subscription", account.id, _early(day), says)
        if end > last_day or end == over:
            break
        status, day, end = "renewed", end, end + term
    if over is not None:
        churned = {"subscription": SUBSCRIPTION, "status": "churned"}
        yield _event("subscription", account.id, _late(over), churned)
        yield _event("account", account.id, _late(over), {"lifecycle": "churned"})


def _played(
    series: Series, begins: date, last_day: date, rng: Random
) -> Iterator[tuple[datetime, Event]]:
    """The interactions of a series: when, and what. Their order is not that of time."""
    people = [key(name) for name in series.contacts]
    says: Event = {"channel": series.channel, "reps": [series.rep], "contacts": people}
    for name, value in (
        ("cc", [key(name) for name in series.cc]),
        ("direction", series.direction),
        ("duration_minutes", series.minutes),
        ("status", series.goes_wrong),
        ("automatic", series.automatic),
    ):
        if value:
            says[name] = value
    ends = series.until is not None
    for day in _recurring(series, begins, last_day, rng):
        moment = _some_time(day, rng)
        if series.channel == "meeting" and not ends and rng.random() < MISSED:
            yield moment, says | {"status": "cancelled"}
        else:
            yield moment, says
        ends = False
        if series.answered:
            later = _workday(day + timedelta(rng.choice((1, 1, 2))), forward=True)
            yield _some_time(later, rng), says | {"direction": "inbound"}


def _recurring(series: Series, begins: date, last_day: date, rng: Random) -> Iterator[date]:
    """The days of a series, latest first: the last one as the script says, others near theirs."""
    if series.until is None:
        day = last_day - timedelta(rng.randrange(series.every))
    else:
        day = last_day + timedelta(series.until)
        yield _workday(day)
        day -= timedelta(series.every)
    since = begins if series.since is None else last_day + timedelta(series.since)
    while day >= since:
        yield _workday(day + timedelta(rng.choice((-1, 0, 0, 1))))
        day -= timedelta(series.every)


def _usage(
    account: Account, crowd: list[Person], begins: date, last_day: date, rng: Random
) -> Iterator[Event]:
    """One event a user and day; everyone's turn comes each third, fourth or fifth working day."""
    usual = [rng.randint(8, 16) for _ in crowd]
    ends = last_day + timedelta(1 if account.churns is None else account.churns)
    workdays = 0
    for n in range((ends - begins).days):
        day = begins + timedelta(n)
        is_workday = day.weekday() < 5  # rounds are walked on holidays, too
        workdays += is_workday
        users = _whole(account.seats * _value(account.adoption, (day - last_day).days))
        for place, person in enumerate(crowd[:users]):
            if is_workday:
                works = (workdays + place // 3) % (3 + place % 3) == 0 and rng.random() > MISSED
            else:
                works = rng.random() < WEEKEND_USE
            if works:
                says = {
                    "user": key(person.name),
                    "feature": rng.choice(FEATURES),
                    "count": usual[place] + rng.randint(-2, 2),
                }
                yield _event("usage", account.id, _some_time(day, rng), says)


def _value(curve: Curve, day: int) -> float:
    """The curve's value on a day."""
    (before, low), *_ = curve
    if day <= before:
        return low
    for point, value in curve[1:]:
        if day <= point:
            return low + (value - low) * (day - before) / (point - before)
        before, low = point, value
    return low


def _whole(number: float) -> int:
    return int(number + 0.5)


def _workday(day: date, *, forward: bool = False) -> date:
    """The day itself, or the nearest working day before it (after it if `forward`)."""
    while day.weekday() >= 5 or (day.month, day.day) in HOLIDAYS:
        day += timedelta(1 if forward else -1)
    return day


def _early(day: date) -> datetime:
    return datetime.combine(day, time(6), UTC)


def _late(day: date) -> datetime:
    return datetime.combine(day, time(18), UTC)


def _some_time(day: date, rng: Random) -> datetime:
    """A moment of the working day."""
    return datetime.combine(day, time(7), UTC) + timedelta(seconds=rng.randrange(10 * 3600))
