"""Facts of relationships: who is in touch with whom, how strongly, and in which rhythm."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

from worker.core.catalogue import Fact, Part
from worker.core.measures import Measure, Source
from worker.core.people import EXEC_LEVELS, function_of, level_of
from worker.core.stats import AccountStats, Mail, Workspace
from worker.core.ties import RECENT_DAYS, TWO_WAY_DAYS, Tier, strength
from worker.core.units import NEVER, Unit, Value

USER_ROLES = frozenset({"user", "champion", "admin"})
USER_DAYS = 90
"""A contact is a user for so many complete days after using the product."""

RHYTHM_DAYS = 365
"""Days whose contact with executives tells the usual gap."""

CONTACT_DAYS = 90
"""Complete days in which meetings, mails and answers are counted."""

_EVENTS = ("interaction", "contact", "rep")
_WITH_USAGE = ("interaction", "contact", "rep", "usage")
_NOBODY = "nobody's interactions have been recorded yet"
_TIES = "Tier of the contact's best tie with a rep who has not left; those who left do not count."

_INTERACTIONS = Measure(Source.INTERACTION, "interactions", CONTACT_DAYS)
_MEETINGS = _INTERACTIONS._replace(where=(("channel", ("meeting",)),))
_INBOUND = _INTERACTIONS._replace(where=(("direction", ("inbound",)),))
_OUTBOUND = _INTERACTIONS._replace(where=(("direction", ("outbound",)),))
MEASURES = (_MEETINGS, _INBOUND, _OUTBOUND)


def _count(name: str, label: str, meaning: str, formula: str = "", part: Part = Part.BASE) -> Fact:
    return Fact(
        name, Unit.COUNT, label, meaning, _NOBODY, part=part, formula=formula, events=_WITH_USAGE
    )


def _since(name: str, label: str, meaning: str, formula: str = "", part: Part = Part.BASE) -> Fact:
    return Fact(
        name, Unit.DAYS, label, meaning, _NOBODY, part=part, formula=formula, events=_EVENTS
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
    Fact(
        "exec_contact_usual_gap",
        Unit.DAYS,
        "usual gap between contacts with executives",
        "median days from one day of contact with an executive to the next in the last year",
        _NOBODY + ", or there were fewer than 2 days of such contact in the year",
        part=Part.RHYTHM,
        formula="Days of contact with any executive, in either direction, from 364 days before the "
        "date up to it; the median of the gaps between one and the next.",
        whole=False,
        events=_EVENTS,
        least=1,
        most=364,
    ),
    Fact(
        "exec_silence_ratio",
        Unit.NUMBER,
        "silence of executives in usual gaps",
        "the gap since the last contact with an executive, in usual gaps: beyond 8 a tie is "
        "mostly gone",
        _NOBODY + ", or exec_contact_usual_gap is unknown",
        part=Part.RHYTHM,
        formula="days_since_exec_contact / exec_contact_usual_gap.",
        events=_EVENTS,
        least=0,
    ),
    Fact(
        "response_hours",
        Unit.HOURS,
        "usual time to answer a mail",
        "median hours from an inbound mail to the next outbound one to that contact",
        _NOBODY + ", or no inbound mail of these days has been answered",
        part=Part.RESPONSES,
        formula="Inbound mails of the 90 complete days before the date, each by each of its "
        "contacts (not cc), to the first later outbound mail that has the contact in contacts or "
        "cc, by the end of the date; mails without one do not count.",
        events=("interaction",),
        least=0,
    ),
    Fact(
        "inbound_share_90d",
        Unit.PERCENT,
        "share of contact that is inbound",
        "inbound interactions, as a share of those with a direction, in 90 days",
        _NOBODY + ", or there is none of either in these days",
        part=Part.CONTACTS,
        formula="100 * inbound / (inbound + outbound) of the 90 complete days before the date; "
        "mutual ones do not count.",
        events=("interaction",),
        least=0,
        most=100,
    ),
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
        _NOBODY + ", or there is no strong tie",
        part=Part.RELATIONS,
        formula="100 * strong ties of that rep / strong ties of all reps. A contact with strong "
        "ties to two reps counts for both; reps and contacts who have left do not.",
        events=_EVENTS,
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
    Fact(
        "meetings_90d",
        Unit.COUNT,
        "meetings in the last 90 days",
        "meetings held in the 90 complete days before the date",
        _NOBODY,
        part=Part.CONTACTS,
        events=("interaction",),
    ),
    Fact(
        "engaged",
        Unit.YES_NO,
        "engaged",
        "whether there was a word from the customer within 90 days",
        _NOBODY,
        part=Part.RELATIONS,
        formula="days_since_inbound is at most 90.",
        events=("interaction",),
    ),
)


@dataclass(frozen=True, slots=True)
class People:
    """Who is who among an account's contacts. `users` and `execs` hold those who have left too."""

    users: set[str]
    execs: set[str]
    gone: set[str]


