"""The definitions of the catalogue's further facts, read slowly and straight from raw events.

As in plain_reading.py: nothing is stored, nothing folded, and no code is shared with the product
but the reading of job titles. The sentences are those of docs/facts.md.
"""

import math
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise
from statistics import mean, median
from typing import Any

from tests import plain_reading as plain
from tests.plain_reading import Raw
from worker.core.titles import function_of


def facts(
    events: Iterable[Raw],
    account: str,
    on: date,
    workspace_events: Iterable[Raw],
    advanced: Iterable[str] = (),
    launched: dict[str, date] | None = None,
) -> dict[str, Any]:
    """Every fact that `plain_reading.facts` does not give, None where it is unknown."""
    workspace = plain.distinct(workspace_events)
    own = [e for e in plain.distinct(events) if e["type"] != "rep" and e["subject"] == account]
    by_then = [e for e in own if plain._day(e) <= on]
    base = plain.facts(events, account, on, workspace_events)
    return (
        _relations(account, own, workspace, on, base)
        | _contracts(own, by_then, on, base)
        | _adoption(own, on, base, set(advanced), launched or {})
        | _success(by_then, on)
        | _voice(own, by_then, on)
        | _support(own, by_then, on, base)
    )


def _of(events: list[Raw], kind: str) -> list[Raw]:
    return sorted(
        (e for e in events if e["type"] == kind), key=lambda e: (plain._instant(e), e["id"])
    )


def _within(events: list[Raw], on: date, days: int, until: int = 1) -> list[Raw]:
    """Events from `days` days before the date to `until` days before it, both included."""
    return [e for e in events if on - timedelta(days) <= plain._day(e) <= on - timedelta(until)]


def _share(part: float, whole: float) -> float | None:
    return 100 * part / whole if whole else None


def _relations(
    account: str, own: list[Raw], workspace: list[Raw], on: date, base: dict[str, Any]
) -> dict[str, Any]:
    names = [
        *("days_since_inbound_exec", "exec_contact_usual_gap", "exec_silence_ratio"),
        *("response_hours", "inbound_share_90d", "champions", "champions_left"),
        *("single_rep_share", "roles_covered", "meetings_90d", "engaged"),
    ]
    if base["days_since_contact"] is None:
        return dict.fromkeys(names)
    contacts = {c for e in own for c in plain._contacts_named(e)}
    here = {c for c in contacts if not plain._latest(plain._about(own, c), "left")}
    execs = {c for c in contacts if plain._is_exec(c, own)}
    known = [e for e in plain.counting_interactions(own) if plain._day(e) <= on]
    with_execs = [e for e in known if plain._people(e) & execs]
    days = sorted({plain._day(e) for e in with_execs if plain._day(e) > on - timedelta(365)})
    gaps = [(b - a).days for a, b in pairwise(days)]
    gap = median(gaps) if gaps else None
    heard = [e for e in with_execs if plain._direction(e) in ("inbound", "mutual")]
    recent = _within(known, on, 90)
    inbound = [e for e in recent if plain._direction(e) == "inbound"]
    outbound = [e for e in recent if plain._direction(e) == "outbound"]
    ties = [
        t
        for t in plain.ties(own, on)
        if t.contact in here and not plain._has_left(t.rep, workspace)
    ]
    strong = [t for t in ties if t.tier in ("strong", "very_strong")]
    strong_contacts = {t.contact for t in strong}
    held = [sum(t.rep == rep for t in strong) for rep in {t.rep for t in strong}]
    moderate = {t.contact for t in strong} | {t.contact for t in ties if t.tier == "moderate"}
    lately = {e["data"].get("user") for e in plain._usage(own, on, 90, 1)}
    champions = {c for c in contacts if plain._latest(plain._about(own, c), "role") == "champion"}
    return {
        "days_since_inbound_exec": plain._days_since(heard, on),
        "exec_contact_usual_gap": gap,
        "exec_silence_ratio": base["days_since_exec_contact"] / gap if gap else None,
        "response_hours": _response_hours(known, on),
        "inbound_share_90d": _share(len(inbound), len(inbound) + len(outbound)),
        "champions": len(here & lately & (champions | strong_contacts)),
        "champions_left": len(champions - here),
        "single_rep_share": _share(max(held, default=0), len(strong)),
        "roles_covered": len({f for c in moderate if (f := _function(c, own)) is not None}),
        "meetings_90d": sum(e["data"]["channel"] == "meeting" for e in recent),
        "engaged": base["days_since_inbound"] <= 90,
    }


