"""What `Memory` keeps of one account for the parts of the catalogue beyond the base: plain lists.

store/parts.py reads the same from tables; a property test holds both equal.
"""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from worker.core.additions import Additions, is_mail
from worker.core.catalogue import Part
from worker.core.contents import Outcome, Survey, Ticket
from worker.core.courses import Course, merged, step_of
from worker.core.exchanges import CONTACT_DAYS, RHYTHM_DAYS
from worker.core.measures import Measure, Row, Source, Touch, Use, measured
from worker.core.stats import AccountStats, Mail
from worker.core.support import Tickets, matters, raised, standing
from worker.core.voice import Said, answer, said_in, voice_of


@dataclass(slots=True)
class Kept:
    """Of one account, in the order in which it came."""

    uses: dict[int, dict[tuple[str, str], list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: [0, 0]))
    )
    touches: dict[int, list[tuple[Touch, int]]] = field(default_factory=lambda: defaultdict(list))
    surveys: list[Said] = field(default_factory=list)
    tickets: dict[str, Course] = field(default_factory=dict)
    goals: dict[str, Course] = field(default_factory=dict)

    def fill(
        self,
        stats: AccountStats,
        measures: Collection[Measure],
        met: Callable[[], Collection[tuple[str, int]]],
        on: int,
    ) -> None:
        """Add to the stats what belongs to the parts that are read; `met` gives all days of contact
        with each contact."""
        parts = stats.reading.parts
        rows = {
            source: self._rows(source, on - max(m.days + m.skip for m in of_source), on)
            for source in Source
            if (of_source := [m for m in measures if m.source is source])
        }
        stats.measures = {m: measured(m, rows[m.source], on) for m in measures}
        if Part.RHYTHM in parts:
            stats.met = {(who, day) for who, day in met() if on - RHYTHM_DAYS < day <= on}
        if Part.RESPONSES in parts:
            stats.mails = [
                Mail(touch.contact, at, touch.direction == "inbound", touch.day)
                for day in range(on - CONTACT_DAYS, on + 1)
                for touch, at in self.touches.get(day, ())
                if is_mail(touch)
            ]
        if Part.SUCCESS in parts:
            stats.goals = list(self.goals.values())
        if Part.VOICE in parts:
            stats.voice = voice_of((said for said in self.surveys if said.day <= on), on)
        if Part.SUPPORT in parts:
            stats.tickets = Tickets(
                min((course[0].day for course in self.tickets.values()), default=None),
                [c for c in self.tickets.values() if matters(c[-1].day, standing(c).is_open, on)],
            )

    def _rows(self, source: Source, first: int, end: int) -> list[Row]:
        """The rows of a source from one day to the eve of another, and maybe others."""
        match source:
            case Source.USAGE:
                return [
                    Use(day, *key, *sums)
                    for day in range(first, end)
                    for key, sums in self.uses.get(day, {}).items()
                ]
            case Source.INTERACTION:
                return [t for day in range(first, end) for t, _ in self.touches.get(day, ())]
            case Source.TICKET:
                return [raised(course) for course in self.tickets.values()]
            case Source.SURVEY:
                return [answer(said) for said in self.surveys]


def keep(add: Additions, of_account: Callable[[str], Kept]) -> None:
    """Keep what events add, in the account that `of_account` gives for its id."""
    for (account, day, user, feature), (uses, minutes) in add.feature_days.items():
        sums = of_account(account).uses[day][user, feature]
        sums[0] += uses
        sums[1] += minutes
    for account, touch, at in add.touches:
        of_account(account).touches[touch.day].append((touch, at))
    for event in add.surveys:
        if isinstance(event.data, Survey):
            of_account(event.account or "").surveys.append(said_in(event, event.data))
    for event in add.courses:
        kept = of_account(event.account or "")
        match event.data:
            case Ticket(ticket=name):
                courses = kept.tickets
            case Outcome(goal=name):
                courses = kept.goals
            case _:
                continue
        courses[name] = merged(courses.get(name, ()), [step_of(event)])
