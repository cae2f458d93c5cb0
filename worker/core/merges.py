"""Two contacts, or two accounts, that turn out to be one.

An event stays in the log as it was sent. Whom it is about is read anew: by the merges in force, so
that a merge holds for what came before it as for what comes later, and can be undone.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec.structs import replace

from worker.core.contents import Contact, Content, Interaction, Survey, Usage
from worker.core.events import Event

Merge = tuple[str, str]
"""(stamp, survivor): the later of two statements about one contact has the greater stamp."""


class Claim(NamedTuple):
    """What an event says: that a contact of an account is another one. `source` is the event's."""

    account: str
    contact: str
    survivor: str
    stamp: str
    source: str


Key = tuple[str, str]
"""(account, contact)"""


def claims_in(events: Iterable[Event]) -> dict[Key, Claim]:
    """What events say, by account and contact; of one contact the latest statement stands."""
    found: dict[Key, Claim] = {}
    for event in events:
        if event.alias is None or event.account is None or not isinstance(event.data, Contact):
            continue
        if event.alias == event.data.contact:
            continue
        key, stamp = (event.account, event.alias), stamp_of(event.time, event.id)
        if key not in found or found[key].stamp < stamp:
            found[key] = Claim(*key, event.data.contact, stamp, event.source)
    return found


def latest(one: Mapping[Key, Claim], other: Mapping[Key, Claim]) -> dict[Key, Claim]:
    """What both say together."""
    return {**one, **other} | {
        key: max(one[key], other[key], key=lambda claim: claim.stamp)
        for key in one.keys() & other.keys()
    }


def stamp_of(moment: datetime, id_: str) -> str:
    """What decides which of two statements is the later one: the time, then the event's id."""
    return f"{moment.astimezone(UTC).isoformat(timespec='microseconds')} {id_}"


def people_in(data: Content) -> Collection[str]:
    """The contacts that an event names."""
    match data:
        case Interaction():
            return {*data.contacts, *(data.cc or ())}
        case Usage(user=str() as contact) | Contact(contact=contact):
            return (contact,)
        case Survey(contact=str() as contact):
            return (contact,)
    return ()


def renamed(data: Content, people: Mapping[str, str]) -> Content:
    """The same with other names of contacts; those not in `people` keep theirs."""
    if people.keys().isdisjoint(people_in(data)):
        return data
    match data:
        case Interaction():
            cc = data.cc and [people.get(one, one) for one in data.cc]
            return replace(data, contacts=[people.get(one, one) for one in data.contacts], cc=cc)
        case Usage(user=str() as user):
            return replace(data, user=people[user])
        case Contact(contact=contact) | Survey(contact=str() as contact):
            return replace(data, contact=people[contact])
    return data


def moved(event: Event, account: str, people: Mapping[str, str]) -> Event:
    """The event as one of another account, about contacts of other names."""
    data = renamed(event.data, people)
    if data is event.data and account == event.account:
        return event
    return replace(event, account=account, data=data)


def persons(merges: Mapping[str, Merge]) -> dict[str, str]:
    """Who each contact of an account is in the end, by what was said of each.

    Where statements go round in a circle, the latest of those is as if it had not been made.
    """
    told = dict(merges)
    found = {}
    for start in sorted(told):
        path = [start]
        while path[-1] in told:
            _, survivor = told[path[-1]]
            if survivor in path:
                circle = path[path.index(survivor) :]
                del told[max(circle, key=lambda one: (told[one], one))]
                path = [start]
            else:
                path.append(survivor)
        if path[-1] != start:
            found[start] = path[-1]
    return found
