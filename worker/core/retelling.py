"""Telling again: of a flag that stays open, unanswered, day after day."""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from worker.core.alerts import AlertReason


class Heard(NamedTuple):
    """What people have heard of a flag since it last opened.

    `first` is the moment at which whoever has it got the first message, `last` the UTC date on
    which the last one to anybody was made; `muted` is whether it was to be told, and was not;
    `escalated` whether a manager knows.
    """

    first: datetime | None = None
    last: date | None = None
    muted: bool = False
    escalated: bool = False


def again(
    heard: Heard,
    remind_every: int | None,
    escalate_after: int | None,
    on: date,
    zone: tzinfo = UTC,
    quiet_days: Collection[int] = (),
) -> Iterator[AlertReason]:
    """Why an open flag that nobody has answered is told again on a date.

    `remind_every` is in days, `escalate_after` in days on which whoever has the flag works: by the
    clock of their zone, but for `quiet_days`, weekdays of which 0 is Monday. A flag that was muted,
    and is not any more, is told as if it opened now.
    """
    if heard.last is None:
        if heard.muted:
            yield AlertReason.OPENED
        return
    if remind_every is not None and (on - heard.last).days >= remind_every:
        yield AlertReason.REMINDER
    if escalate_after is None or heard.first is None or heard.escalated:
        return
    if _working_days(heard.first.astimezone(zone).date(), on, quiet_days) >= escalate_after:
        yield AlertReason.ESCALATED


def _working_days(after: date, up_to: date, quiet_days: Collection[int]) -> int:
    """The days after one, up to another, that are no quiet days."""
    weeks, more = divmod(max(0, (up_to - after).days), 7)
    rest = (up_to - timedelta(days) for days in range(more))
    return weeks * (7 - len(quiet_days)) + sum(day.weekday() not in quiet_days for day in rest)
