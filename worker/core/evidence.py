"""What is behind a flag, in lines that a rep can act on: who was last in contact, who is nearest,
who is missing, what is escalated, what was used when, and what lowers the health score."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from worker.core.adoption import LICENCE_DAYS, USAGE_DAYS
from worker.core.ailing import lowered_by
from worker.core.conditions import Facts
from worker.core.contacts import People, decision_level, people_of
from worker.core.courses import by
from worker.core.stats import AccountStats, Workspace
from worker.core.support import raised, standing
from worker.core.ties import Tier, strength
from worker.core.units import Unit, shown
from worker.core.voice import unheard


def behind(
    named: Collection[str],
    stats: AccountStats,
    facts: Facts,
    workspace: Workspace,
    on: date,
    rep_names: Mapping[str, str],
) -> tuple[str, ...]:
    """What is behind a rule's outcome: the lines on what the facts that it names speak of."""
    lines = who(stats, on.toordinal(), workspace, named, rep_names)
    return (*lines, *lowered_by(named, facts, workspace.health))


def who(
    stats: AccountStats,
    on: int,
    workspace: Workspace,
    facts: Collection[str],
    rep_names: Mapping[str, str],
) -> tuple[str, ...]:
    """Lines on the people, tickets and usage of which these facts speak, as of a day (an ordinal).

    `rep_names` maps rep ids to names; a rep without one is shown by id.
    """
    scene = _Scene(stats, on, workspace, people_of(stats, on), rep_names)
    parts = {part for name in facts for part in name.split("_")}
    lines: list[str] = []
    if parts & {"exec", "execs"}:
        lines += scene.lines("executive", "executives", scene.people.execs)
        lines += scene.unknown_levels()
    if "champions_left" in facts:
        lines += scene.champions_who_left()
    if parts & {"user", "users", "champions"}:
        lines += scene.lines("user", "users", scene.people.users)
    if "single_rep_share" in facts:
        lines += scene.holder()
    if not _ON_ESCALATIONS.isdisjoint(facts):
        lines += scene.escalations()
    if "detractor_waiting" in facts:
        lines += scene.detractors()
    if not _ON_USAGE.isdisjoint(facts):
        lines += scene.usage()
    if not _ON_LICENCES.isdisjoint(facts):
        lines += scene.licences()
    return tuple(lines)


_ON_USAGE = {"usage_30d", "usage_prev_30d", "usage_change", "active_days_30d", "days_since_usage"}
_ON_ESCALATIONS = {"open_escalations", "longest_open_escalation"}
_ON_LICENCES = {"licences_used", "adoption"}
_MOST_NAMED = 5
_MOST_MISSING = 3


class _Relation(NamedTuple):
    """A live tie: the order of the fields is what makes one better than another."""

    tier: Tier
    score: float
    day: int
    contact: str
    rep: str


