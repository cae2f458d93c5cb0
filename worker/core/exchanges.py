"""Facts of exchanges: in which rhythm, how fast and how much both sides are in contact."""

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from statistics import median

from worker.core.catalogue import Fact, Part
from worker.core.measures import Measure, Source
from worker.core.stats import Mail
from worker.core.units import Unit, Value

RHYTHM_DAYS = 365
"""Days whose contact with executives tells the usual gap."""

CONTACT_DAYS = 90
"""Complete days in which meetings, mails and answers are counted."""

OF_PEOPLE = ("interaction", "contact", "rep")
"""The events of which facts of interactions with certain people come."""

NOBODY = "nobody's interactions have been recorded yet"
"""When facts of interactions are unknown."""

_INTERACTIONS = Measure(Source.INTERACTION, "interactions", CONTACT_DAYS)
_MEETINGS = _INTERACTIONS._replace(where=(("channel", ("meeting",)),))
_INBOUND = _INTERACTIONS._replace(where=(("direction", ("inbound",)),))
_OUTBOUND = _INTERACTIONS._replace(where=(("direction", ("outbound",)),))
MEASURES = (_MEETINGS, _INBOUND, _OUTBOUND)

RHYTHM = (
    Fact(
        "exec_contact_usual_gap",
        Unit.DAYS,
        "usual gap between contacts with executives",
        "median days from one day of contact with an executive to the next in the last year",
        NOBODY + ", or there were fewer than 2 days of such contact in the year",
        part=Part.RHYTHM,
        formula="Days of contact with any executive, in either direction, from 364 days before the "
        "date up to it; the median of the gaps between one and the next.",
        whole=False,
        events=OF_PEOPLE,
        least=1,
        most=364,
    ),
    Fact(
        "exec_silence_ratio",
        Unit.NUMBER,
        "silence of executives in usual gaps",
        "the gap since the last contact with an executive, in usual gaps: beyond 8 a tie is "
        "mostly gone",
        NOBODY + ", or exec_contact_usual_gap is unknown",
        part=Part.RHYTHM,
        formula="days_since_exec_contact / exec_contact_usual_gap.",
        events=OF_PEOPLE,
        least=0,
    ),
)
MAILS = (
    Fact(
        "response_hours",
        Unit.HOURS,
        "usual time to answer a mail",
        "median hours from an inbound mail to the next outbound one to that contact",
        NOBODY + ", or no inbound mail of these days has been answered",
        part=Part.RESPONSES,
        formula="Inbound mails of the 90 complete days before the date, each by each of its "
        "contacts (not cc), to the first later outbound mail that has the contact in contacts or "
        "cc, by the end of the date; mails without one do not count.",
        events=("interaction",),
        least=0,
    ),
    Fact(
        "inbound_share_90d",
        Unit.PERCENT,
        "share of contact that is inbound",
        "inbound interactions, as a share of those with a direction, in 90 days",
        NOBODY + ", or there is none of either in these days",
        part=Part.CONTACTS,
        formula="100 * inbound / (inbound + outbound) of the 90 complete days before the date; "
        "mutual ones do not count.",
        events=("interaction",),
        least=0,
        most=100,
    ),
)
MEETINGS = (
    Fact(
        "meetings_90d",
        Unit.COUNT,
        "meetings in the last 90 days",
        "meetings held in the 90 complete days before the date",
        NOBODY,
        part=Part.CONTACTS,
        events=("interaction",),
    ),
)


def rhythm(
    met: Iterable[tuple[str, int]], execs: set[str], silence: Value, on: int
) -> dict[str, Value]:
    """How often executives are met, from (contact, day) of the last year, and how long not now."""
    days = sorted(
        {day for contact, day in met if contact in execs and on - RHYTHM_DAYS < day <= on}
    )
    gap = median(later - day for day, later in pairwise(days)) if len(days) > 1 else None
    ratio = silence / gap if gap and isinstance(silence, int | float) else None
    return {"exec_contact_usual_gap": gap, "exec_silence_ratio": ratio}


def responses(mails: Sequence[Mail], on: int) -> dict[str, Value]:
    """How fast inbound mails of the last 90 complete days were answered, if they were."""
    hours = []
    answers: dict[str, int] = {}
    # From the last one back: of outbound mails the one just seen is the next one. Those of the
    # same instant do not answer each other.
    for _, at_once in groupby(sorted(mails, key=_latest_first), key=_latest_first):
        together = list(at_once)
        for mail in together:
            answer = answers.get(mail.contact)
            if mail.inbound and answer is not None and on - CONTACT_DAYS <= mail.day < on:
                hours.append((answer - mail.at) / _MICROSECONDS)
        answers |= {mail.contact: mail.at for mail in together if not mail.inbound}
    return {"response_hours": median(hours) if hours else None}


_MICROSECONDS = 3_600_000_000
"""In an hour."""


def _latest_first(mail: Mail) -> int:
    return -mail.at


def contacts(measures: dict[Measure, int]) -> dict[str, Value]:
    """How much contact there was in the last 90 complete days."""
    inbound, outbound = measures[_INBOUND], measures[_OUTBOUND]
    both = inbound + outbound
    return {
        "inbound_share_90d": 100 * inbound / both if both else None,
        "meetings_90d": measures[_MEETINGS],
    }
