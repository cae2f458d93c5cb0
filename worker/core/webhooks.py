"""Webhooks: which moves of flags and which changes of facts other systems are told of.

docs/webhooks.md says what an admin can set, and what is sent.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from worker.core.conditions import Facts
from worker.core.flags import Flag, State
from worker.core.rules import Severity
from worker.core.units import Value


class Transition(StrEnum):
    """What a flag has done, as other systems are told."""

    OPENED = "opened"
    REOPENED = "reopened"
    SEVERITY = "severity_changed"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    DISMISSED = "dismissed"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"


_BY_STATE = {
    State.ACKNOWLEDGED: Transition.ACKNOWLEDGED,
    State.SNOOZED: Transition.SNOOZED,
    State.DISMISSED: Transition.DISMISSED,
    State.RESOLVED: Transition.RESOLVED,
}


@dataclass(frozen=True, slots=True)
class FlagsTold:
    """Of which flags a webhook tells what; what is empty stands for all. Everything is sorted."""

    severities: tuple[Severity, ...] = ()
    rules: tuple[str, ...] = ()
    transitions: tuple[Transition, ...] = ()


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where one other system is told, and of what: of accounts of some segments, or of all.

    `flags` is None if it is told of none; `facts` are those whose changes it is told of.
    """

    name: str
    url: str
    segments: tuple[str, ...] = ()
    flags: FlagsTold | None = None
    facts: tuple[str, ...] = ()

    def covers(self, segment: str | None) -> bool:
        """Whether it is told of accounts of this segment."""
        return not self.segments or segment in self.segments


Webhooks = tuple[Webhook, ...]
"""Those of a workspace, in order of name."""


def transition_of(before: Flag | None, after: Flag | None) -> Transition | None:
    """What a move of a flag comes to for those who see it: nobody sees a pending one, nor one in
    shadow. None if they see nothing of it."""
    if after is None or not _is_seen(after):
        return None
    if before is None or not _is_seen(before):
        return _BY_STATE.get(after.state, Transition.OPENED)
    if before.state is not after.state:
        return _BY_STATE.get(after.state, Transition.REOPENED)
    if before.severity is not after.severity:
        return Transition.SEVERITY
    return Transition.ASSIGNED if before.assignee != after.assignee else None


def _is_seen(flag: Flag) -> bool:
    return not flag.shadow and flag.state is not State.PENDING


def tells(
    webhook: Webhook,
    segment: str | None,
    rule: str,
    transition: Transition,
    severities: Iterable[Severity],
) -> bool:
    """Whether a webhook is told of a transition. `severities` are the flag's before and after: who
    has heard that it was critical hears that it no longer is."""
    wanted = webhook.flags
    return (
        wanted is not None
        and webhook.covers(segment)
        and (not wanted.rules or rule in wanted.rules)
        and (not wanted.transitions or transition in wanted.transitions)
        and (not wanted.severities or not set(wanted.severities).isdisjoint(severities))
    )


def changed(
    told: Mapping[str, Value], facts: Facts, names: Iterable[str], withheld: Iterable[str]
) -> dict[str, Value]:
    """Those of the facts in `names` that are not as they were last told, as they are.

    `told` are those that have been told. What a silent source withholds has not changed as far as
    anybody knows.
    """
    hidden = frozenset(withheld)
    return {
        name: facts[name]
        for name in names
        if name not in hidden and (name not in told or told[name] != facts[name])
    }


def spoken_of(message: Mapping[str, Any]) -> set[str]:
    """What a message that was sent speaks of: a flag, or facts of its account."""
    content = message["data"]
    if "flag" in content:
        return {f"flag {content['flag']}"}
    return {f"fact {change['fact']}" for change in content.get("changes", ())}


def without(message: dict[str, Any], told: Collection[str]) -> dict[str, Any] | None:
    """The message without what has been `told` since (as `spoken_of`); None if it is all of it."""
    topics = spoken_of(message)
    if topics.isdisjoint(told):
        return message
    if topics.issubset(told):
        return None
    content = message["data"]
    rest = [change for change in content["changes"] if f"fact {change['fact']}" not in told]
    return message | {"data": content | {"changes": rest}}
