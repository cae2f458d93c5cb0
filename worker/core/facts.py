"""The facts: named, typed values of an account on a UTC date, computed from its stats.

The catalogue says what each fact means; `facts_of` is the one place that computes them, for the
event path, the sweeps, the command line and rule tests alike. A fact without data behind it is
None (unknown), never zero; days since something that never happened are NEVER.
"""

from dataclasses import dataclass, replace

from worker.core.health import health_facts
from worker.core.people import EXEC_LEVELS, level_of
from worker.core.stats import AccountStats, Workspace
from worker.core.subscriptions import Terms, terms_on
from worker.core.ties import TWO_WAY_DAYS, Tier, strength
from worker.core.units import NEVER, Unit, Value


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry of the catalogue: what a fact is called, means, and when it is unknown.

    `label` is what sentences call it: a plural for counts (`executives with a strong tie: 2`).
    `values` are the only texts that a text fact can be, if it is not free.
    """

    name: str
    unit: Unit
    label: str
    meaning: str
    unknown_when: str
    values: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


_NO_INTERACTIONS = "nobody's interactions have been recorded yet"
_NO_USAGE = "the account has no usage event yet"
_NO_USERS = "no usage event of the account names a user yet"

_NO_HEALTH = "rules/health.yaml has no parts, or nothing that they look at is known"

_CATALOGUE = (
    Fact(
        "strong_user_ties",
        Unit.COUNT,
        "users with a strong tie",
        "users with a tie that is strong or very strong",
        _NO_INTERACTIONS,
    ),
    Fact(
        "strong_exec_ties",
        Unit.COUNT,
        "executives with a strong tie",
        "executives with a tie that is strong or very strong",
        _NO_INTERACTIONS,
    ),
    Fact(
        "user_ties",
        Unit.COUNT,
        "users with a tie",
        "users with a tie that is weak or better and heard from within 365 days",
        _NO_INTERACTIONS,
    ),
    Fact(
        "exec_ties",
        Unit.COUNT,
        "executives with a tie",
        "executives with a tie that is weak or better and heard from within 365 days",
        _NO_INTERACTIONS,
    ),
    Fact("known_users", Unit.COUNT, "known users", "contacts known to be users", _NO_INTERACTIONS),
    Fact(
        "known_execs",
        Unit.COUNT,
        "known executives",
        "contacts known to be executives: director, vice president or C level",
        _NO_INTERACTIONS,
    ),
    Fact(
        "strong_reps",
        Unit.COUNT,
        "reps with a strong tie",
        "reps with a strong tie to any contact",
        _NO_INTERACTIONS,
    ),
    Fact(
        "days_since_contact",
        Unit.DAYS,
        "last contact",
        "days since any contact, in either direction",
        _NO_INTERACTIONS,
    ),
    Fact(
        "days_since_user_contact",
        Unit.DAYS,
        "last contact with a user",
        "days since contact with a user, in either direction",
        _NO_INTERACTIONS,
    ),
    Fact(
        "days_since_exec_contact",
        Unit.DAYS,
        "last contact with an executive",
        "days since contact with an executive, in either direction",
        _NO_INTERACTIONS,
    ),
    Fact(
        "days_since_inbound",
        Unit.DAYS,
        "last word from the customer",
        "days since the customer last wrote, called or met",
        _NO_INTERACTIONS,
    ),
    Fact("segment", Unit.TEXT, "segment", "the account's segment", "the account has none"),
    Fact(
        "lifecycle",
        Unit.TEXT,
        "lifecycle",
        "trial, onboarding, active or churned",
        "never",
        ("trial", "onboarding", "active", "churned"),
    ),
    Fact(
        "owner", Unit.TEXT, "owner", "the rep responsible for the account", "the account has none"
    ),
    Fact(
        "mrr",
        Unit.MONEY,
        "monthly recurring revenue",
        "monthly recurring revenue: of the active subscriptions, else the account's",
        "neither a subscription nor the account says",
    ),
    Fact(
        "licences",
        Unit.COUNT,
        "licences",
        "seats of the active subscriptions, else the account's",
        "neither a subscription nor the account says",
    ),
    Fact(
        "days_to_renewal",
        Unit.DAYS,
        "time to renewal",
        "days until the renewal date; negative once it has passed",
        "no renewal date or term end is known",
    ),
    Fact(
        "tenure_days",
        Unit.DAYS,
        "time since the first event",
        "days since the account's first event",
        "there is no event yet",
    ),
    Fact(
        "licences_used",
        Unit.COUNT,
        "licences in use",
        "distinct users with usage in the 30 complete days before the date",
        _NO_USERS,
    ),
    Fact(
        "adoption",
        Unit.PERCENT,
        "adoption",
        "licences used, as a share of the licences",
        _NO_USERS + ", or there are no licences",
    ),
    Fact(
        "usage_30d",
        Unit.COUNT,
        "uses in the last 30 days",
        "usage counts in the 30 complete days before the date",
        _NO_USAGE,
    ),
    Fact(
        "usage_prev_30d",
        Unit.COUNT,
        "uses in the 30 days before that",
        "usage counts in the 30 days before those",
        _NO_USAGE,
    ),
    Fact(
        "usage_change",
        Unit.PERCENT,
        "30-day change in usage",
        "change of usage_30d against usage_prev_30d",
        _NO_USAGE + ", or usage_prev_30d is 0",
    ),
    Fact(
        "active_days_30d",
        Unit.COUNT,
        "days with usage in the last 30",
        "days with usage among the 30 complete days before the date",
        _NO_USAGE,
    ),
    Fact("days_since_usage", Unit.DAYS, "last usage", "days since the last usage event", _NO_USAGE),
    Fact(
        "health",
        Unit.COUNT,
        "health score",
        "the health score, from 0 to 100, out of the parts in rules/health.yaml",
        _NO_HEALTH,
    ),
    Fact(
        "health_confidence",
        Unit.PERCENT,
        "confidence of the health score",
        "how much of the health score's weight is known",
        _NO_HEALTH,
    ),
    Fact(
        "health_change_30d",
        Unit.COUNT,
        "30-day change of the health score",
        "the health score less that of 30 days before",
        _NO_HEALTH + ", or there was none 30 days before",
    ),
)

_EVENTS = {_NO_INTERACTIONS: ("interaction",), _NO_USAGE: ("usage",), _NO_USERS: ("usage",)}
FACTS: dict[str, Fact] = {
    fact.name: replace(fact, events=_EVENTS.get(fact.unknown_when.partition(",")[0], ()))
    for fact in _CATALOGUE
}
"""The catalogue by name, in the order in which facts are listed."""

USER_ROLES = frozenset({"user", "champion", "admin"})
USER_DAYS = 90
"""A contact is a user for so many complete days after using the product."""

LICENCE_DAYS = 30
"""Complete days in which a licence counts as used."""

USAGE_DAYS = 30
"""Complete days of a window of usage; UsageStats are counted in two of them."""


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
    for contact, _, title, level, role, has_left, used in stats.contacts:
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


def facts_of(stats: AccountStats, on: int, workspace: Workspace) -> dict[str, Value]:
    """Every fact of the catalogue, in its order, for the day `on` (an ordinal).

    `stats` hold events up to the end of that day, its usage windows end the day before.
    """
    facts: dict[str, Value] = dict.fromkeys(FACTS)
    began = workspace.first_interaction_day
    if began is not None and began <= on:
        facts |= _relationship_facts(stats, on, workspace)
    facts |= _commercial_facts(stats, on)
    if stats.first_usage_day is not None and stats.first_usage_day <= on:
        facts |= _usage_facts(stats, on)
    if stats.first_user_day is not None and stats.first_user_day <= on:
        facts |= _licence_facts(stats, on, facts["licences"])
    for name in workspace.withheld:
        facts[name] = None
    if workspace.health.parts:
        facts |= health_facts(facts, workspace.health, stats.past_health)
    return facts


def _relationship_facts(stats: AccountStats, on: int, workspace: Workspace) -> dict[str, Value]:
    # Spelt out, without calls of max: a sweep looks at half a million ties.
    people = people_of(stats, on)
    users, execs, gone = people.users, people.execs, people.gone
    gone_reps, settings, latest_silence = workspace.gone_reps, workspace.ties, on - TWO_WAY_DAYS
    strong, alive, reps = set(), set(), set()
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
        if tier >= Tier.STRONG:
            strong.add(name)
            reps.add(rep)
    return {
        "strong_user_ties": len(strong & users),
        "strong_exec_ties": len(strong & execs),
        "user_ties": len(alive & users),
        "exec_ties": len(alive & execs),
        "known_users": len(users - gone),
        "known_execs": len(execs - gone),
        "strong_reps": len(reps),
        "days_since_contact": _since(contact, on),
        "days_since_user_contact": _since(user_contact, on),
        "days_since_exec_contact": _since(exec_contact, on),
        "days_since_inbound": _since(inbound, on),
    }


def _commercial_facts(stats: AccountStats, on: int) -> dict[str, Value]:
    terms = terms_on(stats.subscriptions, on)
    renewal = renewal_day(stats, terms, on)
    return {
        "segment": stats.segment,
        "lifecycle": stats.lifecycle or terms.lifecycle or "active",
        "owner": stats.owner,
        "mrr": stats.mrr if terms.mrr is None else terms.mrr,
        "licences": stats.seats if terms.seats is None else terms.seats,
        "days_to_renewal": None if renewal is None else renewal - on,
        "tenure_days": (
            None if stats.first_day is None or stats.first_day > on else on - stats.first_day
        ),
    }


def renewal_day(stats: AccountStats, terms: Terms, on: int) -> int | None:
    """The next renewal: the account's own date, else the next term end, else the date gone by."""
    if stats.renewal_day is not None and stats.renewal_day >= on:
        return stats.renewal_day
    return terms.next_end if terms.next_end is not None else stats.renewal_day


def _usage_facts(stats: AccountStats, on: int) -> dict[str, Value]:
    usage = stats.usage
    recent, previous = usage.recent, usage.previous
    return {
        "usage_30d": recent,
        "usage_prev_30d": previous,
        "usage_change": 100 * (recent - previous) / previous if previous else None,
        "active_days_30d": usage.active_days,
        "days_since_usage": _since(usage.last_day, on),
    }


def _licence_facts(stats: AccountStats, on: int, licences: Value) -> dict[str, Value]:
    used = sum(
        1
        for person in stats.contacts
        if person.used is not None and person.used >= on - LICENCE_DAYS and not person.gone
    )
    return {
        "licences_used": used,
        "adoption": 100 * used / licences
        if isinstance(licences, int | float) and licences
        else None,
    }


def _since(day: int | None, on: int) -> Value:
    """Days since a day, of which there may be none (None, or 0 where days are compared)."""
    return on - day if day else NEVER
