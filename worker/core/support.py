"""Facts of support: how many tickets and escalations there are, and how long they take."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from worker.core.catalogue import Fact, Part
from worker.core.courses import Course, by, said_last
from worker.core.measures import Measure, Raised, Source
from worker.core.units import Unit, Value

SUPPORT_DAYS = 90
"""Complete days in which tickets and escalations are counted."""

_EVENTS = ("ticket",)
_NO_TICKET = "the account has no ticket yet"
_OPENED = Measure(Source.TICKET, "tickets", SUPPORT_DAYS)
_DEFECTS = _OPENED._replace(where=(("defect", ("true",)),))
_NO_DEFECTS = _OPENED._replace(where=(("defect", ("false",)),))
MEASURES = (_OPENED, _DEFECTS, _NO_DEFECTS)

_BEGINS = (
    "A ticket begins with its first event. What its events say in order of time holds, but its "
    "first 'opened' counts as having come first: a resolution dated before it ends the ticket."
)

FACTS = (
    Fact(
        "open_tickets",
        Unit.COUNT,
        "open tickets",
        "tickets that are not resolved",
        _NO_TICKET,
        part=Part.SUPPORT,
        formula=_BEGINS,
        events=_EVENTS,
    ),
    Fact(
        "open_escalations",
        Unit.COUNT,
        "open escalations",
        "open tickets that are escalated",
        _NO_TICKET,
        part=Part.SUPPORT,
        formula="Tickets not resolved whose latest escalated has no deescalated after it.",
        events=_EVENTS,
    ),
    Fact(
        "longest_open_escalation",
        Unit.DAYS,
        "longest open escalation",
        "days since the oldest escalation that is still open; 0 if none is",
        _NO_TICKET,
        part=Part.SUPPORT,
        formula="Date less the day on which the escalation began, the largest of them.",
        events=_EVENTS,
        least=0,
    ),
    Fact(
        "escalations_90d",
        Unit.COUNT,
        "escalations in the last 90 days",
        "escalations that began in the 90 complete days before the date",
        _NO_TICKET,
        part=Part.SUPPORT,
        formula="An escalation that is escalated again goes on; it is one.",
        events=_EVENTS,
    ),
    Fact(
        "escalation_days_median",
        Unit.DAYS,
        "median length of an escalation",
        "median days that the escalations of the last 90 days took, or have taken so far",
        _NO_TICKET + ", or escalations_90d is 0",
        part=Part.SUPPORT,
        formula="Day of deescalated or resolved less day of escalated; to the date if neither.",
        whole=False,
        events=_EVENTS,
        least=0,
    ),
    Fact(
        "defect_share",
        Unit.PERCENT,
        "defects among tickets",
        "share of the tickets of the 90 complete days before the date that are defects",
        _NO_TICKET + ", or none of these days' says whether it is a defect",
        part=Part.SUPPORT,
        formula="100 * defect / (defect + no defect), as the tickets are marked now.",
        events=_EVENTS,
        least=0,
        most=100,
    ),
    Fact(
        "tickets_per_licence",
        Unit.NUMBER,
        "tickets a licence",
        "tickets of the 90 complete days before the date, for each licence",
        _NO_TICKET + ", or there are no licences",
        part=Part.SUPPORT,
        formula="tickets that began in these days / licences",
        events=("ticket", "subscription", "account"),
        least=0,
    ),
)


@dataclass(slots=True)
class Tickets:
    """The tickets of an account that are open or were touched of late, and its first ticket's day.

    Which ones those are is for `matters` to say.
    """

    first_day: int | None = None
    courses: list[Course] = field(default_factory=list)


def matters(last_day: int, is_open: bool, on: int) -> bool:
    """Whether a ticket that was last touched on a day can change a fact of the day `on`."""
    return is_open or last_day >= on - SUPPORT_DAYS


class Escalation(NamedTuple):
    """From one day to another; `ended` is None while it is open."""

    began: int
    ended: int | None


class Standing(NamedTuple):
    """A ticket on a day: the day it began, whether it is open, and its escalations."""

    began: int
    is_open: bool
    escalations: Sequence[Escalation]


def standing(course: Course) -> Standing:
    """Where a ticket stands after these steps, of which there is at least one."""
    began = course[0].day
    first = next((s for s in course if s.said["status"] == "opened"), None)
    ordered = [step for step in course if step is not first]  # as if it had come before them
    is_open, escalated = True, None
    ended: list[Escalation] = []
    for step in ordered:
        status = step.said["status"]
        if status == "opened" or status == "escalated":
            is_open = True
        if status == "escalated" and escalated is None:
            escalated = step.day
        if status in ("deescalated", "resolved") and escalated is not None:
            ended.append(Escalation(escalated, max(step.day, escalated)))
            escalated = None
        if status == "resolved":
            is_open = False
    if escalated is not None:
        ended.append(Escalation(escalated, None))
    return Standing(began, is_open, ended)


def raised(course: Course) -> Raised:
    """The ticket as it is measured, with what is known of it by now."""
    said = said_last(course)
    is_defect = said.get("defect")
    return Raised(
        course[0].day,
        said.get("priority"),
        said.get("topic"),
        None if is_defect is None else str(is_defect).lower(),
    )


def facts(
    tickets: Tickets, measures: dict[Measure, int], licences: Value, on: int
) -> dict[str, Value]:
    """The facts of support on the day `on`; none while there has been no ticket."""
    if tickets.first_day is None or tickets.first_day > on:
        return {}
    standings = [standing(known) for course in tickets.courses if (known := by(course, on))]
    open_ones = [one for one in standings if one.is_open]
    escalated = [e.began for one in open_ones for e in one.escalations if e.ended is None]
    lately = [
        (on if escalation.ended is None else escalation.ended) - escalation.began
        for one in standings
        for escalation in one.escalations
        if on - SUPPORT_DAYS <= escalation.began < on
    ]
    defects, others = measures[_DEFECTS], measures[_NO_DEFECTS]
    return {
        "open_tickets": len(open_ones),
        "open_escalations": len(escalated),
        "longest_open_escalation": on - min(escalated, default=on),
        "escalations_90d": len(lately),
        "escalation_days_median": median(lately) if lately else None,
        "defect_share": 100 * defects / (defects + others) if defects + others else None,
        "tickets_per_licence": measures[_OPENED] / licences
        if isinstance(licences, int | float) and licences
        else None,
    }
