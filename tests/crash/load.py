"""A load of events whose outcome does not depend on the order or the batches in which they come.

Flags move with what is known at the moment, so in general the order decides which of them open on
the way. Here each account's history comes first (`history`), and of the load itself
(`load`) one event an account can move a flag; all others only have to be counted. So a run with
any number of crashes must end with exactly the flags and alerts of an undisturbed one.
"""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

Raw = dict[str, Any]

ACCOUNTS = 200
EVENTS = 20_000

RENEWAL = "renewal-without-exec-contact"
SINGLE = "single-threaded"
ADOPTION = "adoption-without-user-ties"
FALLING = "adoption-falling-without-contact"

STORIES = ("silent", "mended", "falling", "adopted", "healthy")
"""What becomes of an account; each story is that of every fifth one."""

REPS = [f"rep-{number}" for number in range(8)]
STAFF = ["staff-1", "staff-2", "staff-3"]
"""Contacts who are neither executives nor users: contact with them moves none of the rules."""

USERS = ["user-1", "user-2", "user-3", "user-4"]


def account_id(number: int) -> str:
    """The id of an account; its story is `STORIES[number % 5]`."""
    return f"account-{number:03}"


def history(today: date) -> list[Raw]:
    """What is stored before the load comes: people, attributes, and what led to this day."""
    events = [_event("base", f"{rep}", today, 400, "rep", None, rep=rep, name=rep) for rep in REPS]
    for number in range(ACCOUNTS):
        for place, (days_ago, kind, fields) in enumerate(_past(number, today)):
            id_ = f"{number}-{place}"
            events.append(_event("base", id_, today, days_ago, kind, account_id(number), **fields))
    return events


def load(today: date, seed: int) -> list[Raw]:
    """`EVENTS` events in a random order: every turn of a story, and noise around it.

    Some of the noise comes twice, and some is bad.
    """
    chance = Random(seed)
    turns = [turn for number in range(ACCOUNTS) if (turn := _turn(number, today)) is not None]
    noise = [_noise(chance, today, number) for number in range(EVENTS - len(turns) - 600)]
    bad = [_bad(today, number) for number in range(100)]
    events = turns + noise + bad + chance.sample(noise, 500)
    chance.shuffle(events)
    return events


def _past(number: int, today: date) -> list[tuple[int, str, Raw]]:
    """(days before `today`, type, fields) of what an account has been through."""
    story = STORIES[number % len(STORIES)]
    rep = _owner(number)
    account: Raw = {"name": f"Account {number}", "owner": rep, "mrr": 100.0 * number}
    account["renewal_date"] = f"{today + timedelta(200)}"
    past = [
        *[(390, "contact", {"contact": s, "level": "staff", "role": "other"}) for s in STAFF],
        *[(390, "contact", {"contact": u, "level": "staff", "role": "user"}) for u in USERS],
        (390, "contact", {"contact": "boss", "title": "CIO", "name": "Bo Ss"}),
        (395, "interaction", _contact("email", rep, USERS[0], direction="outbound")),
    ]
    match story:
        case "silent":
            account |= {"lifecycle": "onboarding", "renewal_date": f"{today + timedelta(30)}"}
            past.append((40, "interaction", _contact("meeting", rep, "boss")))
        case "mended":
            account["renewal_date"] = f"{today + timedelta(20)}"
            past.append((40, "interaction", _contact("meeting", rep, "boss")))
        case "falling":
            account["lifecycle"] = "onboarding"
            past.append((45, "interaction", _contact("call", rep, USERS[1])))
            past += [(day, "usage", {"user": USERS[1], "count": 10}) for day in range(31, 61, 3)]
            past += [(day, "usage", {"user": USERS[1], "count": 2}) for day in range(1, 31, 3)]
        case "adopted":
            past += [(9, "usage", {"user": user}) for user in USERS]
        case "healthy":
            account["renewal_date"] = f"{today + timedelta(25)}"
            past += [
                (day, "interaction", _contact("meeting", rep, "boss")) for day in range(2, 72, 7)
            ]
    return [(395, "account", account), *past]


def _turn(number: int, today: date) -> Raw | None:
    """The one event of an account's load that moves a flag of it."""
    turn: tuple[int, str, Raw]
    match STORIES[number % len(STORIES)]:
        case "silent" | "falling":
            turn = (2, "account", {"lifecycle": "active"})
        case "mended":
            turn = (3, "interaction", _contact("meeting", _owner(number), "boss"))
        case "adopted":
            sold: Raw = {"subscription": "s", "status": "started", "seats": 5}
            sold["term_start"] = f"{today - timedelta(165)}"
            sold["term_end"] = f"{today + timedelta(200)}"
            turn = (2, "subscription", sold)
        case _:
            return None
    days_ago, kind, fields = turn
    return _event("turn", f"{number}", today, days_ago, kind, account_id(number), **fields)


def _noise(chance: Random, today: date, number: int) -> Raw:
    """An event that counts but decides nothing."""
    account = account_id(chance.randrange(ACCOUNTS))
    staff, rep = chance.choice(STAFF), chance.choice(REPS)
    kind, days_ago, fields = chance.choices(
        [
            ("interaction", (0, 200), _contact("meeting", rep, staff)),
            ("interaction", (0, 200), _contact("email", rep, staff, direction="inbound")),
            ("interaction", (0, 200), _contact("email", rep, staff, direction="outbound")),
            ("usage", (95, 300), {"user": chance.choice(USERS), "count": chance.randint(1, 9)}),
            ("usage", (95, 300), {"feature": "report"}),
            ("contact", (1, 300), {"contact": staff, "name": f"Staff {number}"}),
            ("account", (1, 300), {"domains": [f"{number}.example"]}),
            ("ticket", (1, 300), {"ticket": f"{number}", "status": "opened"}),
        ],
        weights=[20, 20, 10, 30, 10, 4, 4, 2],
    )[0]
    return _event("noise", f"{number}", today, chance.randint(*days_ago), kind, account, **fields)


def _bad(today: date, number: int) -> Raw:
    fields = _contact("email", REPS[0], STAFF[0])  # without a direction
    return _event("bad", f"{number}", today, 1, "interaction", account_id(number), **fields)


def _contact(channel: str, rep: str, contact: str, **more: str) -> Raw:
    return {"channel": channel, "reps": [rep], "contacts": [contact], **more}


def _owner(number: int) -> str:
    return REPS[number % len(REPS)]


def _event(
    source: str, id_: str, today: date, days_ago: int, kind: str, account: str | None, **fields: Any
) -> Raw:
    moment = datetime.combine(today - timedelta(days_ago), time(9), UTC)
    event = {"source": source, "id": id_, "type": kind, "time": moment.isoformat(), "data": fields}
    return event if account is None else event | {"subject": account}
