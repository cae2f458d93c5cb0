"""Who takes part, from addresses alone: reps and contacts of an event, and of a mail by its sender.

An event whose attribute `tiewatchpeople` is `email` names people by their addresses. Ways in put
those on the right side; whose account and which contact an address is, is found out where events
are applied (`core/identity.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.core.addresses import People, Side, normal

PEOPLE = "tiewatchpeople"
"""The extension attribute of an event that names people by their addresses."""

BY_EMAIL = "email"
"""What that attribute says."""

SHARED = "tiewatchshared"
"""The extension attribute that lists the domains, with commas, that say nothing of an account."""

PERSON = {"usage": "user", "contact": "contact", "survey": "contact"}
"""The field of each type of event that names one contact."""

NAMING = ("interaction", *PERSON)
"""The types of events that name contacts, and so can leave their account to them."""

ONLY_OURS = "nobody but people of ours and shared mailboxes"
NONE_OF_OURS = "nobody of ours takes part, or only a shared mailbox"


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that is of no use here, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Sides:
    """Who takes part in an interaction, as addresses, each person once."""

    direction: str
    reps: list[str] = field(default_factory=list)
    contacts: list[str] = field(default_factory=list)
    cc: list[str] = field(default_factory=list)


def by_email(event: Any) -> bool:
    """Whether a decoded event names people by their addresses."""
    return isinstance(event, dict) and event.get(PEOPLE) == BY_EMAIL


def sort_people(event: Mapping[str, Any], people: People) -> dict[str, Any] | Ignored:
    """An event that names people by their addresses, each in its one form and on its side.

    People of ours among the contacts are reps; shared mailboxes are nobody. What is no address is
    an id, and stays as it is. An event that cannot be read so stays as it is, to be complained of.
    """
    content, type_ = event.get("data"), event.get("type")
    if not isinstance(content, dict):
        return dict(event)
    match type_:
        case "interaction":
            sorted_ = _interaction(content, people)
        case "usage" | "contact" | "survey":
            sorted_ = _about_one(content, PERSON[type_], bool(event.get("subject")), people)
        case _:
            return dict(event)
    if isinstance(sorted_, Ignored):
        return sorted_
    shared = people.undeciding(addresses_in(sorted_))
    return {**event, "data": sorted_} | ({SHARED: ",".join(shared)} if shared else {})


def addresses_in(content: Mapping[str, Any]) -> list[str]:
    """The contacts' addresses that an event's content names."""
    listed = [content.get(name) or [] for name in ("contacts", "cc")]
    single = [content.get(name) for name in ("user", "contact")]
    named = [one for some in listed if isinstance(some, list) for one in some] + single
    return [one for one in named if isinstance(one, str) and "@" in one]


def sides_of_mail(
    sender: str, to: Sequence[str], cc: Sequence[str], people: People
) -> Sides | Ignored:
    """Who takes part in a mail, and which way it went; the addresses are normal ones.

    Of ours it is who wrote or was written to; whoever only got a copy counts where there is no
    such. Of theirs it is who wrote or was written to by us, the others have got a copy.
    """
    ours = [_of(Side.OURS, some, people) for some in ([sender], to, cc)]
    theirs = [_of(Side.THEIRS, some, people) for some in ([sender], to, cc)]
    if not any(theirs):
        return Ignored(ONLY_OURS)
    reps = ours[0] + ours[1] or ours[2]
    if not reps:
        return Ignored(NONE_OF_OURS)
    if people.is_ours(sender):
        return Sides("outbound", *_distinct(reps, theirs[1], theirs[2]))
    return Sides("inbound", *_distinct(reps, theirs[0], theirs[1] + theirs[2]))


def sides_of_meeting(attending: Sequence[str], people: People) -> Sides | Ignored:
    """Who takes part in a meeting; the addresses are normal ones."""
    contacts = _of(Side.THEIRS, attending, people)
    if not contacts:
        return Ignored(ONLY_OURS)
    reps = _of(Side.OURS, attending, people)
    if not reps:
        return Ignored(NONE_OF_OURS)
    return Sides("mutual", *_distinct(reps, contacts, ()))


def _distinct(
    reps: Iterable[str], contacts: Iterable[str], cc: Iterable[str]
) -> tuple[list[str], list[str], list[str]]:
    """Each person once: whoever was written to has got no copy besides."""
    addressed = dict.fromkeys(contacts)
    copied = [one for one in dict.fromkeys(cc) if one not in addressed]
    return list(dict.fromkeys(reps)), list(addressed), copied


def _of(side: Side, addresses: Iterable[str], people: People) -> list[str]:
    return [one for one in addresses if people.side(one) is side]


def _interaction(content: Mapping[str, Any], people: People) -> dict[str, Any] | Ignored:
    reps, contacts, cc = (content.get(name) or [] for name in ("reps", "contacts", "cc"))
    if not all(_is_texts(one) for one in (reps, contacts, cc)):
        return dict(content)
    ours = [one for one in _known(reps) if not _is(Side.NOBODYS, one, people)]
    ours += [one for one in _known([*contacts, *cc]) if _is(Side.OURS, one, people)]
    theirs = [[one for one in _known(some) if _is_theirs(one, people)] for some in (contacts, cc)]
    if not any(theirs) and (contacts or cc):
        return Ignored(ONLY_OURS)
    if not ours and reps:
        return Ignored(NONE_OF_OURS)
    found = _distinct(ours, *theirs)
    named = dict(zip(("reps", "contacts", "cc"), found, strict=True))
    if not found[2]:
        del named["cc"]
    return {name: value for name, value in content.items() if name != "cc"} | named


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _about_one(
    content: Mapping[str, Any], field_: str, of_account: bool, people: People
) -> dict[str, Any] | Ignored:
    """Of an event about one contact. It may still say something of its account without them."""
    if content.get(field_) is None:
        return dict(content)
    (person,) = _known([content[field_]])
    if _is_theirs(person, people):
        return {**content, field_: person}
    if field_ == "user" and of_account and _is(Side.NOBODYS, person, people):
        return {name: value for name, value in content.items() if name != field_}
    return Ignored(ONLY_OURS)


def _known(named: Iterable[Any]) -> list[Any]:
    """The addresses among these in their one form; what is none stays as it is."""
    return [normal(one) or one for one in named]


def _is(side: Side, one: Any, people: People) -> bool:
    return isinstance(one, str) and "@" in one and people.side(one) is side


def _is_theirs(one: Any, people: People) -> bool:
    """A contact: an address of theirs, or what is no address and so an id."""
    return not _is(Side.OURS, one, people) and not _is(Side.NOBODYS, one, people)
