"""What a request brought, sorted: events to hand on, and what goes to quarantine with its reasons.

The key decides the source. What an event says its source is stays a part of it, so that ids which
are unique for a sender's own sources stay so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from worker.core.addresses import People
from worker.core.events import ANY_ACCOUNT, MEMBER, Event, Quarantined, parse
from worker.core.sorting import NAMING, Ignored, by_email, sort_people

"""Stands for the account of an event whose account is looked up later."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An event that is quarantined: its place in the request, counted from 0, and every reason."""

    index: int
    id: str | None
    problems: tuple[str, ...]


@dataclass(slots=True)
class Taken:
    """What is to be handed on. `refused` are what could not become an event, as they came;
    `ignored` counts what is of no use here."""

    events: list[Any] = field(default_factory=list)
    refused: list[Quarantined] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: int = 0

    def refuse(self, index: int, one: Quarantined) -> None:
        """Note what goes to quarantine."""
        self.refused.append(one)
        self.problems.append(Problem(index, one.id, one.problems))


def take(raw: Sequence[Any], source: str, people: People, now: datetime) -> Taken:
    """Sort events as they were sent with a key of this source, received `now`."""
    taken = Taken()
    for index, one in enumerate(raw):
        sent = one | {"source": owned(one.get("source"), source)} if isinstance(one, dict) else one
        event = sort_people(sent, people) if by_email(sent) else sent
        if isinstance(event, Ignored):
            taken.ignored += 1
            continue
        bad = why_not(event, now)
        if bad is None:
            taken.events.append(event)
        else:
            taken.refuse(index, _from(source, bad))
    return taken


def owned(given: Any, source: str) -> Any:
    """The source of an event that says `given`, sent with a key of `source`.

    What is no text stays as it is, and is complained of where the event is checked.
    """
    if given is None or given == source:
        return source
    if not isinstance(given, str) or not given or given.startswith(f"{source}/"):
        return given
    return f"{source}/{given.removeprefix('/')}"


def why_not(event: Any, now: datetime) -> Quarantined | None:
    """The event with its problems, None if there are none."""
    waits = isinstance(event, dict) and event.get("subject") is None and _is_left(event)
    seen = event | {"subject": ANY_ACCOUNT} if waits else event
    match parse(seen, now):
        case Event():
            return None
        case Quarantined() as bad:
            return bad


def _is_left(event: dict[str, Any]) -> bool:
    """Whether it leaves its account to a member, or to whom it names by address."""
    return MEMBER in event or (by_email(event) and event.get("type") in NAMING)


def _from(source: str, bad: Quarantined) -> Quarantined:
    """With a source, for whoever looks for what a sender did wrong."""
    return bad if bad.source else Quarantined(source, bad.id, bad.problems, bad.body, bad.way)