def _function(contact: str, own: list[Raw]) -> str | None:
    about = plain._about(own, contact)
    given = (plain._latest(about, "function") or "").strip().casefold()
    title = plain._latest(about, "title")
    return given or (function_of(title) if title else None)


def _response_hours(known: list[Raw], on: date) -> float | None:
    mails = [e for e in known if e["data"]["channel"] == "email"]
    hours = []
    for asked in _within(mails, on, 90):
        if plain._direction(asked) != "inbound":
            continue
        for contact in set(asked["data"]["contacts"]):
            later = [
                plain._instant(e) - plain._instant(asked)
                for e in mails
                if plain._direction(e) == "outbound"
                and contact in plain._people(e)
                and plain._instant(e) > plain._instant(asked)
            ]
            if later:
                hours.append(min(later).total_seconds() / 3600)
    return median(hours) if hours else None


def _mrr_by_the_end_of(day: date, own: list[Raw], currency: str | None) -> float | None:
    """None if some of it is in another currency than the account's."""
    by_then = [e for e in own if plain._day(e) <= day]
    active = [h for h in plain._subscriptions(by_then) if plain._is_active(h, day)]
    paid = [
        (amount, plain._latest(h, "currency"))
        for h in active
        if (amount := plain._latest(h, "mrr")) is not None
    ]
    currencies = {c or currency for _, c in paid}
    if currency is None:
        currencies = {c for _, c in paid}
    if len(currencies) > 1 or (currency is not None and currencies - {currency}):
        return None
    return math.fsum(amount for amount, _ in paid)


def _contracts(
    own: list[Raw], by_then: list[Raw], on: date, base: dict[str, Any]
) -> dict[str, Any]:
    said = [e for e in own if e["type"] == "account"]
    currency = plain._latest(said, "currency")
    histories = plain._subscriptions(by_then)
    active = [h for h in histories if plain._is_active(h, on)]
    terms = [
        (end, start)
        for h in active
        for start, end in plain._terms(h).items()
        if end and start <= on < end
    ]
    elapsed = None
    if terms:
        first_end = min(end for end, _ in terms)
        start = max(start for end, start in terms if end == first_end)
        elapsed = 100 * (on - start).days / (first_end - start).days
    if base["lifecycle"] == "trial":
        kind = "trial"
    elif not histories:
        field = plain._latest(said, "lifecycle")
        kind = {None: None, "churned": "none"}.get(field, "paid")
    else:
        kind = "paid" if any(plain._status(h) != "trial" for h in active) else "none"
    amount = base["mrr"]
    left = base["days_to_renewal"]
    facts: dict[str, Any] = {
        "arr": None if amount is None else amount * 12,
        "trial_or_paid": kind,
        "term_elapsed": elapsed,
        "lifetime_value": None
        if amount is None
        else amount * 12 / 365 * ((base["tenure_days"] or 0) + max(left or 0, 0)),
        "mrr_change_90d": None,
        "expansion_365d": None,
        "contraction_365d": None,
    }
    if not histories:
        return facts
    then, now = (_mrr_by_the_end_of(d, own, currency) for d in (on - timedelta(90), on))
    if then and now is not None:
        facts["mrr_change_90d"] = 100 * (now - then) / then
    levels = [_mrr_by_the_end_of(on - timedelta(n), own, currency) for n in range(365, -1, -1)]
    if None not in levels:
        moves = [(b or 0) - (a or 0) for a, b in pairwise(levels) if a and b]
        facts["expansion_365d"] = sum(m for m in moves if m > 0)
        facts["contraction_365d"] = -sum(m for m in moves if m < 0)
    return facts


