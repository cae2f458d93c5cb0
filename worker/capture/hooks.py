"""Webhooks to events, as `capture.yaml` says: one message, or each of several, becomes events."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from worker.capture.digests import digest_of
from worker.capture.taking import Taken, why_not
from worker.core.addresses import People
from worker.core.events import Quarantined
from worker.core.mapping import Hook, event_of
from worker.core.moments import as_time
from worker.core.picking import first
from worker.core.problems import as_json
from worker.core.sorting import Ignored, by_email, sort_people

WAY = "hooks/"
"""With the hook's name: the way in of a payload."""


def messages_in(payload: Any, hook: Hook) -> list[Any]:
    """The messages of a payload."""
    if hook.each is None:
        return [payload]
    found = hook.each.of(payload)
    return found if isinstance(found, list) else [payload]


def take(messages: list[Any], source: str, hook: Hook, people: People, now: datetime) -> Taken:
    """Sort messages: a message of which any event has a problem is quarantined whole."""
    taken = Taken()
    for index, message in enumerate(messages):
        events = [
            event
            for one in events_in(message, source, hook, now)
            if not isinstance(event := sort_people(one, people) if by_email(one) else one, Ignored)
        ]
        bad = [one for one in (why_not(event, now) for event in events) if one is not None]
        if bad:
            problems = tuple(problem for one in bad for problem in one.problems)
            taken.refuse(index, _refused(message, source, hook, problems))
        elif events:
            taken.events += events
        else:
            taken.ignored += 1
    return taken


def events_in(message: Any, source: str, hook: Hook, now: datetime) -> Iterator[dict[str, Any]]:
    """The events that one message becomes; none if nothing in the mapping is for it."""
    id_ = id_of(message, hook)
    given = first(hook.time, message)
    time = now.isoformat() if given is None else as_time(given)
    for place, shape in enumerate(hook.events):
        if shape.fits(message):
            head = {"id": f"{id_}:{place}", "source": source, "specversion": "1.0", "time": time}
            yield event_of(shape, message, head)


def id_of(message: Any, hook: Hook) -> str:
    """The message's own id; of one without, what is in it, so that the same again is the same."""
    given = first(hook.id, message)
    if isinstance(given, str | int) and str(given):
        return str(given)
    return digest_of(message)


def _refused(message: Any, source: str, hook: Hook, problems: tuple[str, ...]) -> Quarantined:
    id_ = id_of(message, hook)[:200]
    return Quarantined(source, id_, problems, as_json(message), f"{WAY}{hook.name}")
