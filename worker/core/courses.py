"""Courses: the events of one ticket or one goal in order, which say where it stands on any day.

A course is kept whole, since one has few events; of several steps in one instant the greater
(event id, source) is the later one.
"""

from collections.abc import Iterable
from datetime import UTC, date
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from worker.core.events import Event


class Step(NamedTuple):
    """One event of a course: its time in UTC as text of one width, and the fields that it says."""

    at: str
    id: str
    source: str
    said: dict[str, Any]

    @property
    def day(self) -> int:
        """The event's UTC day, an ordinal."""
        return date.fromisoformat(self.at[:10]).toordinal()


Course = list[Step]
"""Steps in order of time."""


def step_of(event: Event) -> Step:
    """The step that a ticket or outcome event is."""
    said = {
        name: msgspec.to_builtins(value)
        for name in event.data.__struct_fields__
        if name not in ("ticket", "goal") and (value := getattr(event.data, name)) is not UNSET
    }
    at = event.time.astimezone(UTC).isoformat(timespec="microseconds")
    return Step(at, event.id, event.source, said)


def merged(one: Iterable[Step], other: Iterable[Step]) -> Course:
    """The steps of both, in order."""
    return sorted([*one, *other], key=lambda step: step[:3])


def by(course: Course, on: int) -> Course:
    """The steps up to the end of the day `on` (an ordinal)."""
    if course and course[-1].day <= on:  # as a rule all of them: it is today
        return course
    return [step for step in course if step.day <= on]


def said_last(course: Course) -> dict[str, Any]:
    """What was said last of each field: None where it was cleared."""
    said: dict[str, Any] = {}
    for step in course:
        said |= step.said
    return said