def _adoption(
    own: list[Raw], on: date, base: dict[str, Any], advanced: set[str], launched: dict[str, date]
) -> dict[str, Any]:
    names = [
        *("licence_utilisation", "advanced_users", "basic_users", "features_used"),
        *("feature_uptake", "minutes_per_active_day", "logins_per_user_week", "engagement_score"),
    ]
    facts: dict[str, Any] = dict.fromkeys(names)
    if base["usage_30d"] is None:
        return facts
    recent = plain._usage(own, on, 30, 1)
    features = {e["data"].get("feature") for e in recent} - {None}
    facts["features_used"] = len(features)
    minutes = sum(e["data"].get("minutes") or 0 for e in recent)
    if base["active_days_30d"]:
        facts["minutes_per_active_day"] = minutes / base["active_days_30d"]
    if base["licences_used"] is None:
        return facts

    def users(usage: list[Raw], of: set[str] | None = None) -> set[str]:
        return {
            e["data"]["user"]
            for e in usage
            if e["data"].get("user") and (of is None or e["data"].get("feature") in of)
        }

    def user_days(usage: list[Raw]) -> int:
        return len({(e["data"]["user"], plain._day(e)) for e in usage if e["data"].get("user")})

    if base["adoption"] is not None:
        licences = 100 * base["licences_used"] / base["adoption"] if base["adoption"] else None
        licences = licences or plain._licences(own, [e for e in own if plain._day(e) <= on], on)
        facts["licence_utilisation"] = 100 * user_days(recent) / 30 / licences
    if advanced and users(recent):
        facts["advanced_users"] = _share(len(users(recent, advanced)), len(users(recent)))
        facts["basic_users"] = 100 - facts["advanced_users"]
    begun = {feature: day for feature, day in launched.items() if day < on}
    if begun:
        newest = max(begun, key=lambda feature: (begun[feature], feature))
        since = plain._usage(own, on, min((on - begun[newest]).days, 365), 1)
        facts["feature_uptake"] = _share(len(users(since, {newest})), len(users(since)))
    weeks = plain._usage(own, on, 28, 1)
    if users(weeks):
        facts["logins_per_user_week"] = user_days(weeks) / len(users(weeks)) / 4
        if base["adoption"] is not None:
            facts["engagement_score"] = mean(
                [
                    min(base["adoption"], 100),
                    min(100 * base["active_days_30d"] / 20, 100),
                    min(100 * facts["logins_per_user_week"] / 5, 100),
                ]
            )
    return facts


def _success(by_then: list[Raw], on: date) -> dict[str, Any]:
    names = [
        *("plan_progress", "goals", "goals_achieved", "goals_overdue", "roi"),
        *("outcome_against_target", "time_to_value"),
    ]
    outcomes = _of(by_then, "outcome")
    goals = [
        [e for e in outcomes if e["data"]["goal"] == name]
        for name in sorted({e["data"]["goal"] for e in outcomes})
    ]
    if not goals:
        return dict.fromkeys(names)

    def achieved(goal: list[Raw]) -> bool:
        said = plain._latest(goal, "achieved")
        return bool(said) if said is not None else plain._latest(goal, "progress") == 100

    def number(goal: list[Raw], field: str) -> float | None:
        said = plain._latest(goal, field)
        return said if isinstance(said, int | float) else None

    progress = [
        100 if achieved(g) else plain._latest(g, "progress")
        for g in goals
        if achieved(g) or plain._latest(g, "progress") is not None
    ]
    paid = [g for g in goals if None not in (number(g, "cost"), number(g, "benefit"))]
    cost = sum(number(g, "cost") or 0 for g in paid)
    benefit = sum(number(g, "benefit") or 0 for g in paid)
    aimed = [g for g in goals if number(g, "target") and number(g, "value") is not None]
    reached = [
        day
        for g in goals
        for day in {plain._day(e) for e in g}
        if achieved([e for e in g if plain._day(e) <= day])
    ]
    return {
        "plan_progress": mean(progress) if progress else None,
        "goals": len(goals),
        "goals_achieved": sum(achieved(g) for g in goals),
        "goals_overdue": sum(
            not achieved(g)
            and plain._latest(g, "due") is not None
            and date.fromisoformat(plain._latest(g, "due")) < on
            for g in goals
        ),
        "roi": _share(benefit - cost, cost),
        "outcome_against_target": mean(
            100 * (number(g, "value") or 0) / (number(g, "target") or 1) for g in aimed
        )
        if aimed
        else None,
        "time_to_value": (min(reached) - min(map(plain._day, by_then))).days if reached else None,
    }


_SCALE = {"positive": 100, "neutral": 50, "negative": 0}


def _points(survey: Raw) -> float:
    score = survey["data"]["score"]
    kind = survey["data"]["kind"]
    return {
        "nps": lambda: score * 10,
        "csat": lambda: (score - 1) * 25,
        "perception": lambda: _SCALE[score],
    }[kind]()


