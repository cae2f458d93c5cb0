"""Tells of a flag as it is now, without the flag having moved: to whom it was given, say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from worker import standings
from worker.alerting import alert_of, words
from worker.core.alerts import Alert, AlertReason
from worker.core.conditions import Facts
from worker.core.flags import Flag
from worker.core.rules import Rule
from worker.core.stats import Workspace
from worker.rulebook import Rulebook
from worker.standings import Standing
from worker.store import people
from worker.store.flag_moves import Move
from worker.store.flags import StoredFlag


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


def alert_now(scene: Scene, stored: StoredFlag, flag: Flag, reason: AlertReason) -> Alert:
    """An alert of a flag with the words of today, or its last ones if its rule is gone or does not
    hold."""
    rule, thresholds = scene.rule(stored.rule), scene.book.rules.thresholds
    title, why = stored.title, stored.reasons
    for compiled in scene.book.rules.compiled:
        if compiled.rule.id == stored.rule and compiled.holds(scene.facts):
            title, why = words(compiled.rule, scene.facts, thresholds)
    move = Move(stored.account, stored.rule, stored, flag, title, why)
    return alert_of(
        reason,
        stored.id,
        move,
        flag,
        rule,
        scene.standing,
        scene.workspace,
        thresholds,
        scene.rep_names,
        scene.on,
    )
