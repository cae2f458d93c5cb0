"""The ids of what messages and records become: the same again gets the same, wherever it stands in
the mapping, and whatever else is in there.

What happens once is `MAPPING/RECORD/TYPE`. What can be said anew (an account's name, a deal's
worth) has besides a digest of what is said, and of a record also when it was changed. It is then an
event of its own, not one that contradicts the first, and of two that are about the same time the
later change has the greater id, which is what decides between them.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from worker.capture.digests import digest_of
from worker.core.mapping import ONCE, TOLD_APART, Shape
from worker.core.picking import Value, first

_LONGEST_RECORD = 100
_LONGEST_WORD = 40
_DIGITS = 12


def record_id(ways: Value, message: Any) -> str:
    """A message's own id, or a digest of one that is too long or cannot be shown; of a message
    without, of what is in it, so that the same again is the same."""
    given = first(ways, message)
    text = str(given) if isinstance(given, str | int) else ""
    if text.isprintable() and 0 < len(text) <= _LONGEST_RECORD:
        return text
    return digest_of(message if given is None else given)[: 2 * _DIGITS]


def event_id(
    event: Mapping[str, Any],
    record: str,
    shape: Shape,
    message: Any,
    changed: datetime | None = None,
) -> str:
    """The id of an event that a message or record becomes; `changed` is when it was last.

    `record` begins with the name of the mapping. An `id` that its shape in the mapping has tells it
    from others of its type.
    """
    type_ = event["type"]
    words = [event["data"].get(TOLD_APART.get(type_, "")), first(shape.id, message)]
    kind = "/".join([type_, *(_word(one) for one in words if one is not None)])
    if type_ in ONCE:
        return f"{record}/{kind}"
    said = f"{kind}/{digest_of(event)[:_DIGITS]}"
    if changed is None:
        return f"{record}/{said}"
    return f"{record}/{changed.astimezone(UTC).isoformat(timespec='milliseconds')}/{said}"


def twins(events: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A problem for each event that has the id of another one out of the same message.

    Which of them is which, only their order in the mapping would say, and that may change.
    """
    seen: dict[str, Mapping[str, Any]] = {}
    for event in events:
        if seen.setdefault(event["id"], event) != event:
            yield (
                f"more than one {event['type']} comes out of it, and nothing tells them apart: "
                "give one of them an 'id' in the mapping, like 'id: second'"
            )


def _word(said: Any) -> str:
    text = str(said) if isinstance(said, str | int) else ""
    fits = text.isprintable() and 0 < len(text) <= _LONGEST_WORD
    return text if fits else digest_of(said)[:_DIGITS]