def people_of(stats: AccountStats, on: int) -> People:
    """Users and executives of the account on the day `on` (an ordinal)."""
    users, execs, gone = set(), set(), set()
    first_day_as_user = on - USER_DAYS
    for contact, _, title, level, role, has_left, used, _ in stats.contacts:
        if role in USER_ROLES or (used or 0) >= first_day_as_user:
            users.add(contact)
        if decision_level(level, title) in EXEC_LEVELS:
            execs.add(contact)
        if has_left:
            gone.add(contact)
    return People(users, execs, gone)


def decision_level(given: str | None, title: str | None) -> str | None:
    """The level that an event gave, else the one that the title tells; None if neither does."""
    return given or (level_of(title) if title else None)


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


def since(day: int | None, on: int) -> int | float:
    """Days since a day, of which there may be none (None, or 0 where days are compared)."""
    return on - day if day else NEVER


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
            functions.add(_function(one.function, one.title))
    silence = of.facts["days_since_inbound"]
    return {
        "days_since_inbound_exec": since(heard, on),
        "champions": champions,
        "champions_left": sum(bool(one.gone) and one.role == "champion" for one in stats.contacts),
        "single_rep_share": 100 * max(held.values()) / held.total() if held else None,
        "roles_covered": len(functions - {None}),
        "engaged": isinstance(silence, int | float) and silence <= RECENT_DAYS,
    }


def _function(given: str | None, title: str | None) -> str | None:
    """The function that an event gave, in one spelling, else the one that the title tells."""
    if given and given.strip():
        return " ".join(given.split()).casefold()
    return function_of(title) if title else None


def rhythm(
    met: Iterable[tuple[str, int]], execs: set[str], silence: Value, on: int
) -> dict[str, Value]:
    """How often executives are met, from (contact, day) of the last year, and how long not now."""
    days = sorted(
        {day for contact, day in met if contact in execs and on - RHYTHM_DAYS < day <= on}
    )
    gap = median(later - day for day, later in pairwise(days)) if len(days) > 1 else None
    ratio = silence / gap if gap and isinstance(silence, int | float) else None
    return {"exec_contact_usual_gap": gap, "exec_silence_ratio": ratio}


def responses(mails: Sequence[Mail], on: int) -> dict[str, Value]:
    """How fast inbound mails of the last 90 complete days were answered, if they were."""
    hours = []
    answers: dict[str, int] = {}
    # From the last one back: of outbound mails the one just seen is the next one. Those of the
    # same instant do not answer each other.
    for _, at_once in groupby(sorted(mails, key=_latest_first), key=_latest_first):
        together = list(at_once)
        for mail in together:
            answer = answers.get(mail.contact)
            if mail.inbound and answer is not None and on - CONTACT_DAYS <= mail.day < on:
                hours.append((answer - mail.at) / _MICROSECONDS)
        answers |= {mail.contact: mail.at for mail in together if not mail.inbound}
    return {"response_hours": median(hours) if hours else None}


_MICROSECONDS = 3_600_000_000
"""In an hour."""


def _latest_first(mail: Mail) -> int:
    return -mail.at


def contacts(measures: dict[Measure, int]) -> dict[str, Value]:
    """How much contact there was in the last 90 complete days."""
    inbound, outbound = measures[_INBOUND], measures[_OUTBOUND]
    both = inbound + outbound
    return {
        "inbound_share_90d": 100 * inbound / both if both else None,
        "meetings_90d": measures[_MEETINGS],
    }
