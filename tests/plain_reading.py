"""The definitions of events, ties and facts read a second time, slowly, straight from raw events.

The product folds events into stats with SQL and computes facts from stats. Here nothing is stored
and nothing is folded: every figure is worked out anew from the raw events by the sentence that
defines it. The two share no code but the reading of job titles, so where either misreads a
definition, the tests that compare them fail. Likeness to the prose matters here, speed does not.
"""

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from worker.core.titles import level_of

Raw = dict[str, Any]

TIERS = ["none", "weak", "moderate", "strong", "very_strong"]
TIER_FROM = [0, 5, 25, 50, 75]
HALF_LIFE = 60


class Tie(NamedTuple):
    """One rep, one contact of one account, and how alive the relation is; `score` is unrounded."""

    account: str
    rep: str
    contact: str
    score: float
    tier: str
    last_contact: date
    last_heard: date | None


def ties(events: Iterable[Raw], on: date) -> list[Tie]:
    """Every pair that ever got a point by the end of `on`, whoever has left since."""
    interactions = [e for e in counting_interactions(events) if _day(e) <= on]
    pairs = {
        (event["subject"], rep, contact)
        for event in interactions
        for rep in event["data"]["reps"]
        for contact in _people(event)
    }
    return [_tie(*pair, interactions, on) for pair in sorted(pairs)]


def facts(
    events: Iterable[Raw], account: str, on: date, workspace_events: Iterable[Raw]
) -> dict[str, Any]:
    """Every fact of `account` on `on`: infinity is "never", None is "unknown".

    `events` are those of the account (others are passed over), `workspace_events` all there are:
    reps are the workspace's, and relationships are unknown until it has any interaction.
    """
    workspace = distinct(workspace_events)
    own = [e for e in distinct(events) if e["type"] != "rep" and e["subject"] == account]
    by_then = [e for e in own if _day(e) <= on]
    return (
        _relationship_facts(account, own, workspace, on)
        | _commercial_facts(own, by_then, on)
        | _usage_facts(own, by_then, on)
    )


def distinct(events: Iterable[Raw]) -> list[Raw]:
    """The events without their repeats: the first of a (source, id) stands."""
    first: dict[tuple[str, str], Raw] = {}
    for event in events:
        first.setdefault((event["source"], event["id"]), event)
    return list(first.values())


def counting_interactions(events: Iterable[Raw]) -> list[Raw]:
    """Only interactions that were held and are not automatic count."""
    return [
        event
        for event in distinct(events)
        if event["type"] == "interaction"
        and (event["data"].get("status") or "held") == "held"
        and not event["data"].get("automatic")
    ]


# Times and attributes


def _instant(event: Raw) -> datetime:
    return datetime.fromisoformat(event["time"]).astimezone(UTC)


def _day(event: Raw) -> date:
    return _instant(event).date()


def _latest(events: Iterable[Raw], field: str) -> Any:
    """Per field the latest time wins, ties broken by the greater id; null clears."""
    said = [event for event in events if field in event["data"]]
    if not said:
        return None
    return max(said, key=lambda event: (_instant(event), event["id"]))["data"][field]


# Ties


def _people(event: Raw) -> set[str]:
    return set(event["data"]["contacts"]) | set(event["data"].get("cc") or [])


def _direction(event: Raw) -> str:
    """Meetings and calls default to mutual, and so may what is neither email nor chat."""
    return event["data"].get("direction") or "mutual"


def _hundredths(event: Raw, contact: str) -> int:
    data = event["data"]
    points = {"meeting": 3, "call": 2, "email": 1, "chat": 0.5, "other": 1}[data["channel"]]
    if data["channel"] == "meeting" and (data.get("duration_minutes") or 0) >= 60:
        points = 4
    if contact not in data["contacts"]:
        points = 0.25
    divisor = min(math.sqrt(len(_people(event))), 5)
    return math.floor(100 * points / divisor + 0.5)


