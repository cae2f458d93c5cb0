"""Tie strength: how alive the relation of one rep and one contact is, from their day buckets.

The formula and its calibration are in docs/facts.md. Points are integers, in hundredths, so that
sums do not depend on the order in which they are made; what is decayed is summed in order of day,
so that equal buckets give equal bits.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from worker.core.contents import Interaction

DAILY_CAP = 400
"""Hundredths that one direction of one day counts at most: a burst of mail is one conversation."""

HALF_SCORE = 6
"""Points at which the score is 50."""

TWO_WAY_DAYS = 365
"""Days without a word from the contact after which a tie is at most weak."""

RECENT_DAYS = 90
"""A strong tie needs a word from the contact within so many days,"""

ACTIVE_DAYS = 3
"""and at least so many distinct days of contact."""

_POINTS = {"meeting": 3.0, "call": 2.0, "email": 1.0, "chat": 0.5, "other": 1.0}
_LONG_MEETING = 4.0
_LONG_MINUTES = 60
_COPIED = 0.25
_LARGEST_DIVISOR = 5.0


class Tier(IntEnum):
    """How strong a tie is, in words that order."""

    NONE = 0
    WEAK = 1
    MODERATE = 2
    STRONG = 3
    VERY_STRONG = 4

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class TieSettings:
    """Half-life in days, and the score from which each tier begins."""

    half_life: int = 60
    weak: float = 5.0
    moderate: float = 25.0
    strong: float = 50.0
    very_strong: float = 75.0

    def tier(self, score: float) -> Tier:
        """The tier of an unrounded score, before any gate."""
        if score < self.weak:
            return Tier.NONE
        if score < self.moderate:
            return Tier.WEAK
        if score < self.strong:
            return Tier.MODERATE
        return Tier.STRONG if score < self.very_strong else Tier.VERY_STRONG


@lru_cache(maxsize=4096)
def points(weight: float, people: int) -> int:
    """Hundredths that one pair gets from an interaction of `people` distinct people.

    The weight is shared among them by a square root, whose divisor is at most 5.
    """
    return math.floor(100 * weight / min(math.sqrt(people), _LARGEST_DIVISOR) + 0.5)


def shares(interaction: Interaction) -> Iterator[tuple[str, str, int]]:
    """(rep, contact, hundredths) of every pair of an interaction that counts.

    A contact both addressed and copied counts as addressed.
    """
    weight = _POINTS[interaction.channel]
    if interaction.channel == "meeting" and (interaction.duration_minutes or 0) >= _LONG_MINUTES:
        weight = _LONG_MEETING
    addressed = dict.fromkeys(interaction.contacts)
    copied = [c for c in dict.fromkeys(interaction.cc or ()) if c not in addressed]
    people = len(addressed) + len(copied)
    for rep in dict.fromkeys(interaction.reps):
        for contact in addressed:
            yield rep, contact, points(weight, people)
        for contact in copied:
            yield rep, contact, points(_COPIED, people)


class Bucket(NamedTuple):
    """One UTC day (an ordinal) of a tie: hundredths by direction, uncapped."""

    day: int
    mutual: int
    outbound: int
    inbound: int


class TieState(NamedTuple):
    """All that the buckets of a tie up to its last active day amount to.

    `mutual`, `outbound` and `inbound` are that day's own hundredths, uncapped; `past_*` what the
    days before it have left on it, capped and decayed. `two_way_day` is the last day with mutual
    or inbound points. Days are ordinals.
    """

    day: int
    mutual: int
    outbound: int
    inbound: int
    past_mutual: float
    past_outbound: float
    past_inbound: float
    active_days: int
    two_way_day: int | None


class Tie(NamedTuple):
    """The state of one tie of an account, on or before the date."""

    rep: str
    contact: str
    state: TieState


class Strength(NamedTuple):
    """A tie on a date: score from 0 to 100, and the tier after the gates."""

    score: float
    tier: Tier


@lru_cache(maxsize=16_384)
def decay(age: int, half_life: int) -> float:
    """What is left of a point after `age` days; days still to come are age 0."""
    return 2.0 ** (-age / half_life) if age > 0 else 1.0


def extend(state: TieState | None, bucket: Bucket, half_life: int) -> TieState:
    """The state with one more day: a later one, or the last one with its new sums."""
    two_way = bucket.day if bucket.mutual or bucket.inbound else None
    if state is None:
        return TieState(*bucket, 0.0, 0.0, 0.0, 1, two_way)
    if bucket.day == state.day:
        past = state[4:7]
        return TieState(*bucket, *past, state.active_days, two_way or state.two_way_day)
    left = decay(bucket.day - state.day, half_life)
    return TieState(
        *bucket,
        (state.past_mutual + min(state.mutual, DAILY_CAP)) * left,
        (state.past_outbound + min(state.outbound, DAILY_CAP)) * left,
        (state.past_inbound + min(state.inbound, DAILY_CAP)) * left,
        state.active_days + 1,
        two_way or state.two_way_day,
    )


def state_of(buckets: Iterable[Bucket], half_life: int) -> TieState | None:
    """The state that these buckets, in order of day, amount to; None if there are none."""
    state = None
    for bucket in buckets:
        state = extend(state, bucket, half_life)
    return state


def strength(state: TieState, on: int, settings: TieSettings) -> Strength:
    """Score and tier on the day `on` (an ordinal), not before the state's own day.

    X = M + min(O, I) + 0.2 |O - I| in points, score = 100 X / (X + 6), then the gates: no word
    from the contact for 365 days caps the tier at weak; strong needs 3 active days and a word
    within 90 days.
    """
    # Spelt out, without calls of min: a sweep weighs half a million ties.
    day, mutual, outbound, inbound, past_mutual, past_outbound, past_inbound, days, heard = state
    left = decay(on - day, settings.half_life)
    m = (past_mutual + (mutual if mutual < DAILY_CAP else DAILY_CAP)) * left / 100
    o = (past_outbound + (outbound if outbound < DAILY_CAP else DAILY_CAP)) * left / 100
    i = (past_inbound + (inbound if inbound < DAILY_CAP else DAILY_CAP)) * left / 100
    x = m + i + 0.2 * (o - i) if i < o else m + o + 0.2 * (i - o)
    score = 100 * x / (x + HALF_SCORE)
    tier = settings.tier(score)
    silence = math.inf if heard is None else on - heard
    if tier > Tier.WEAK and silence > TWO_WAY_DAYS:
        tier = Tier.WEAK
    elif tier > Tier.MODERATE and (silence > RECENT_DAYS or days < ACTIVE_DAYS):
        tier = Tier.MODERATE
    return Strength(score, tier)
