"""What is wrong with an event's data although each of its fields is right."""

from collections.abc import Iterator
from datetime import date

from msgspec import UNSET

from worker.core.contents import Content, Interaction, Subscription, Survey
from worker.core.problems import quoted

CHECKED = (Interaction, Survey, Subscription)
"""The types whose fields may contradict each other."""

_MUST_SAY_DIRECTION = {"email": "an email", "chat": "a chat"}


def contradictions(data: Content) -> Iterator[str]:
    """What the types of the single fields cannot say."""
    match data:
        case Interaction():
            if data.channel in _MUST_SAY_DIRECTION and data.direction is None:
                article = _MUST_SAY_DIRECTION[data.channel]
                yield f"'direction' is missing: {article} must say inbound or outbound"
            if data.contacts == [] and not data.cc:
                yield "'contacts' is empty: an interaction names at least one contact"
        case Subscription(term_start=date() | str() as start, term_end=date() | str() as end) if (
            str(end) < str(start)
        ):
            yield f"'term_end' {end} is before 'term_start' {start}: a term ends after it starts"
        case Survey(kind="nps", score=score) if not _between(score, 0, 10):
            yield f"'score' must be a number from 0 to 10 for nps, not {quoted(score)}"
        case Survey(kind="csat", score=score) if not _between(score, 1, 5):
            yield f"'score' must be a number from 1 to 5 for csat, not {quoted(score)}"
        case Survey(kind="perception", score=score) if score not in (
            UNSET,
            "positive",
            "neutral",
            "negative",
        ):
            yield f"'score' must be positive, neutral or negative, not {quoted(score)}"


def _between(score: object, low: int, high: int) -> bool:
    return score is UNSET or (isinstance(score, int | float) and low <= score <= high)