def _tie(account: str, rep: str, contact: str, interactions: list[Raw], on: date) -> Tie:
    days: dict[date, dict[str, int]] = {}
    for event in interactions:
        if event["subject"] != account or rep not in event["data"]["reps"]:
            continue
        if contact not in _people(event):
            continue
        bucket = days.setdefault(_day(event), {"mutual": 0, "outbound": 0, "inbound": 0})
        bucket[_direction(event)] += _hundredths(event, contact)

    points = dict.fromkeys(("mutual", "outbound", "inbound"), 0.0)
    for day in sorted(days):
        for direction, hundredths in days[day].items():
            age = max(0, (on - day).days)
            points[direction] += min(hundredths, 400) / 100 * 2 ** (-age / HALF_LIFE)
    mutual, outbound, inbound = points["mutual"], points["outbound"], points["inbound"]
    x = mutual + min(outbound, inbound) + 0.2 * abs(outbound - inbound)
    score = 100 * x / (x + 6)

    tier = max(index for index, bound in enumerate(TIER_FROM) if score >= bound)
    heard = [day for day, bucket in days.items() if bucket["mutual"] or bucket["inbound"]]
    if not any((on - day).days <= 365 for day in heard):
        tier = min(tier, TIERS.index("weak"))
    if len(days) < 3 or not any((on - day).days <= 90 for day in heard):
        tier = min(tier, TIERS.index("moderate"))
    return Tie(account, rep, contact, score, TIERS[tier], max(days), max(heard, default=None))


# Facts of relationships


def _relationship_facts(
    account: str, own: list[Raw], workspace: list[Raw], on: date
) -> dict[str, Any]:
    names = [
        *("strong_user_ties", "strong_exec_ties", "user_ties", "exec_ties"),
        *("known_users", "known_execs", "strong_reps"),
        *("days_since_contact", "days_since_user_contact", "days_since_exec_contact"),
        "days_since_inbound",
    ]
    if not any(e["type"] == "interaction" and _day(e) <= on for e in workspace):
        return dict.fromkeys(names)

    contacts = {contact for event in own for contact in _contacts_named(event)}
    here = {contact for contact in contacts if not _latest(_about(own, contact), "left")}
    users = {contact for contact in contacts if _is_user(contact, own, on)}
    execs = {contact for contact in contacts if _is_exec(contact, own)}

    live = [tie for tie in ties(own, on) if not _has_left(tie.rep, workspace)]
    strong = {tie.contact for tie in live if tie.tier in ("strong", "very_strong")}
    two_way = {
        tie.contact
        for tie in live
        if tie.tier != "none" and tie.last_heard and (on - tie.last_heard).days <= 365
    }
    interactions = [e for e in counting_interactions(own) if _day(e) <= on]
    return {
        "strong_user_ties": len(strong & users & here),
        "strong_exec_ties": len(strong & execs & here),
        "user_ties": len(two_way & users & here),
        "exec_ties": len(two_way & execs & here),
        "known_users": len(users & here),
        "known_execs": len(execs & here),
        "strong_reps": len(
            {t.rep for t in live if t.tier in ("strong", "very_strong") and t.contact in here}
        ),
        "days_since_contact": _days_since(interactions, on),
        "days_since_user_contact": _days_since([e for e in interactions if _people(e) & users], on),
        "days_since_exec_contact": _days_since([e for e in interactions if _people(e) & execs], on),
        "days_since_inbound": _days_since(
            [e for e in interactions if _direction(e) in ("inbound", "mutual")], on
        ),
    }


def _contacts_named(event: Raw) -> set[str]:
    data = event["data"]
    named = {"contact": data.get("contact"), "usage": data.get("user")}.get(event["type"])
    if event["type"] == "interaction":
        return _people(event)
    return {named} if named else set()


def _about(own: list[Raw], contact: str) -> list[Raw]:
    return [e for e in own if e["type"] == "contact" and e["data"]["contact"] == contact]


def _is_exec(contact: str, own: list[Raw]) -> bool:
    level = _latest(_about(own, contact), "level")
    if level is None and (title := _latest(_about(own, contact), "title")):
        level = level_of(title)
    return level in ("director", "vp", "c_level")


def _is_user(contact: str, own: list[Raw], on: date) -> bool:
    by_role = _latest(_about(own, contact), "role") in ("user", "champion", "admin")
    return by_role or contact in {e["data"].get("user") for e in _usage(own, on, 90, 1)}


def _has_left(rep: str, workspace: list[Raw]) -> bool:
    said = [e for e in workspace if e["type"] == "rep" and e["data"]["rep"] == rep]
    return bool(_latest(said, "left"))


def _days_since(events: list[Raw], on: date) -> float:
    return min(((on - _day(event)).days for event in events), default=math.inf)


# Facts of contracts


def _commercial_facts(own: list[Raw], by_then: list[Raw], on: date) -> dict[str, Any]:
    said = [event for event in own if event["type"] == "account"]
    histories = _subscriptions(by_then)
    active = [history for history in histories if _is_active(history, on)]
    renewal = _renewal_date(_latest(said, "renewal_date"), histories, on)
    return {
        "segment": _latest(said, "segment"),
        "lifecycle": _lifecycle(_latest(said, "lifecycle"), histories, active),
        "owner": _latest(said, "owner"),
        "mrr": _mrr(active, said),
        "licences": _licences(own, by_then, on),
        "days_to_renewal": (renewal - on).days if renewal else None,
        "tenure_days": max(((on - _day(event)).days for event in by_then), default=None),
    }