def _voice(own: list[Raw], by_then: list[Raw], on: date) -> dict[str, Any]:
    surveys = _of(by_then, "survey")
    words = ("positive", "neutral", "negative")
    names = [
        *("nps_latest", "nps", "csat", *(f"perception_{word}" for word in words)),
        *("survey_trend", "days_since_survey", "detractor_waiting"),
    ]
    if not surveys:
        return dict.fromkeys(names)

    def scores(kind: str, days: int) -> list[Any]:
        chosen = [e for e in _within(surveys, on, days) if e["data"]["kind"] == kind]
        return [e["data"]["score"] for e in chosen]

    nps, csat, perceptions = scores("nps", 365), scores("csat", 90), scores("perception", 365)
    recent, before = _within(surveys, on, 90), _within(surveys, on, 180, 91)
    all_nps = [e for e in surveys if e["data"]["kind"] == "nps"]
    return {
        "nps_latest": all_nps[-1]["data"]["score"] if all_nps else None,
        "nps": _share(sum(s >= 9 for s in nps) - sum(s <= 6 for s in nps), len(nps)),
        "csat": _share(sum(s >= 4 for s in csat), len(csat)),
        **{f"perception_{w}": _share(perceptions.count(w), len(perceptions)) for w in words},
        "survey_trend": mean(map(_points, recent)) - mean(map(_points, before))
        if recent and before
        else None,
        "days_since_survey": plain._days_since(surveys, on),
        "detractor_waiting": _waiting(own, all_nps, on) if all_nps else None,
    }


def _waiting(own: list[Raw], all_nps: list[Raw], on: date) -> int:
    met = [e for e in plain.counting_interactions(own) if plain._day(e) <= on]
    year = [e for e in all_nps if plain._day(e) > on - timedelta(365)]
    latest = {e["data"].get("contact"): e for e in year}
    waits = [0]
    for contact, survey in latest.items():
        day = plain._day(survey)
        since = [
            e
            for e in met
            if plain._day(e) >= day and (contact is None or contact in plain._people(e))
        ]
        if survey["data"]["score"] <= 6 and not since:
            waits.append((on - day).days)
    return max(waits)


def _support(own: list[Raw], by_then: list[Raw], on: date, base: dict[str, Any]) -> dict[str, Any]:
    names = [
        *("open_tickets", "open_escalations", "longest_open_escalation", "escalations_90d"),
        *("escalation_days_median", "defect_share", "tickets_per_licence"),
    ]
    steps = _of(by_then, "ticket")
    tickets = {e["data"]["ticket"]: _of(own, "ticket") for e in steps}
    if not tickets:
        return dict.fromkeys(names)
    open_tickets, escalations = 0, []
    began_lately, defects = 0, []
    for name, everything in tickets.items():
        whole = [e for e in everything if e["data"]["ticket"] == name]
        course = [e for e in whole if plain._day(e) <= on]
        if on - timedelta(90) <= plain._day(course[0]) <= on - timedelta(1):
            began_lately += 1
            defects.append(plain._latest(whole, "defect"))
        opened = [e for e in course if e["data"]["status"] == "opened"][:1]
        is_open, since = True, None
        for e in opened + [e for e in course if e not in opened]:
            status = e["data"]["status"]
            if status == "escalated" and since is None:
                since = plain._day(e)
            if status in ("deescalated", "resolved") and since is not None:
                escalations.append((since, max(plain._day(e), since)))
                since = None
            if status != "deescalated":
                is_open = status != "resolved"
        open_tickets += is_open
        if since is not None:
            escalations.append((since, None))
    still = [since for since, end in escalations if end is None]
    lately = [
        ((end or on) - since).days
        for since, end in escalations
        if on - timedelta(90) <= since <= on - timedelta(1)
    ]
    marked = [d for d in defects if d is not None]
    licences = plain._licences(own, by_then, on)
    return {
        "open_tickets": open_tickets,
        "open_escalations": len(still),
        "longest_open_escalation": max(((on - since).days for since in still), default=0),
        "escalations_90d": len(lately),
        "escalation_days_median": median(lately) if lately else None,
        "defect_share": _share(sum(marked), len(marked)),
        "tickets_per_licence": began_lately / licences if licences else None,
    }
