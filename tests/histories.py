"""Believable random event histories, in an id space small enough for people to meet again.

A history is a list of raw events as a sender would write them. It is made of stories (a weekly
call, a burst of mail, a subscription's life, somebody who leaves and returns...) whose days lie
around the edges of the windows that the definitions name, counted back from `TODAY`. The stories
come out of a seed: drawn one choice at a time, they stay too thin for strong ties. What shrinks is
which stories are told.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from random import Random
from typing import Any, NamedTuple

from hypothesis import strategies as st

from worker.core.events import Event, parse

Raw = dict[str, Any]


class Moment(NamedTuple):
    """An event to be: how many days before `TODAY`, at what time, and what happens to whom."""

    days_ago: int
    hour: time
    type: str
    account: str | None
    data: Raw


Story = list[Moment]

TODAY = date(2026, 3, 10)
RECEIVED = datetime(2026, 3, 10, 12, tzinfo=UTC)
"""When all events arrive; the latest ones are dated 24 hours after this."""

ACCOUNTS = ["acme", "Birch", "ço"]
REPS = ["ana", "Sam", "zoë"]
CONTACTS = ["dana", "Kim", "lee", "Ömer"]

_EDGES = [0, 1, 2, 29, 30, 31, 32, 59, 60, 61, 62, 89, 90, 91, 92, 363, 364, 365, 366, 367]
_HOURS = [time(), time(0, 30), time(9), time(11, 59, 59), time(23, 30), time(23, 59, 59, 999_999)]
_OFFSETS = [0, 0, 0, 60, -210, 345, 840, -720]  # minutes
_DIRECTIONS = ["inbound", "outbound", "mutual"]


@st.composite
def histories(draw: st.DrawFn, source: str = "crm", *, further: bool = False) -> list[Raw]:
    """The events of a small workspace, in no particular order, every (source, id) once.

    With `further` they are mostly what the parts of the catalogue beyond the base look at.

    Ids do not sort as their events do, and no two events have one id: which of two sources wins
    at equal times and equal ids is defined nowhere.
    """
    chance = Random(draw(st.integers(0, 2**32)))
    of = _FURTHER if further else _STORIES
    stories = [chance.choice(of)(chance) for _ in range(chance.randint(10, 36))]
    told = draw(st.lists(st.integers(0, 3), min_size=len(stories), max_size=len(stories)))
    kept = [story for story, is_told in zip(stories, told, strict=True) if is_told]
    moments = [moment for story in kept for moment in story]
    marks = [chance.choice(["", "a", "B", "é"]) for _ in range(5)]
    ids = [f"{marks[number % 5]}{number * 7919 % 1009}" for number in range(len(moments))]
    return [
        _event(source, id_, moment, chance.choice(_OFFSETS))
        for id_, moment in zip(ids, moments, strict=True)
    ]


@st.composite
def arrivals(draw: st.DrawFn, events: list[Raw]) -> list[list[Raw]]:
    """The events in another order, in batches of several sizes, some of them several times."""
    chance = Random(draw(st.integers(0, 2**32)))
    arriving = events + chance.choices(events, k=chance.randrange(len(events) + 1))
    chance.shuffle(arriving)
    batches = []
    while arriving:
        size = chance.choice([1, 2, 5, 20, len(arriving)])
        batches.append(arriving[:size])
        arriving = arriving[size:]
    return batches


def parsed(history: list[Raw]) -> list[Event]:
    """The events as the product reads them; all of them are valid."""
    events = []
    for raw in history:
        event = parse(raw, RECEIVED)
        assert isinstance(event, Event), event
        events.append(event)
    return events


def _event(source: str, id_: str, moment: Moment, offset: int) -> Raw:
    instant = datetime.combine(TODAY - timedelta(moment.days_ago), moment.hour, UTC)
    local = instant.astimezone(timezone(timedelta(minutes=offset))).isoformat()
    written = local if offset else local.replace("+00:00", "Z")
    event = {"id": id_, "source": source, "type": moment.type, "time": written}
    subject = {} if moment.account is None else {"subject": moment.account}
    return event | subject | {"data": moment.data}


# What varies in every story


def _day(chance: Random) -> int:
    return chance.choice([chance.choice(_EDGES), chance.randint(0, 100), chance.randint(0, 400)])


def _hour(chance: Random) -> time:
    return chance.choice(_HOURS)


def _account(chance: Random) -> str:
    return chance.choices(ACCOUNTS, weights=[12, 4, 1])[0]


def _some(chance: Random, fields: dict[str, list[Any]]) -> Raw:
    """Each field present or not, with one of its values."""
    return {name: chance.choice(of) for name, of in fields.items() if chance.random() < 0.5}


def _people(chance: Random) -> Raw:
    """Names repeat now and then, within a list and between contacts and cc."""
    people: Raw = {
        "reps": chance.choices(REPS, k=chance.choice([1, 1, 1, 2, 3])),
        "contacts": chance.choices(CONTACTS, k=chance.choice([1, 1, 2, 4])),
    }
    if chance.random() < 0.3:
        people["cc"] = chance.choice([None, [], chance.choices(CONTACTS, k=2)])
    if people.get("cc") and chance.random() < 0.2:
        people["contacts"] = []
    return people


def _interaction(chance: Random) -> Raw:
    channel = chance.choice(["email", "chat", "call", "meeting", "meeting", "other"])
    data = {"channel": channel, **_people(chance)}
    if channel in ("email", "chat") or chance.random() < 0.3:
        data["direction"] = chance.choice(_DIRECTIONS)
    data |= _some(chance, {"duration_minutes": [59, 59.9, 60, 60.0, 90, None], "thread": ["t1"]})
    if chance.random() < 0.15:
        data["status"] = chance.choice(["held", None, "cancelled", "declined", "no_show"])
    if chance.random() < 0.15:
        automatic = ["auto-reply", "bounce", "bulk", "calendar", "other", None]
        data["automatic"] = chance.choice(automatic)
    return data


def _usage(chance: Random) -> Raw:
    fields: dict[str, list[Any]] = {"count": [1, 2, 3.0, 40, None], "minutes": [1.5]}
    user = {"user": chance.choice([*CONTACTS, None])} if chance.random() < 0.8 else {}
    return user | _some(chance, fields | {"feature": ["export", "board", "api", None]})


# Stories


def _once(kind: str, data_of: Callable[[Random], Raw]) -> Callable[[Random], Story]:
    def story(chance: Random) -> Story:
        account = None if kind == "rep" else _account(chance)
        return [Moment(_day(chance), _hour(chance), kind, account, data_of(chance))]

    return story


def _series(chance: Random) -> Story:
    """One interaction again and again: what strong ties are made of."""
    last, step, account = _day(chance), chance.choice([1, 1, 2, 7, 60]), _account(chance)
    data, hour, times = _interaction(chance), _hour(chance), chance.choice([2, 3, 4, 8, 25])
    return [Moment(last + step * i, hour, "interaction", account, data) for i in range(times)]


def _monologue(chance: Random) -> Story:
    """Rep to contact, day after day, perhaps with one answer long ago: what the gates are for."""
    last, account = chance.choice([0, 1, 5]), _account(chance)
    people = {"reps": [chance.choice(REPS)], "contacts": [chance.choice(CONTACTS)]}
    data = {"channel": "meeting", "duration_minutes": 60, "direction": "outbound", **people}
    story = [
        Moment(last + i, time(9), "interaction", account, data)
        for i in range(chance.choice([8, 16, 30]))
    ]
    if chance.random() < 0.8:
        answer = data | {"direction": "inbound"}
        day = chance.choice([*range(89, 93), *range(363, 368)])
        story.append(Moment(day, time(9), "interaction", account, answer))
    return story


def _busy_day(chance: Random) -> Story:
    """A burst of mail in both directions on one day: what the daily cap is for."""
    day, account = _day(chance), _account(chance)
    people = {"reps": [chance.choice(REPS)], "contacts": [chance.choice(CONTACTS)]}
    return [
        Moment(
            day,
            _hour(chance),
            "interaction",
            account,
            {"channel": "email", "direction": chance.choice(_DIRECTIONS), **people},
        )
        for _ in range(chance.randint(4, 14))
    ]


def _all_hands(chance: Random) -> Story:
    """More guests than the divisor of points takes into account, and some of the contacts."""
    guests = [f"guest {number}" for number in range(chance.choice([20, 24, 30]))]
    people = {"reps": ["ana"], "contacts": guests, "cc": chance.choices(CONTACTS, k=3)}
    data = {"channel": "meeting", "duration_minutes": 60, **people}
    return [Moment(_day(chance), _hour(chance), "interaction", _account(chance), data)]


def _usage_run(chance: Random) -> Story:
    """The product used day after day, by one person or by nobody in particular."""
    last, account, data = _day(chance), _account(chance), _usage(chance)
    step, times = chance.choice([1, 10, 29, 30]), chance.choice([2, 3, 5])
    return [Moment(last + i * step, time(9), "usage", account, data) for i in range(times)]


def _tells_account(chance: Random) -> Raw:
    renewals = [(TODAY + timedelta(days)).isoformat() for days in (-40, -1, 0, 1, 30, 90)]
    fields: dict[str, list[Any]] = {
        "segment": ["enterprise", "mid-market", None],
        "owner": [*REPS, None],
        "seats": [0, 1, 4, 10.0, None],
        "mrr": [0, 99.9, 1200, None],
        "currency": ["EUR", None],
        "renewal_date": [*renewals, None],
        "domains": [["acme.example"], [], None],
    }
    lifecycle = chance.choice(["trial", "onboarding", "active", "churned", None])
    return _some(chance, fields) | ({"lifecycle": lifecycle} if chance.random() < 0.15 else {})


def _tells_contact(chance: Random) -> Raw:
    fields: dict[str, list[Any]] = {
        "title": ["CIO", "VP Finance", "Head of IT", "Analyst", "???", None],
        "level": ["c_level", "vp", "director", "manager", "staff", None, None],
        "role": ["user", "champion", "admin", "economic_buyer", "other", None],
        "left": [True, False, None],
        "emails": [["x@acme.example"]],
        "function": ["Finance", " finance", "it", "", None],
    }
    return {"contact": chance.choice(CONTACTS)} | _some(chance, fields)


def _tells_rep(chance: Random) -> Raw:
    fields: dict[str, list[Any]] = {"left": [True, False, None], "manager": [*REPS, None]}
    return {"rep": chance.choice(REPS)} | _some(chance, fields)


def _leaving(chance: Random) -> Story:
    """Somebody of either side leaves and perhaps returns."""
    who = chance.choice([{"rep": chance.choice(REPS)}, {"contact": chance.choice(CONTACTS)}])
    kind = next(iter(who))
    account = None if kind == "rep" else _account(chance)
    return [
        Moment(_day(chance), time(9), kind, account, who | {"left": chance.choice([True, False])})
        for _ in range(chance.randint(1, 3))
    ]


def _at_once(chance: Random) -> Story:
    """Several things said of the same one in the same instant: their ids decide."""
    kind, data_of = chance.choice(
        [
            ("account", _tells_account),
            ("contact", _tells_contact),
            ("rep", _tells_rep),
            ("subscription", _tells_subscription),
            ("survey", _says),
            ("outcome", _goal),
        ]
    )
    account = None if kind == "rep" else _account(chance)
    day, hour, one = _day(chance), _hour(chance), data_of(chance)
    key = {name: one[name] for name in (kind, "goal") if name in one}
    return [
        Moment(day, hour, kind, account, data_of(chance) | key) for _ in range(chance.randint(2, 5))
    ]


def _tells_subscription(chance: Random) -> Raw:
    status = chance.choice(["trial", "started", "renewed", "changed", "churned"])
    worth = _some(chance, {"seats": [0, 3, 5, None], "mrr": [0.1, 0.2, 500, None]})
    if chance.random() < 0.1:
        worth["currency"] = chance.choice(["EUR", "USD", None])
    term = _term(chance) if chance.random() < 0.6 else {}
    return {"subscription": chance.choice(["s1", "s2"]), "status": status} | worth | term


_LIVES = [
    ["trial"],
    ["started"],
    ["trial", "started", "changed"],
    ["trial", "changed"],
    ["trial", "churned"],
    ["started", "churned"],
    ["started", "churned", "started"],
    ["started", "changed", "renewed", "renewed"],
    ["trial", "started", "renewed", "churned", "renewed"],
]


def _subscription(chance: Random) -> Story:
    """A trial, a sale, a change, a renewal, an end, a win-back: some of them, in that order.

    Two lives may share an id: ids are used again for successive terms.
    """
    account, name = _account(chance), chance.choice(["s1", "s2"])
    life = chance.choice(_LIVES)
    story = []
    for status, day in zip(life, sorted((_day(chance) for _ in life), reverse=True), strict=True):
        data = _tells_subscription(chance) | {"subscription": name, "status": status}
        story.append(Moment(day, _hour(chance), "subscription", account, data))
    return story


def _term(chance: Random) -> Raw:
    start = TODAY - timedelta(chance.choice([400, 365, 90, 90, 31, 30, 1, 0, -1, -20]))
    length = chance.choice([None, 1, 14, 30, 90, 365, 400])
    if length is None:
        return {"term_start": start.isoformat()} | _some(chance, {"term_end": [None]})
    end = start + timedelta(length)
    return {"term_start": start.isoformat(), "term_end": end.isoformat()}


def _says(chance: Random) -> Raw:
    """An answer to a survey of any kind, with fractions and at the edges of what its words mean."""
    kind = chance.choice(["nps", "nps", "csat", "perception"])
    scores: dict[str, list[Any]] = {
        "nps": [0, 6, 6.4, 7, 8.9, 9, 10],
        "csat": [1, 3, 3.5, 4, 5],
        "perception": ["positive", "neutral", "negative"],
    }
    said: Raw = {"kind": kind, "score": chance.choice(scores[kind])}
    return said | _some(chance, {"contact": [*CONTACTS, None]})


def _ticket(chance: Random) -> Story:
    """A ticket's steps, in a sensible order or in none."""
    account, name = _account(chance), chance.choice(["t1", "t2", "t3"])
    steps = chance.choice(
        [
            ["opened"],
            ["opened", "resolved"],
            ["opened", "escalated", "resolved"],
            ["opened", "escalated", "deescalated", "escalated"],
            ["resolved", "opened"],
            ["escalated"],
            ["opened", "resolved", "opened"],
        ]
    )
    about: dict[str, list[Any]] = {
        "priority": ["high", None],
        "defect": [True, False, None],
        "topic": ["billing"],
    }
    days = sorted((_day(chance) for _ in steps), reverse=True)
    return [
        Moment(
            day,
            _hour(chance),
            "ticket",
            account,
            {"ticket": name, "status": status} | _some(chance, about),
        )
        for status, day in zip(steps, days, strict=True)
    ]


