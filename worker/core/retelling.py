"""Telling again: of a flag that stays open, unanswered, day after day."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from worker.core.alerts import AlertReason


class Heard(NamedTuple):
    """What people have heard of a flag since it last opened, in UTC dates.

    `first` is when whoever has it got the first message, `last` when the last one to anybody was
    made; `muted` is whether it was to be told, and was not; `escalated` whether a manager knows.
    """

    first: date | None = None
    last: date | None = None
    muted: bool = False
    escalated: bool = False


def again(
    heard: Heard, remind_every: int | None, escalate_after: int | None, on: date
) -> Iterator[AlertReason]:
    """Why an open flag that nobody has answered is told again on a date; both numbers are in days.

    One that was muted, and is not any more, is told as if it opened now.
    """
    if heard.last is None:
        if heard.muted:
            yield AlertReason.OPENED
        return
    if remind_every is not None and (on - heard.last).days >= remind_every:
        yield AlertReason.REMINDER
    if escalate_after is None or heard.first is None or heard.escalated:
        return
    if (on - heard.first).days >= escalate_after:
        yield AlertReason.ESCALATED
