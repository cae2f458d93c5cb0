"""What mails and meetings become: interactions of people known by their addresses, no content."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from worker.capture.digests import digest_of
from worker.core.addresses import People, normal
from worker.core.sorting import BY_EMAIL, PEOPLE, SHARED, Sides

_LONGEST_ID = 200


def interaction(
    id_: str, source: str, time: datetime, sides: Sides, people: People, **content: Any
) -> dict[str, Any]:
    """The event of an interaction at a time; what is None in its content is left out."""
    said = {"reps": sides.reps, "contacts": sides.contacts, "cc": sides.cc or None, **content}
    event = {
        "specversion": "1.0",
        "id": id_,
        "source": source,
        "type": "interaction",
        "time": time.astimezone(UTC).isoformat(),
        PEOPLE: BY_EMAIL,
        "data": {name: value for name, value in said.items() if value is not None},
    }
    shared = people.undeciding([*sides.contacts, *sides.cc])
    return event | ({SHARED: ",".join(shared)} if shared else {})


def fit_for_id(text: str) -> str:
    """The text as an id: itself, or a digest of one that is too long or cannot be shown."""
    return text if text.isprintable() and 0 < len(text) <= _LONGEST_ID else digest_of(text)


def known(texts: Iterable[str]) -> list[str]:
    """The addresses in these texts, each in its one form."""
    return [one for one in map(normal, texts) if one is not None]
