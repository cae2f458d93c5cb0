"""An account as it is on a date, with all that it takes to speak of its flags."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from worker.core.conditions import Facts
from worker.core.rules import Rule
from worker.core.stats import Workspace
from worker.evaluating import standings
from worker.evaluating.standings import Standing
from worker.rulebooks.rulebook import Rulebook
from worker.store import people


@dataclass(frozen=True, slots=True)
class Scene:
    """An account as of the end of a UTC date, and what it takes to speak of its flags."""

    standing: Standing
    workspace: Workspace
    book: Rulebook
    on: date
    rep_names: Mapping[str, str]

    @property
    def facts(self) -> Facts:
        """The account's facts on the date."""
        return self.standing.facts

    def rule(self, id_: str) -> Rule | None:
        """The rule of this id, if it is in force."""
        return next((one for one in self.book.rules.rules if one.id == id_), None)


def look(db: Connection, account: str, on: date, book: Rulebook) -> Scene:
    """The account, which must exist, on the date. Ties are read as they are stored."""
    read = standings.read(db, [account], on, book)
    (standing,) = (one for _, one in read.standings())
    return Scene(standing, read.workspace, book, on, people.rep_names(db))