def _mrr(active: list[list[Raw]], said: list[Raw]) -> float | None:
    """Of the active subscriptions, unless one is in another currency; else the account's."""
    paid = [(v, _latest(h, "currency")) for h in active if (v := _latest(h, "mrr")) is not None]
    if not paid:
        field: float | None = _latest(said, "mrr")
        return field
    own = _latest(said, "currency")
    if own is None:
        mixed = len({currency for _, currency in paid}) > 1
    else:
        mixed = any(currency not in (None, own) for _, currency in paid)
    return None if mixed else math.fsum(value for value, _ in paid)


def _subscriptions(by_then: list[Raw]) -> list[list[Raw]]:
    """The events of each subscription, in order of time, then id."""
    histories: dict[str, list[Raw]] = {}
    for event in sorted(by_then, key=lambda event: (_instant(event), event["id"])):
        if event["type"] == "subscription":
            histories.setdefault(event["data"]["subscription"], []).append(event)
    return list(histories.values())


def _terms(history: list[Raw]) -> dict[date, date | None]:
    """Every event with a term_start adds or replaces that term: start -> end, None is open."""
    terms: dict[date, date | None] = {}
    for event in history:
        start, end = event["data"].get("term_start"), event["data"].get("term_end")
        if start:
            terms[date.fromisoformat(start)] = date.fromisoformat(end) if end else None
    return terms


def _status(history: list[Raw]) -> str:
    """A subscription's status is a field like any other: the latest wins, `changed` too."""
    return str(_latest(history, "status"))


def _has_churned(history: list[Raw]) -> bool:
    return _status(history) == "churned"


def _is_active(history: list[Raw], on: date) -> bool:
    covered = any(
        start <= on and (end is None or on < end) for start, end in _terms(history).items()
    )
    return covered and not _has_churned(history)


def _licences(own: list[Raw], by_then: list[Raw], on: date) -> float | None:
    active = [history for history in _subscriptions(by_then) if _is_active(history, on)]
    seats = [value for history in active if (value := _latest(history, "seats")) is not None]
    said = [event for event in own if event["type"] == "account"]
    licences: float | None = sum(seats) if seats else _latest(said, "seats")
    return licences


def _renewal_date(field: str | None, histories: list[list[Raw]], on: date) -> date | None:
    fixed = date.fromisoformat(field) if field else None
    if fixed and fixed >= on:
        return fixed
    ends = [
        end
        for history in histories
        if not _has_churned(history)
        for end in _terms(history).values()
        if end and end >= on
    ]
    return min(ends, default=fixed)


def _lifecycle(
    field: str | None, histories: list[list[Raw]], active: list[list[Raw]]
) -> str | None:
    if field:
        return field
    if histories and all(_has_churned(history) for history in histories):
        return "churned"
    if active and all(_status(history) == "trial" for history in active):
        return "trial"
    return "active"


# Facts of usage


def _usage(own: list[Raw], on: date, first: int, last: int) -> list[Raw]:
    """Usage from `first` to `last` days before `on`, both included."""
    window = on - timedelta(first), on - timedelta(last)
    return [e for e in own if e["type"] == "usage" and window[0] <= _day(e) <= window[1]]


def _count(usage: list[Raw]) -> int:
    return sum(event["data"].get("count") or 1 for event in usage)


def _usage_facts(own: list[Raw], by_then: list[Raw], on: date) -> dict[str, Any]:
    names = [
        *("licences_used", "adoption", "usage_30d", "usage_prev_30d", "usage_change"),
        *("active_days_30d", "days_since_usage"),
    ]
    usage = [event for event in by_then if event["type"] == "usage"]
    if not usage:
        return dict.fromkeys(names)

    recent, previous = _usage(own, on, 30, 1), _usage(own, on, 60, 31)
    used = adoption = None
    if any(event["data"].get("user") for event in usage):
        users = {event["data"].get("user") for event in recent} - {None}
        used = sum(not _latest(_about(own, user), "left") for user in users)
        if licences := _licences(own, by_then, on):
            adoption = 100 * used / licences
    change = None
    if before := _count(previous):
        change = 100 * (_count(recent) - before) / before
    return {
        "licences_used": used,
        "adoption": adoption,
        "usage_30d": _count(recent),
        "usage_prev_30d": _count(previous),
        "usage_change": change,
        "active_days_30d": len({_day(event) for event in recent}),
        "days_since_usage": _days_since(usage, on),
    }
