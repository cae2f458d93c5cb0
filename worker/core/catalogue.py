"""What a fact is: its entry in the catalogue, and the stats that it is computed from."""

from dataclasses import dataclass
from enum import StrEnum

from worker.core.units import Unit


class Part(StrEnum):
    """A group of facts that are computed together, from stats that only they need.

    What is in `BASE` is always read; the stats of another part are read where a rule looks at one
    of its facts, or somebody asks for all of them.
    """

    BASE = "base"
    RELATIONS = "relations"
    RHYTHM = "rhythm"
    RESPONSES = "responses"
    CONTACTS = "contacts"
    ADOPTION = "adoption"
    SUCCESS = "success"
    VOICE = "voice"
    SUPPORT = "support"
    CONTRACTS = "contracts"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry of the catalogue: what a fact is called, means, and when it is unknown.

    `label` is what sentences call it: a plural for counts (`executives with a strong tie: 2`).
    `formula` is the exact definition where `meaning` is not, `events` are the types that it is
    computed from. `values` are the only texts that a text fact can be, if it is not free; `least`
    and `most` the ends of what a number can be; days are `whole` but for medians.
    """

    name: str
    unit: Unit
    label: str
    meaning: str
    unknown_when: str
    values: tuple[str, ...] = ()
    part: Part = Part.BASE
    formula: str = ""
    events: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    whole: bool = True

    @property
    def type(self) -> str:
        """What its values are in JSON."""
        match self.unit:
            case Unit.TEXT:
                return "text"
            case Unit.YES_NO:
                return "true or false"
            case Unit.COUNT | Unit.DAYS if self.whole:
                return "whole number"
            case _:
                return "number"

    @property
    def in_words(self) -> bool:
        """Whether it is a text, or yes or no: nothing that is more or less."""
        return self.unit in (Unit.TEXT, Unit.YES_NO)

    @property
    def may_be_never(self) -> bool:
        """Whether it is days since something that may never have happened."""
        return self.name.startswith("days_since_")
