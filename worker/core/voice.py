"""Facts of the customer's voice: what surveys say, and how long one with a complaint waits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from worker.core.catalogue import Fact, Part
from worker.core.contents import Survey
from worker.core.events import Event
from worker.core.measures import Answer, Measure, Source
from worker.core.ties import Tie
from worker.core.units import Unit, Value

YEAR = 365
CSAT_DAYS = 90

_EVENTS = ("survey",)
_NO_SURVEY = "the account has answered no survey yet"


def _surveys(days: int, kind: str | None = None, answer: str | None = None) -> Measure:
    where = tuple(
        (name, (value,))
        for name, value in (("answer", answer), ("kind", kind))
        if value is not None
    )
    return Measure(Source.SURVEY, "surveys", days, where)


_NPS = _surveys(YEAR, "nps")
_PROMOTERS, _DETRACTORS = _surveys(YEAR, "nps", "promoter"), _surveys(YEAR, "nps", "detractor")
_CSAT, _SATISFIED = _surveys(CSAT_DAYS, "csat"), _surveys(CSAT_DAYS, "csat", "satisfied")
_PERCEPTIONS = _surveys(YEAR, "perception")
_PERCEPTION = {
    word: _surveys(YEAR, "perception", word) for word in ("positive", "neutral", "negative")
}
_RECENT = _surveys(CSAT_DAYS)
_BEFORE = _RECENT._replace(skip=CSAT_DAYS)
_RECENT_POINTS = _RECENT._replace(amount="points")
_BEFORE_POINTS = _BEFORE._replace(amount="points")
MEASURES = (
    *(_NPS, _PROMOTERS, _DETRACTORS, _CSAT, _SATISFIED, _PERCEPTIONS, *_PERCEPTION.values()),
    *(_RECENT, _BEFORE, _RECENT_POINTS, _BEFORE_POINTS),
)

FACTS = (
    Fact(
        "nps_latest",
        Unit.NUMBER,
        "latest NPS score",
        "the score, 0 to 10, of the latest NPS survey",
        "the account has answered no NPS survey yet",
        part=Part.VOICE,
        formula="Of several at one time the one with the greater event id.",
        events=_EVENTS,
        least=0,
        most=10,
    ),
    Fact(
        "nps",
        Unit.NUMBER,
        "NPS",
        "the account's net promoter score over a year: promoters less detractors, -100 to 100",
        "there is no NPS survey in the 365 complete days before the date",
        part=Part.VOICE,
        formula="100 * (scores of 9 and more - scores of 6 and less) / NPS surveys.",
        events=_EVENTS,
        least=-100,
        most=100,
    ),
    Fact(
        "csat",
        Unit.PERCENT,
        "satisfied customers",
        "share of CSAT scores of 4 and 5 in the 90 complete days before the date",
        "there is no CSAT survey in these days",
        part=Part.VOICE,
        formula="100 * scores of 4 and more / CSAT surveys.",
        events=_EVENTS,
        least=0,
        most=100,
    ),
    *(
        Fact(
            f"perception_{word}",
            Unit.PERCENT,
            f"{word} perceptions",
            f"share of the perceptions of the 365 complete days before the date that are {word}",
            "there is none in these days",
            part=Part.VOICE,
            formula=f"100 * {word} / perception surveys.",
            events=_EVENTS,
            least=0,
            most=100,
        )
        for word in ("positive", "neutral", "negative")
    ),
    Fact(
        "survey_trend",
        Unit.NUMBER,
        "change in survey scores",
        "change of the mean survey score, of 100, from one 90 days to the next",
        "either the 90 complete days before the date or the 90 before those have no survey",
        part=Part.VOICE,
        formula="Mean of the last 90 days less that of the 90 before. Scores on one scale: NPS "
        "times 10, CSAT 1 to 5 as 0 to 100, perceptions as 0, 50 and 100.",
        events=_EVENTS,
        least=-100,
        most=100,
    ),
    Fact(
        "days_since_survey",
        Unit.DAYS,
        "last survey answered",
        "days since the account last answered any survey",
        _NO_SURVEY,
        part=Part.VOICE,
        events=_EVENTS,
    ),
    Fact(
        "detractor_waiting",
        Unit.DAYS,
        "longest wait of a detractor",
        "days since an NPS score of 6 or less with no contact since; 0 if none waits",
        "the account has answered no NPS survey yet",
        part=Part.VOICE,
        formula="Days since the latest such score of each contact within 365 days, if neither a "
        "better score nor contact with them came on that day or later (with anybody, if the "
        "survey names no contact); the longest.",
        events=("survey", "interaction"),
        least=0,
        most=YEAR - 1,
    ),
)

_PERCEIVED = {"positive": 100_00, "neutral": 50_00, "negative": 0}


class Said(NamedTuple):
    """One answer to a survey; the contact is empty where the event names none."""

    day: int
    at: int
    id: str
    source: str
    kind: str
    score: float | str
    contact: str


def said_in(event: Event, survey: Survey) -> Said:
    """What a survey event says; of several at one time the greater event id is the later one."""
    contact = survey.contact or ""
    return Said(event.day, event.at, event.id, event.source, survey.kind, survey.score, contact)


def answer(said: Said) -> Answer:
    """The answer as it is measured: what its score says in a word, and on one scale."""
    score = said.score
    if isinstance(score, str):
        word, points = score, _PERCEIVED[score]
    elif said.kind == "nps":
        word = "promoter" if score >= 9 else "detractor" if score <= 6 else "passive"
        points = int(score * 1_000 + 0.5)
    else:
        word = "satisfied" if score >= 4 else "unsatisfied"
        points = int((score - 1) * 2_500 + 0.5)
    return Answer(said.day, said.contact, said.kind, word, points)


@dataclass(slots=True)
class Voice:
    """What surveys up to the date say beyond windows. Days are ordinals.

    `latest` is the score of the latest NPS survey; `nps_days` map each contact (empty: not named)
    to the day of its latest NPS survey within a year and whether it was a detractor then.
    """

    last_day: int | None = None
    latest: float | None = None
    nps_days: dict[str, tuple[int, bool]] = field(default_factory=dict)


def voice_of(answers: Iterable[Said], on: int) -> Voice:
    """The voice on the day `on`, from answers up to its end: those to NPS surveys of the year up
    to it, and the latest of each kind, at least."""
    voice = Voice()
    for said in sorted(answers):
        voice.last_day = said.day
        if said.kind == "nps" and not isinstance(said.score, str):
            voice.latest = said.score
            if said.day > on - YEAR:
                voice.nps_days[said.contact] = (said.day, answer(said).answer == "detractor")
    return voice


def facts(
    voice: Voice, measures: dict[Measure, int], ties: Sequence[Tie], on: int
) -> dict[str, Value]:
    """The facts of the voice on the day `on`; none while there has been no survey."""
    if voice.last_day is None:
        return {}
    recent, before = measures[_RECENT], measures[_BEFORE]
    perceptions = measures[_PERCEPTIONS]
    return {
        "nps_latest": voice.latest,
        "nps": _share(measures[_PROMOTERS] - measures[_DETRACTORS], measures[_NPS]),
        "csat": _share(measures[_SATISFIED], measures[_CSAT]),
        **{
            f"perception_{word}": _share(measures[measure], perceptions)
            for word, measure in _PERCEPTION.items()
        },
        "survey_trend": (measures[_RECENT_POINTS] / recent - measures[_BEFORE_POINTS] / before)
        / 100
        if recent and before
        else None,
        "days_since_survey": on - voice.last_day,
        "detractor_waiting": None
        if voice.latest is None
        else on - min(unheard(voice, ties).values(), default=on),
    }


def _share(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def unheard(voice: Voice, ties: Sequence[Tie]) -> dict[str, int]:
    """The detractors of the year (empty: not named) with whom nobody has been in contact since,
    with the day of their answer."""
    met: dict[str, int] = {}
    for tie in ties:
        met[tie.contact] = max(met.get(tie.contact, 0), tie.state.day)
    last = max(met.values(), default=0)
    return {
        contact: day
        for contact, (day, unhappy) in voice.nps_days.items()
        if unhappy and (met.get(contact, 0) if contact else last) < day
    }
