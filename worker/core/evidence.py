"""The people behind a flag, in lines that a rep can act on: who was last in contact, who is
nearest, and who is missing."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from worker.core.conditions import AllOf, AnyOf, Compare, Condition, Not
from worker.core.facts import People, decision_level, people_of
from worker.core.stats import AccountStats, ContactStats, Workspace
from worker.core.ties import Strength, Tier, strength
from worker.core.units import Unit, shown


def facts_in(condition: Condition) -> frozenset[str]:
    """The names of the facts that a condition looks at."""
    match condition:
        case Compare(fact=name):
            return frozenset({name})
        case Not(part=part):
            return facts_in(part)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return frozenset().union(*map(facts_in, parts))


class _Relation(NamedTuple):
    """A contact's best tie: the order of the fields is what makes one better."""

    tier: Tier
    score: float
    day: int
    contact: str
    rep: str


class _Group(NamedTuple):
    """A kind of contact that rules speak of."""

    fact_part: str
    one: str
    many: str


_GROUPS = (
    _Group("exec", "executive", "executives"),
    _Group("user", "user", "users"),
)


def who(
    stats: AccountStats,
    on: int,
    workspace: Workspace,
    facts: Collection[str],
    rep_names: Mapping[str, str],
) -> tuple[str, ...]:
    """Lines on the people whom these facts speak of, as of the day `on` (an ordinal).

    `rep_names` maps rep ids to names; a rep without one is shown by id.
    """
    people = people_of(stats, on)
    lines: list[str] = []
    for group in _GROUPS:
        if any(
            group.fact_part in name.split("_") or group.fact_part + "s" in name.split("_")
            for name in facts
        ):
            lines += _group_lines(stats, on, workspace, people, group, rep_names)
    return tuple(lines)


def _group_lines(
    stats: AccountStats,
    on: int,
    workspace: Workspace,
    people: People,
    group: _Group,
    rep_names: Mapping[str, str],
) -> Iterator[str]:
    members = people.execs if group.fact_part == "exec" else people.users
    persons = {person.contact: person for person in stats.contacts}
    last = max(
        ((tie.state.day, tie.contact, tie.rep) for tie in stats.ties if tie.contact in members),
        default=None,
    )
    if last is not None:
        day, contact, rep = last
        yield (
            f"Last {group.one} contact: {_person(persons, contact, people)}, "
            f"{_date(day)}, with {_rep(rep, rep_names, workspace)}."
        )
    elif len(members - people.gone) == 1:
        (only,) = members - people.gone
        yield f"No contact yet with the one known {group.one}: {_person(persons, only, people)}."
    elif members - people.gone:
        yield f"No contact yet with any of the {len(members - people.gone)} known {group.many}."
    else:
        yield f"No {group.one} is known at this account."
    nearest = max(_relations(stats, on, workspace, members - people.gone), default=None)
    if nearest is not None and (last is None or nearest.contact != last[1]):
        yield (
            f"Strongest tie to {_an(group.one)}: {_person(persons, nearest.contact, people)}, "
            f"{_words(nearest.tier)}, {_ago(on - nearest.day)}, "
            f"with {rep_names.get(nearest.rep, nearest.rep)}."
        )
    elif nearest is not None:
        yield f"That is also the strongest tie to {_an(group.one)}: {_words(nearest.tier)}."
    else:
        other = max(
            _relations(stats, on, workspace, set(persons) - members - people.gone), default=None
        )
        if other is not None:
            yield (
                f"Nearest other: {_person(persons, other.contact, people)}, "
                f"{_words(other.tier)}, {_ago(on - other.day)}."
            )
    if group.fact_part == "exec":
        unknown = sum(1 for p in stats.contacts if decision_level(p) is None and not p.gone)
        if unknown:
            has = "1 contact has" if unknown == 1 else f"{unknown} contacts have"
            yield f"{has} no known level: a title would say whether they decide."


def _relations(
    stats: AccountStats, on: int, workspace: Workspace, members: Collection[str]
) -> Iterator[_Relation]:
    for tie in stats.ties:
        if tie.contact in members and tie.rep not in workspace.gone_reps:
            of: Strength = strength(tie.state, on, workspace.ties)
            yield _Relation(of.tier, of.score, tie.state.day, tie.contact, tie.rep)


def _person(persons: Mapping[str, ContactStats], contact: str, people: People) -> str:
    person = persons.get(contact)
    name = person.name if person and person.name else contact
    title = f", {person.title}" if person and person.title else ""
    return f"{name}{title}{' (has left)' if contact in people.gone else ''}"


def _rep(rep: str, rep_names: Mapping[str, str], workspace: Workspace) -> str:
    return rep_names.get(rep, rep) + (" (has left)" if rep in workspace.gone_reps else "")


def _words(tier: Tier) -> str:
    return "hardly any tie" if tier is Tier.NONE else f"{tier.name.lower().replace('_', ' ')} tie"


def _date(day: int) -> str:
    when = date.fromordinal(day)
    return f"{when.day} {when:%b %Y}"


def _ago(days: int) -> str:
    return "today" if days == 0 else f"{shown(days, Unit.DAYS)} ago"


def _an(noun: str) -> str:
    return f"an {noun}" if noun[0] == "e" else f"a {noun}"
