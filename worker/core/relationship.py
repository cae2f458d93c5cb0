"""Facts of relationships: who is in touch with whom, and how strongly."""

from collections import Counter
from dataclasses import dataclass

from worker.core import exchanges
from worker.core.catalogue import Fact, Part
from worker.core.contacts import USER_DAYS, People, function, people_of
from worker.core.exchanges import NOBODY, OF_PEOPLE
from worker.core.stats import AccountStats, Workspace
from worker.core.ties import RECENT_DAYS, TWO_WAY_DAYS, Tier, strength
from worker.core.units import Unit, Value, since

_WITH_USAGE = ("interaction", "contact", "rep", "usage")
_TIES = "Tier of the contact's best tie with a rep who has not left; those who left do not count."


def _count(name: str, label: str, meaning: str, formula: str = "", part: Part = Part.BASE) -> Fact:
    return Fact(
        name, Unit.COUNT, label, meaning, NOBODY, part=part, formula=formula, events=_WITH_USAGE
    )


def _since(name: str, label: str, meaning: str, formula: str = "", part: Part = Part.BASE) -> Fact:
    return Fact(
        name, Unit.DAYS, label, meaning, NOBODY, part=part, formula=formula, events=OF_PEOPLE
    )


FACTS = (
    _count(
        "strong_user_ties",
        "users with a strong tie",
        "users with a tie that is strong or very strong",
        _TIES,
    ),
    _count(
        "strong_exec_ties",
        "executives with a strong tie",
        "executives with a tie that is strong or very strong",
        _TIES,
    ),
    _count(
        "user_ties",
        "users with a tie",
        "users with a tie that is weak or better and heard from within 365 days",
        _TIES,
    ),
    _count(
        "exec_ties",
        "executives with a tie",
        "executives with a tie that is weak or better and heard from within 365 days",
        _TIES,
    ),
    _count("known_users", "known users", "contacts known to be users"),
    _count(
        "known_execs",
        "known executives",
        "contacts known to be executives: director, vice president or C level",
    ),
    _count("strong_reps", "reps with a strong tie", "reps with a strong tie to any contact", _TIES),
    _since("days_since_contact", "last contact", "days since any contact, in either direction"),
    _since(
        "days_since_user_contact",
        "last contact with a user",
        "days since contact with a user, in either direction",
    ),
    _since(
        "days_since_exec_contact",
        "last contact with an executive",
        "days since contact with an executive, in either direction",
    ),
    _since(
        "days_since_inbound",
        "last word from the customer",
        "days since the customer last wrote, called or met",
        "Inbound or mutual.",
    ),
    _since(
        "days_since_inbound_exec",
        "last word from an executive",
        "days since an executive last wrote, called or met",
        "Inbound or mutual, executives who have left included.",
        Part.RELATIONS,
    ),
    *exchanges.RHYTHM,
    *exchanges.MAILS,
    _count(
        "champions",
        "champions",
        "contacts with the role champion who use the product, and strong users",
        "Contacts who have used the product in the 90 complete days before the date and have the "
        "role champion or a strong tie.",
        Part.RELATIONS,
    ),
    _count(
        "champions_left",
        "champions who have left",
        "contacts with the role champion who have left",
        part=Part.RELATIONS,
    ),
    Fact(
        "single_rep_share",
        Unit.PERCENT,
        "share of strong ties held by one rep",
        "share of the strong ties that the rep with the most of them holds: what is lost if that "
        "rep leaves",
        NOBODY + ", or there is no strong tie",
        part=Part.RELATIONS,
        formula="100 * strong ties of that rep / strong ties of all reps. A contact with strong "
        "ties to two reps counts for both; reps and contacts who have left do not.",
        events=OF_PEOPLE,
        least=0,
        most=100,
    ),
    _count(
        "roles_covered",
        "functions with a tie",
        "distinct functions with at least a moderate tie",
        "Functions of contacts, by the contact's function, else by job title. " + _TIES,
        Part.RELATIONS,
    ),
    *exchanges.MEETINGS,
    Fact(
        "engaged",
        Unit.YES_NO,
        "engaged",
        "whether there was a word from the customer within 90 days",
        NOBODY,
        part=Part.RELATIONS,
        formula="days_since_inbound is at most 90.",
        events=("interaction",),
    ),
)


@dataclass(frozen=True, slots=True)
class Related:
    """What a look through the ties finds: the facts of every evaluation, and what others need.

    `strong` are (contact, rep) of strong ties, `moderate` the contacts with at least such a tie.
    """

    facts: dict[str, Value]
    people: People
    strong: list[tuple[str, str]]
    moderate: set[str]


def related(stats: AccountStats, on: int, workspace: Workspace) -> Related:
    """Look through the ties of an account on the day `on`."""
    # Spelt out, without calls of max: a sweep looks at half a million ties.
    people = people_of(stats, on)
    users, execs, gone = people.users, people.execs, people.gone
    gone_reps, settings, latest_silence = workspace.gone_reps, workspace.ties, on - TWO_WAY_DAYS
    alive, moderate, ties = set(), set(), []
    contact = user_contact = exec_contact = inbound = 0
    for rep, name, state in stats.ties:
        day, heard = state.day, state.two_way_day or 0
        if day > contact:
            contact = day
        if heard > inbound:
            inbound = heard
        if day > user_contact and name in users:
            user_contact = day
        if day > exec_contact and name in execs:
            exec_contact = day
        # Below, a tie counts only where both are still there and the contact has been heard from.
        if heard < latest_silence or name in gone or rep in gone_reps:
            continue
        tier = strength(state, on, settings).tier
        if tier >= Tier.WEAK:
            alive.add(name)
        if tier >= Tier.MODERATE:
            moderate.add(name)
        if tier >= Tier.STRONG:
            ties.append((name, rep))
    strong = {name for name, _ in ties}
    facts: dict[str, Value] = {
        "strong_user_ties": len(strong & users),
        "strong_exec_ties": len(strong & execs),
        "user_ties": len(alive & users),
        "exec_ties": len(alive & execs),
        "known_users": len(users - gone),
        "known_execs": len(execs - gone),
        "strong_reps": len({rep for _, rep in ties}),
        "days_since_contact": since(contact, on),
        "days_since_user_contact": since(user_contact, on),
        "days_since_exec_contact": since(exec_contact, on),
        "days_since_inbound": since(inbound, on),
    }
    return Related(facts, people, ties, moderate)


def relations(stats: AccountStats, on: int, of: Related) -> dict[str, Value]:
    """What else the ties and the people say."""
    strong = {contact for contact, _ in of.strong}
    held = Counter(rep for _, rep in of.strong)
    heard = max(
        (tie.state.two_way_day or 0 for tie in stats.ties if tie.contact in of.people.execs),
        default=0,
    )
    champions, functions = 0, set()
    for one in stats.contacts:
        if one.gone:
            continue
        used = (one.used or 0) >= on - USER_DAYS
        champions += used and (one.role == "champion" or one.contact in strong)
        if one.contact in of.moderate:
            functions.add(function(one.function, one.title))
    silence = of.facts["days_since_inbound"]
    return {
        "days_since_inbound_exec": since(heard, on),
        "champions": champions,
        "champions_left": sum(bool(one.gone) and one.role == "champion" for one in stats.contacts),
        "single_rep_share": 100 * max(held.values()) / held.total() if held else None,
        "roles_covered": len(functions - {None}),
        "engaged": isinstance(silence, int | float) and silence <= RECENT_DAYS,
    }