def _goal(chance: Random) -> Raw:
    due = [(TODAY + timedelta(days)).isoformat() for days in (-30, -1, 0, 1)]
    fields: dict[str, list[Any]] = {
        "target": [10, 0, "5 days", None],
        "value": [5, 12.5, "four", None],
        "progress": [0, 40, 99.5, 100, None],
        "cost": [0, 100, 250.5, None],
        "benefit": [300, -20, None],
        "achieved": [True, False, None],
        "due": [*due, None],
    }
    return {"goal": chance.choice(["g1", "g2"])} | _some(chance, fields)


def _conversation(chance: Random) -> Story:
    """Mails to and fro, some in one instant, some answered late or by a mail to somebody else."""
    last, account = chance.choice([0, 1, 5, 60, 88, 90]), _account(chance)
    story = []
    for i in range(chance.choice([3, 6, 10])):
        people = {"reps": [chance.choice(REPS)], "contacts": chance.choices(CONTACTS, k=2)}
        data = {"channel": "email", "direction": chance.choice(_DIRECTIONS), **people}
        if chance.random() < 0.3:
            data["cc"] = chance.choices(CONTACTS, k=1)
        story.append(Moment(last + i // 4, _hour(chance), "interaction", account, data))
    return story


def _paying(chance: Random) -> Story:
    """A subscription whose MRR rises and falls within the year."""
    account, name = _account(chance), chance.choice(["s1", "s2", "s3"])
    start = {"term_start": (TODAY - timedelta(chance.choice([500, 366, 300]))).isoformat()}
    story = [
        Moment(
            chance.choice([500, 365, 300]),
            time(9),
            "subscription",
            account,
            {"subscription": name, "status": "started", "mrr": 100, "seats": 4} | start,
        )
    ]
    for _ in range(chance.choice([1, 3, 6])):
        data = {"subscription": name, "status": "changed", "mrr": chance.choice([0, 50, 120, 300])}
        story.append(Moment(_day(chance), _hour(chance), "subscription", account, data))
    return story


def _user(chance: Random) -> Story:
    """Somebody who uses several features on many days."""
    account, user, last = _account(chance), chance.choice(CONTACTS), chance.choice([0, 1, 20, 29])
    story = []
    for i in range(chance.choice([4, 12, 30])):
        data = {"user": user} | _usage(chance) | {"user": user}
        story.append(Moment(last + i // 2, _hour(chance), "usage", account, data))
    return story


def _poll(chance: Random) -> Story:
    """Several people asked within some days."""
    account, last = _account(chance), chance.choice([0, 1, 89, 90, 178, 179, 180, 363, 364])
    return [
        Moment(last + i // 2, _hour(chance), "survey", account, _says(chance))
        for i in range(chance.choice([2, 5]))
    ]


def _tomorrow(chance: Random) -> Story:
    """Dated ahead by a clock that goes fast, but no more than 24 hours after receipt."""
    kind, data_of = chance.choice(
        [("interaction", _interaction), ("usage", _usage), ("account", _tells_account)]
    )
    hour = chance.choice([time(), time(9), time(12)])
    return [Moment(-1, hour, kind, _account(chance), data_of(chance))]


_STORIES: list[Callable[[Random], Story]] = [
    *[_series] * 4,
    *[_once("interaction", _interaction)] * 2,
    *[_once("contact", _tells_contact)] * 7,
    *[_usage_run] * 2,
    *[_subscription] * 2,
    _once("account", _tells_account),
    _once("rep", _tells_rep),
    _once("usage", _usage),
    *[_monologue] * 2,
    _all_hands,
    _busy_day,
    _leaving,
    _at_once,
    _at_once,
    *[_once("survey", _says)] * 3,
    *[_ticket] * 2,
    *[_once("outcome", _goal)] * 3,
    _tomorrow,
]

_FURTHER: list[Callable[[Random], Story]] = [
    *[_conversation] * 3,
    *[_paying] * 3,
    *[_user] * 3,
    *[_poll] * 4,
    *[_ticket] * 4,
    *[_once("outcome", _goal)] * 4,
    *[_once("contact", _tells_contact)] * 5,
    *[_series] * 3,
    _once("rep", _tells_rep),
    _once("account", _tells_account),
    _once("account", lambda chance: {"seats": 5, "currency": "EUR"}),
    _subscription,
    _leaving,
    _at_once,
    _tomorrow,
]

any_history = st.one_of(histories(), histories(further=True))
