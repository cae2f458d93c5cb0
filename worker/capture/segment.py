"""Segment's calls to events: `track` is usage, `identify` a contact, `group` an account, and so on
as `capture.yaml` says; `alias` says that a contact has had another id.

Which account a user belongs to, Segment's libraries do not repeat with each call. So an event of a
user names the user as a member (docs/events.md), and is applied once a `group` call has said whose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker.capture.digests import digest_of
from worker.capture.taking import Taken, why_not
from worker.core.events import ALIAS, MEMBER, UNDATED, Quarantined
from worker.core.mapping import Capture, Shape, event_of
from worker.core.moments import as_time
from worker.core.picking import Pick
from worker.core.problems import as_json, storable

WAY = "segment"
CALLS = ("track", "identify", "group", "page", "screen", "alias")

_SAYS_WHOSE = ("group", "alias")
"""The calls that say of a user what holds for all of the user's calls."""

_USER = (Pick("$.userId"),)
_USAGE = Shape("usage", {"user": _USER, "feature": (Pick("$.event"),)})
_VIEW = Shape("usage", {"user": _USER, "feature": (Pick("$.name"), Pick("$.properties.path"))})
_CONTACT = Shape("contact", {"contact": _USER, "name": (Pick("$.traits.name"),)})
_SAME = Shape("contact", {"contact": _USER})
_ACCOUNT = Shape("account", {"name": (Pick("$.traits.name"),)})
_OURS = {"identify": _CONTACT, "group": _ACCOUNT, "page": _VIEW, "screen": _VIEW}


@dataclass(frozen=True, slots=True)
class Call:
    """What a message becomes: an event, nothing (it is of no use here), or problems."""

    event: dict[str, Any] | None = None
    problem: str | None = None


def messages_in(body: Any) -> list[Any]:
    """The messages of a batch, each with what the batch says for all of them."""
    found = body.get("batch") if isinstance(body, dict) else None
    if not isinstance(found, list):
        return [body]
    shared = {name: body[name] for name in ("context", "sentAt") if name in body}
    return [shared | one if isinstance(one, dict) else one for one in found]


def take(
    messages: Sequence[Any],
    source: str,
    capture: Capture,
    now: datetime,
    received: datetime | None = None,
) -> Taken:
    """Sort Segment's messages: events, those of no use here, and those with problems.

    `received` is when they came, if not `now`: the time of those that say none.
    """
    taken = Taken()
    for index, message in enumerate(messages):
        call = event_in(message, source, capture, received or now)
        if call.problem is not None:
            taken.refuse(index, _refused(message, source, (call.problem,)))
        elif call.event is None:
            taken.ignored += 1
        elif bad := why_not(call.event, now):
            taken.refuse(index, _refused(message, source, bad.problems))
        else:
            taken.events.append(call.event)
    return taken


def event_in(message: Any, source: str, capture: Capture, received: datetime) -> Call:
    """What one message becomes."""
    if not isinstance(message, dict):
        return Call(problem="a message is a JSON object with a 'type'")
    kind = message.get("type")
    if kind not in CALLS:
        return Call(problem=f"'type' must be one of {', '.join(CALLS)}")
    shape = _shape_for(message, str(kind), capture)
    user, group, alias = message.get("userId"), _group(message), message.get("previousId")
    if shape is None or (kind == "alias" and not (_is_id(user) and _is_id(alias))):
        return Call()
    if not _is_id(user) and not _is_id(group):
        return Call()  # somebody who has not said who they are, of an account that nobody named
    given = message.get("timestamp") or message.get("sentAt")
    head = {
        "id": _id(message),
        "source": source,
        "specversion": "1.0",
        "time": as_time(given or received.isoformat()),
    }
    if not given:
        head[UNDATED] = "true"
    event = event_of(shape, message, head)
    if shape.subject == () and _is_id(group):
        event["subject"] = str(group)
    if _is_id(user) and (kind in _SAYS_WHOSE or (shape.member == () and "subject" not in event)):
        event[MEMBER] = str(user)
    if kind == "alias":
        event[ALIAS] = str(alias)
    return Call(event)


def _shape_for(message: Mapping[str, Any], kind: str, capture: Capture) -> Shape | None:
    if kind == "alias":
        return _SAME
    if kind == "track":
        return capture.tracked(str(message.get("event")), _USAGE)
    return capture.calls.get(kind, _OURS[kind])


def _group(message: Mapping[str, Any]) -> Any:
    """The account that a message names: a `group` call does, and any may in its context."""
    if message.get("type") == "group":
        return message.get("groupId")
    context = message.get("context")
    return context.get("groupId") if isinstance(context, dict) else None


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and str(value) != ""


def _id(message: Mapping[str, Any]) -> str:
    """The message's own id; of one without, what is in it, so that the same again is the same."""
    given = message.get("messageId")
    if isinstance(given, str) and given:
        return given
    told = {name: value for name, value in message.items() if name != "sentAt"}
    return digest_of(told)


def _refused(message: Any, source: str, problems: tuple[str, ...]) -> Quarantined:
    id_ = message.get("messageId") if isinstance(message, dict) else None
    shown = id_ if isinstance(id_, str) else None
    body = message if isinstance(message, str) else as_json(message)
    return Quarantined(source, shown and storable(shown[:300]), problems, body, WAY)
