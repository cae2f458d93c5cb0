"""Webhooks to events, as `capture.yaml` says: one message, or each of several, becomes events."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from worker.capture.ids import event_id, record_id, twins
from worker.capture.taking import Taken, why_not
from worker.core.addresses import People
from worker.core.events import UNDATED, Quarantined
from worker.core.mapping import Hook, event_of
from worker.core.moments import as_time
from worker.core.picking import Pick, first
from worker.core.problems import as_json
from worker.core.sorting import Ignored, by_email, sort_people

WAY = "hooks/"
"""With the hook's name: the way in of a payload."""

EACH = "$[*]"
"""The way to the messages of a payload that is a list of them."""


def messages_in(payload: Any, hook: Hook) -> list[Any]:
    """The messages of a payload; one that is no list is one, where a list was to be expected."""
    if hook.each is None or (hook.each.path == EACH and not isinstance(payload, list)):
        return [payload]
    found = hook.each.of(payload)
    return found if isinstance(found, list) else [payload]


def take(
    messages: list[Any],
    source: str,
    hook: Hook,
    people: People,
    now: datetime,
    sent_as: str | None = None,
    received: datetime | None = None,
) -> Taken:
    """Sort messages: a message of which any event has a problem is quarantined whole.

    `sent_as` is the id under which they were sent, for those that have none in them; `received` is
    when they came, if not `now`: the time of those that say none.
    """
    taken = Taken()
    for index, message in enumerate(messages):
        id_ = _id(message, hook, sent_as, len(messages) > 1)
        events = [
            event
            for one in events_in(message, id_, source, hook, received or now)
            if not isinstance(event := sort_people(one, people) if by_email(one) else one, Ignored)
        ]
        bad = [one for one in (why_not(event, now) for event in events) if one is not None]
        problems = (*(problem for one in bad for problem in one.problems), *twins(events))
        if problems:
            taken.refuse(index, _refused(message, id_, source, hook, problems))
        elif events:
            taken.events += events
        else:
            taken.ignored += 1
    return taken


def events_in(
    message: Any, id_: str, source: str, hook: Hook, received: datetime
) -> Iterator[dict[str, Any]]:
    """The events that the message of this id becomes; none if nothing in the mapping is for it."""
    record = f"{hook.name}/{id_}"
    for shape in hook.events:
        if not shape.fits(message):
            continue
        given = first((*shape.time, *hook.time), message)
        head = {"source": source, "specversion": "1.0"}
        dated = {UNDATED: "true"} if given is None else {"time": as_time(given)}
        event = event_of(shape, message, head | dated)
        yield {"id": event_id(event, record, shape, message), "time": received.isoformat(), **event}


def _id(message: Any, hook: Hook, sent_as: str | None, is_one_of_many: bool) -> str:
    if sent_as and is_one_of_many:
        sent_as = f"{sent_as}/{record_id((), message)}"
    return record_id((*hook.id, Pick(constant=sent_as)), message)


def _refused(
    message: Any, id_: str, source: str, hook: Hook, problems: tuple[str, ...]
) -> Quarantined:
    return Quarantined(source, id_, problems, as_json(message), f"{WAY}{hook.name}")
