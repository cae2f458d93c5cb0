"""Routing: who hears of an alert, and why they do.

A rule's own `notify` goes before the routes by segment and tag, of which the first that fits
counts; without either it is the account's owner. Whoever cannot be told, for there is no such rep
or they have left, is made up for by the default channel, so that no alert is told to nobody.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from worker.core.alerts import FOR_ADMINS, Alert, AlertReason
from worker.core.rules import Recipient, RecipientKind
from worker.core.telling import Route

DEFAULT = "default"
ADMIN = "admin"


class Rep(NamedTuple):
    """What routing knows of a rep who has not left. `timezone` and `manager` may name nothing."""

    timezone: str | None = None
    manager: str | None = None


Reps = Mapping[str, Rep]
"""By id, those who have not left."""


class Routed(NamedTuple):
    """Who is told: `rep:<id>`, `channel:<name>`, `default` or `admin`, and why."""

    recipient: str
    why: str


class Nobody(StrEnum):
    """Why someone could not be told, and the default channel is."""

    NO_OWNER = "the account has no owner"
    OWNER_LEFT = "the owner has left, or is no rep that tiewatch knows"
    NO_MANAGER = "the owner has no manager"
    NO_REP = "a rep who is to be told has left, or is none that tiewatch knows"


OWNER = (Recipient(RecipientKind.OWNER),)
OWNERS_MANAGER = (Recipient(RecipientKind.OWNERS_MANAGER),)


def route(
    alert: Alert, assignee: str | None, routes: Sequence[Route], reps: Reps
) -> tuple[Routed, ...]:
    """Who hears of an alert, each once; never nobody.

    `assignee` is the rep to whom the alert's flag was given, who then stands for the owner.
    """
    if alert.reason in FOR_ADMINS:
        return (Routed(ADMIN, "it is for those who run tiewatch"),)
    wanted, why = _wanted(alert, routes)
    owner = assignee if assignee in reps else alert.owner
    found: dict[str, str] = {}
    for one in wanted:
        recipient, otherwise = _resolved(one, owner, reps)
        found.setdefault(recipient, otherwise or why)
    return tuple(Routed(*one) for one in found.items())


def unknown(
    alert: Alert, assignee: str | None, routes: Sequence[Route], reps: Reps
) -> tuple[str, ...]:
    """The reps who are to hear of an alert, and cannot: they have left, or are none that we know.

    An owner is not named in whose place somebody else has the flag.
    """
    if alert.reason in FOR_ADMINS:
        return ()
    owner = assignee if assignee in reps else alert.owner
    wanted, _ = _wanted(alert, routes)
    named = (one.name if one.kind is RecipientKind.REP else owner for one in wanted
             if one.kind is not RecipientKind.CHANNEL)  # fmt: skip
    return tuple(sorted({rep for rep in named if rep is not None and rep not in reps}))


def rep_of(recipient: str) -> str | None:
    """The id of the rep who the recipient is, if it is one."""
    kind, _, name = recipient.partition(":")
    return name if kind == "rep" else None


def _wanted(alert: Alert, routes: Sequence[Route]) -> tuple[tuple[Recipient, ...], str]:
    if alert.reason is AlertReason.ESCALATED:
        return OWNERS_MANAGER, "nobody has acknowledged the flag"
    if alert.reason is AlertReason.ASSIGNED:
        return OWNER, "the flag was given to them"
    if alert.notify:
        return alert.notify, "the rule says so"
    for one in routes:
        if _fits(one, alert):
            return one.notify, f"the route of {_named(one)}"
    return OWNER, "the account is theirs"


def _fits(one: Route, alert: Alert) -> bool:
    segment = not one.segments or alert.segment in one.segments
    return segment and (not one.tags or not set(one.tags).isdisjoint(alert.tags))


def _named(one: Route) -> str:
    parts = [f"segment {', '.join(one.segments)}"] if one.segments else []
    return " and ".join([*parts, *([f"tag {', '.join(one.tags)}"] if one.tags else [])])


def _resolved(one: Recipient, owner: str | None, reps: Reps) -> tuple[str, str | None]:
    """The recipient, and if it stands in for the one wanted, why."""
    match one.kind:
        case RecipientKind.CHANNEL:
            return f"channel:{one.name}", None
        case RecipientKind.REP:
            return (f"rep:{one.name}", None) if one.name in reps else (DEFAULT, Nobody.NO_REP)
    if owner is None:
        return DEFAULT, Nobody.NO_OWNER
    if one.kind is RecipientKind.OWNER:
        return (f"rep:{owner}", None) if owner in reps else (DEFAULT, Nobody.OWNER_LEFT)
    manager = reps[owner].manager if owner in reps else None
    return (f"rep:{manager}", None) if manager in reps else (DEFAULT, Nobody.NO_MANAGER)


def managers(reps: Reps) -> dict[str, frozenset[str]]:
    """Each manager who has not left, with all who report to them, through others too."""
    direct: dict[str, set[str]] = {}
    for rep, known in reps.items():
        above = known.manager
        if above is not None and above in reps and above != rep:
            direct.setdefault(above, set()).add(rep)
    return {each: frozenset(_below(each, direct)) for each in sorted(direct)}


def _below(top: str, direct: Mapping[str, set[str]]) -> Iterator[str]:
    seen, ahead = {top}, [top]
    while ahead:
        for rep in sorted(direct.get(ahead.pop(), set()) - seen):
            seen.add(rep)
            ahead.append(rep)
            yield rep