@dataclass(frozen=True, slots=True)
class _Scene:
    """An account on a day, and what it takes to speak of its people."""

    stats: AccountStats
    on: int
    workspace: Workspace
    people: People
    rep_names: Mapping[str, str]

    def lines(self, one: str, many: str, members: set[str]) -> Iterator[str]:
        """What to know of the members of a group, called `one` and `many`."""
        here = members - self.people.gone
        nearest = self._nearest(here)
        last = max(
            (
                (tie.state.day, tie.contact, tie.rep)
                for tie in self.stats.ties
                if tie.contact in members
            ),
            default=None,
        )
        if last is not None:
            yield self._last(one, *last, nearest)
        elif len(here) == 1:
            yield f"No contact yet with the one known {one}: {self._person(min(here))}."
        elif here:
            yield (f"No contact yet with any of the {len(here)} known {many}: {self._most(here)}.")
        else:
            yield f"No {one} is known at this account."
        yield from self._near(one, many, nearest, None if last is None else last[1])
        if last is not None:
            yield from self._missing(here, nearest, last[1])
        if not nearest:
            yield from self._others(here)

    def _last(
        self, one: str, day: int, contact: str, rep: str, nearest: Sequence[_Relation]
    ) -> str:
        tie = next((f"; {_tie(of.tier)}" for of in nearest if of.contact == contact), "")
        return (
            f"Last {one} contact: {self._person(contact)}, {_date(day)}, {self._ago(day)}, "
            f"with {self._rep(rep)}{tie}."
        )

    def _near(
        self, one: str, many: str, nearest: Sequence[_Relation], last: str | None
    ) -> Iterator[str]:
        """The strong ties to a group, or that there is none, and who comes next.

        The tie with `last` has been said already.
        """
        strong = [of for of in nearest if of.tier >= Tier.STRONG]
        others = [of for of in strong if of.contact != last]
        if others:
            named = "; ".join(self._met(of) for of in others[:_MOST_NAMED])
            more = f"; {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
            which = "Strong" if len(others) == len(strong) else "Other strong"
            what = f"{one} tie" if len(others) == 1 else f"ties to {many}"
            yield f"{which} {what}: {named}{more}."
        following = next((of for of in nearest if of.tier < Tier.STRONG), None)
        if following is None:
            return
        if not strong:
            known = following.contact == last
            who = "this is the nearest" if known else f"nearest: {self._how_near(following)}"
            yield f"No strong tie to any {one}; {who}."
        elif following.contact != last:
            yield f"Next nearest: {self._how_near(following)}."

    def _missing(
        self, here: set[str], nearest: Sequence[_Relation], last: str | None
    ) -> Iterator[str]:
        """Those of a group with whom nobody has a tie."""
        near = {of.contact for of in nearest if of.tier is not Tier.NONE}
        missing = here - near - {last}
        if missing:
            yield f"No tie with {self._most(missing)}."

    def _most(self, contacts: set[str]) -> str:
        """The first few by name, who used the product last before the others, and how many more."""
        used = {person.contact: person.used or 0 for person in self.stats.contacts}
        ranked = sorted(contacts, key=lambda contact: (-used[contact], contact))
        named = "; ".join(self._person(contact) for contact in ranked[:_MOST_MISSING])
        more = len(ranked) - _MOST_MISSING
        return named + (f"; {more} more" if more > 0 else "")

    def _others(self, here: set[str]) -> Iterator[str]:
        """Who outside a group could open its door."""
        others = {person.contact for person in self.stats.contacts} - here - self.people.gone
        other = next(iter(self._nearest(others)), None)
        if other is not None:
            yield f"Nearest other: {self._how_near(other)}."

    def unknown_levels(self) -> Iterator[str]:
        """How many may be executives without our knowing: unknown is not non-executive."""
        unknown = sum(
            1
            for person in self.stats.contacts
            if not person.gone and decision_level(person.level, person.title) is None
        )
        if unknown:
            has = "1 contact has" if unknown == 1 else f"{unknown} contacts have"
            yield f"{has} no known level: a title would say whether they decide."

    def champions_who_left(self) -> Iterator[str]:
        """Whose place is to be taken."""
        left = sorted(
            one.contact for one in self.stats.contacts if one.gone and one.role == "champion"
        )
        if left:
            named = "; ".join(self._person(contact) for contact in left[:_MOST_NAMED])
            more = f"; {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
            yield f"{'Champion' if len(left) == 1 else 'Champions'}: {named}{more}."

    def detractors(self) -> Iterator[str]:
        """Who gave a bad score and has heard from nobody since, whoever waits longest first."""
        waiting = unheard(self.stats.voice, self.stats.ties)
        ranked = sorted(waiting.items(), key=lambda one: (one[1], one[0]))
        for contact, day in ranked[:_MOST_MISSING]:
            whom = self._person(contact) if contact else "somebody whom the survey does not name"
            yield f"Detractor: {whom}, {_date(day)}, {self._ago(day)}, without contact since."
        more = len(ranked) - _MOST_MISSING
        if more > 0:
            yield f"{more} more {'detractor waits' if more == 1 else 'detractors wait'}."

    def holder(self) -> Iterator[str]:
        """The rep who leaves the fewest strong ties behind for others, and with whom they are."""
        held: dict[str, list[str]] = defaultdict(list)
        for rep, contact, state in self.stats.ties:
            if rep in self.workspace.gone_reps or contact in self.people.gone:
                continue
            if strength(state, self.on, self.workspace.ties).tier >= Tier.STRONG:
                held[rep].append(contact)
        if not held:
            return
        rep = min(held, key=lambda rep: (-len(held[rep]), rep))
        theirs, of_all = len(held[rep]), sum(map(len, held.values()))
        which = f"{theirs} of {of_all} strong ties are" if of_all > 1 else "The one strong tie is"
        if 1 < theirs == of_all:
            which = "Both strong ties are" if of_all == 2 else f"All {of_all} strong ties are"
        yield f"{which} with {self._rep(rep)}: {self._most(set(held[rep]))}."

    def escalations(self) -> Iterator[str]:
        """What is escalated and still open, whatever has been for longest first."""
        courses = [known for all_ in self.stats.tickets.courses if (known := by(all_, self.on))]
        up = sorted(
            (escalation.began, raised(course).topic or "")
            for course in courses
            if (now := standing(course)).is_open
            for escalation in now.escalations
            if escalation.ended is None
        )
        for day, topic in up[:_MOST_MISSING]:
            of = f" of {topic}" if topic else ""
            yield f"Escalation{of}: since {_date(day)}, {self._ago(day)}."
        more = len(up) - _MOST_MISSING
        if more > 0:
            yield f"{more} more {'escalation is' if more == 1 else 'escalations are'} open."

    def usage(self) -> Iterator[str]:
        """The two windows that usage is counted in, and its last day."""
        usage = self.stats.usage
        if usage.last_day is None:
            return
        days = "1 day" if usage.active_days == 1 else f"{usage.active_days} days"
        yield (
            f"Usage {self._window(USAGE_DAYS)}: {usage.recent:,} on {days}; "
            f"in the {USAGE_DAYS} days before: {usage.previous:,}; last on {_date(usage.last_day)}."
        )

    def licences(self) -> Iterator[str]:
        """Who used the product in the days in which a licence counts as used."""
        used = sorted(
            (-person.used, person.contact)
            for person in self.stats.contacts
            if person.used is not None and person.used >= self.on - LICENCE_DAYS and not person.gone
        )
        if not used:
            return
        named = "; ".join(self._person(contact) for _, contact in used[:_MOST_NAMED])
        more = f"; {len(used) - _MOST_NAMED} more" if len(used) > _MOST_NAMED else ""
        yield f"Used it {self._window(LICENCE_DAYS)}: {named}{more}."

    def _window(self, days: int) -> str:
        """The complete days before the day: from the first to the last of them."""
        return f"{_date(self.on - days)} to {_date(self.on - 1)}"

    def _nearest(self, members: Collection[str]) -> list[_Relation]:
        """The best live tie with each of these contacts who has one, strongest first."""
        best: dict[str, _Relation] = {}
        for rep, contact, state in self.stats.ties:
            if contact in members and rep not in self.workspace.gone_reps:
                of = strength(state, self.on, self.workspace.ties)
                relation = _Relation(of.tier, of.score, state.day, contact, rep)
                best[contact] = max(relation, best.get(contact, relation))
        return sorted(best.values(), reverse=True)

    def _how_near(self, relation: _Relation) -> str:
        """Such as `Lee Park, VP Operations, moderate tie, 34 days ago, with Sam Lee`."""
        return f"{self._person(relation.contact)}, {_tie(relation.tier)}, {self._when(relation)}"

    def _met(self, relation: _Relation) -> str:
        return f"{self._person(relation.contact)}, {self._when(relation)}"

    def _when(self, relation: _Relation) -> str:
        return f"{self._ago(relation.day)}, with {self._rep(relation.rep)}"

    def _ago(self, day: int) -> str:
        return f"{shown(self.on - day, Unit.DAYS)} ago" if day != self.on else "today"

    def _person(self, contact: str) -> str:
        person = next((p for p in self.stats.contacts if p.contact == contact), None)
        name = person.name if person and person.name else contact
        title = f", {person.title}" if person and person.title else ""
        return f"{name}{title}{' (has left)' if contact in self.people.gone else ''}"

    def _rep(self, rep: str) -> str:
        gone = " (has left)" if rep in self.workspace.gone_reps else ""
        return f"{self.rep_names.get(rep, rep)}{gone}"


def _tie(tier: Tier) -> str:
    return "hardly any tie" if tier is Tier.NONE else f"{str(tier).replace('_', ' ')} tie"


def _date(day: int) -> str:
    when = date.fromordinal(day)
    return f"{when.day} {when:%b %Y}"
