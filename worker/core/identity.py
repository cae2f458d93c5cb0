"""Whose an event is, and about whom, where it says so by e-mail addresses alone.

Accounts hold domains (`domains`), contacts and reps addresses (`emails`, `email`). Who holds them
now decides, not who did when the event came: it stays in the log as it was sent, and is read anew
when that changes. What somebody held last stays theirs until somebody else says that it is theirs.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from worker.core.addresses import decides, domains_of, normal, normal_domain
from worker.core.contents import Account, Contact, Content, Interaction, Rep
from worker.core.events import Event
from worker.core.merges import people_in, renamed
from worker.core.problems import quoted


class Holding(NamedTuple):
    """Who holds a domain or an address: an account (no contact), a contact of one, or a rep (no
    account). `stamp` is that of the last event that did, `current` whether it is their last word.
    """

    account: str
    person: str
    stamp: str
    current: bool


Holder = tuple[str, str]
"""(account, person): no person for an account itself, no account for a rep."""

Today = Mapping[Holder, Holder]
"""Who holders are since accounts and contacts were merged; those not in it are themselves."""

Holdings = Mapping[str, Collection[Holding]]
"""Who holds each domain and address that was asked for."""


@dataclass(slots=True)
class Reading:
    """What an event comes to by the holdings that there are: one of each account that takes part.

    `unknown` are the addresses whose account nobody has said, `disputed` those that several claim,
    `problems` what is to be settled first: no dispute, if it is logged as of an account already.
    """

    events: dict[str, Event] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    disputed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def in_one_form(data: Content) -> Content:
    """The content with every address in its one form; what is none stays as it is."""
    if isinstance(data, Interaction):
        data = replace(data, reps=[normal(one) or one for one in data.reps])
    return renamed(data, {one: normal(one) or one for one in people_in(data)})


def held_by(data: Content) -> tuple[str, list[str]] | None:
    """(person, what they hold) of an event that says so, the person empty for an account.

    What is no domain or address is not held, and free mail by nobody.
    """
    match data:
        case Account(domains=domains) if domains is not UNSET:
            found = [normal_domain(one) for one in domains or ()]
            return "", _distinct(one for one in found if one and decides(one))
        case Contact(contact=contact, emails=emails) if emails is not UNSET:
            return contact, _distinct(normal(one) for one in emails or ())
        case Rep(rep=rep, email=email) if email is not UNSET:
            return rep, _distinct([normal(email)])
    return None


def _distinct(keys: Iterable[str | None]) -> list[str]:
    return sorted({key for key in keys if key})


def keys_of(address: str, undeciding: Collection[str]) -> list[str]:
    """What is to be held for an address to be somebody's: itself and its domains, the nearest
    first, without those of free mail and those `undeciding`."""
    said = domains_of(address)
    return [address, *(one for one in said if decides(one) and one not in undeciding)]


def accounts_of(address: str, holdings: Holdings, undeciding: Collection[str]) -> list[str]:
    """The accounts that an address is of: none, one, or those that dispute it.

    One whose contact has it goes before one that has its domain, a near domain before one above.
    """
    own, *above = (_accounts(holdings.get(key, ())) for key in keys_of(address, undeciding))
    domain = next(filter(None, above), set())
    return sorted(own & domain or own or domain)


def _accounts(holdings: Iterable[Holding]) -> set[str]:
    return {one.account for one in standing(one for one in holdings if one.account)}


def standing(holdings: Iterable[Holding]) -> list[Holding]:
    """The holdings that count: the current ones, else the last that there was."""
    given = list(holdings)
    current = [one for one in given if one.current]
    return current or sorted(given, key=lambda one: (one.stamp, one))[-1:]


def person_of(account: str, address: str, holdings: Holdings, today: Today) -> Holder:
    """The contact of the account, or rep of no account, who has this address; else the address.

    One of another account that has been merged with this one is of both. Of several the first that
    is called otherwise than by an address.
    """
    theirs = [
        (one.account, one.person)
        for one in standing(
            one
            for one in holdings.get(address, ())
            if one.person and _survivor(one.account, today) == _survivor(account, today)
        )
    ]

    def called(one: Holder) -> tuple[bool, str, Holder]:
        _, name = today.get(one, one)
        return "@" in name, name, one

    return min(theirs, key=called, default=(account, address))


def _survivor(account: str, today: Today) -> str:
    return today.get((account, ""), (account, ""))[0]


def read(
    event: Event,
    holdings: Holdings,
    undeciding: Collection[str],
    logged: Collection[str],
    today: Today,
) -> Reading:
    """What an event with addresses for people comes to.

    `holdings` are those on all of `keys_of` its contacts and on its reps. `undeciding` are domains
    that say nothing of an account. Addresses in dispute are left to an account that it is `logged`
    as of, if there is one. `today` is of all holders and accounts: what is between two that are one
    by now is no dispute.
    """
    reading = Reading()
    found: dict[str, set[str]] = {}
    if event.account is not None:
        found[event.account] = set(people_in(event.data))
    else:
        for address in people_in(event.data):
            accounts = accounts_of(address, holdings, undeciding)
            for account in _settled(reading, address, accounts, logged, today):
                found.setdefault(account, set()).add(address)
        if not people_in(event.data):
            reading.problems.append(
                "it names no contact, and has no 'subject': it can be of any account"
            )
        if logged and not found:  # it cannot be told any more, and so stays as it was
            found[min(logged)] = set(people_in(event.data))
    reps = {rep: person_of("", rep, holdings, today)[1] for rep in reps_in(event.data)}
    parts: dict[str, dict[str, str]] = {account: {} for account in found if not found[account]}
    for account, addresses in found.items():
        for one in addresses:
            theirs, person = person_of(account, one, holdings, today)
            parts.setdefault(theirs, {})[one] = person
    for account, people in sorted(parts.items()):
        data = renamed(_only(event.data, people, reps), people)
        reading.events[account] = replace(event, account=account, data=data)
    reading.unknown.sort()
    reading.problems.sort()
    return reading


def _settled(
    reading: Reading,
    address: str,
    accounts: list[str],
    logged: Collection[str],
    today: Today,
) -> list[str]:
    """The accounts that a contact of the event is of; what keeps it from one is noted."""
    if "@" not in address:
        reading.problems.append(
            f"{quoted(address)} is no e-mail address, and the event has no 'subject': it can be "
            "of any account"
        )
        return []
    if not accounts:
        reading.unknown.append(address)
    if len({_survivor(one, today) for one in accounts}) == 1:
        return accounts[:1]
    if len(accounts) > 1:
        reading.disputed.append(address)
    if len(accounts) > 1 and logged:
        return [one for one in accounts if _survivor(one, today) in logged]
    if len(accounts) > 1:
        names = " and ".join(accounts)
        reading.problems.append(
            f"whose {quoted(address)} is, is disputed: {names} claim it. Merge them, or take its "
            "domain or the address from all but one: then it is taken in by itself"
        )
    return accounts


def reps_in(data: Content) -> Collection[str]:
    """The reps that an event names."""
    return data.reps if isinstance(data, Interaction) else ()


def _only(data: Content, contacts: Collection[str], reps: Mapping[str, str]) -> Content:
    """The content with these contacts alone, and with other names of reps."""
    if not isinstance(data, Interaction):
        return data
    return replace(
        data,
        reps=[reps[one] for one in data.reps],
        contacts=[one for one in data.contacts if one in contacts],
        cc=data.cc and [one for one in data.cc if one in contacts],
    )


def combined(events: Iterable[Event]) -> list[Event]:
    """Readings of one event, those of one account as one, in order of account: two accounts may
    have been merged since."""
    found: dict[str, Event] = {}
    for event in events:
        account = event.account or ""
        found[account] = _both(found[account], event) if account in found else event
    return [event for _, event in sorted(found.items())]


def _both(one: Event, other: Event) -> Event:
    if not isinstance(one.data, Interaction) or not isinstance(other.data, Interaction):
        return one
    contacts = [*one.data.contacts, *other.data.contacts]
    copied = [*(one.data.cc or ()), *(other.data.cc or ())]
    return replace(one, data=replace(one.data, contacts=contacts, cc=copied or None))
