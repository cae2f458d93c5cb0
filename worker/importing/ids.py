"""The ids of what records become: the same again gets the same, whatever else a mapping has.

What happens once is `MAPPING/RECORD/TYPE`. What can be said anew (an account's name, a deal's
worth) has besides when the record was changed, and a digest of what is said. It is then an event of
its own, not one that contradicts the first, and of two that are about the same time the later
change has the greater id, which is what decides between them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from worker.capture.digests import digest_of
from worker.core.mapping import Import
from worker.core.picking import first

_ONCE = ("interaction", "usage", "survey")
"""What happens once, and is not said anew."""

_TOLD_APART = {"usage": "feature", "survey": "kind", "ticket": "status", "subscription": "status"}
"""The field by which events of one type and record are told apart, in whatever order they are."""

_LONGEST_RECORD = 150
_LONGEST_WORD = 40
_DIGITS = 12


def record_id(values: Mapping[str, Any], mapping: Import) -> str:
    """A record's own id; of one without, what is in it, so that the same again is the same."""
    given = first(mapping.id, values)
    if isinstance(given, str | int) and 0 < len(str(given)) <= _LONGEST_RECORD:
        return str(given)
    return digest_of(values if given is None else given)[: 2 * _DIGITS]


def event_id(event: Mapping[str, Any], record: str, changed: datetime) -> str:
    """The id of an event that a record becomes, which was changed last at `changed`.

    `record` begins with the name of the mapping. Of several that happen once the ids may be equal.
    """
    type_ = event["type"]
    said = event["data"].get(_TOLD_APART.get(type_, ""))
    kind = type_ if said is None else f"{type_}/{_word(said)}"
    if type_ in _ONCE:
        return f"{record}/{kind}"
    version = changed.astimezone(UTC).isoformat(timespec="milliseconds")
    return f"{record}/{version}/{kind}/{digest_of(event)[:_DIGITS]}"


def _word(said: Any) -> str:
    if isinstance(said, str) and said.isprintable() and len(said) <= _LONGEST_WORD:
        return said
    return digest_of(said)[:_DIGITS]
