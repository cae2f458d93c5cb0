"""Puts a contact right: as an ordinary `contact` event, so that history and order rules hold.

A later event of the CRM is believed over it, as one of an earlier time is not.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from worker.core.answers import Refused
from worker.core.cards import ContactChoice
from worker.core.contacts import decision_level
from worker.core.flags import evaluation_date
from worker.core.reading import BASE
from worker.core.titles import Level
from worker.intake.arrivals import Batch
from worker.intake.ingest import ingest
from worker.rulebooks.rulebook import Rulebook
from worker.slack_actions.authority import NO_FLAG, Clicked, require
from worker.store import answers, desks, showing, stats, sweeps
from worker.store.answers import Given
from worker.store.database import reading, writing

SOURCE = "slack"
"""The source of the events that come from here."""


@dataclass(frozen=True, slots=True)
class Fix:
    """What is right of a contact; None says nothing."""

    contact: str
    level: str | None = None
    role: str | None = None
    left: bool | None = None

    def fields(self) -> dict[str, object]:
        """The fields of a `contact` event that say something."""
        given = {"level": self.level, "role": self.role, "left": self.left}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Fixed:
    """What became of it: `said` tells whoever did it, `alerts` is what the event led to."""

    account: str
    changed: bool
    said: str
    alerts: int


def contacts_of(engine: Engine, flag: int, book: Rulebook, now: datetime) -> list[ContactChoice]:
    """The contacts of a flag's account who have not left, by name.

    Raises:
        Refused: there is no such flag.
    """
    with reading(engine) as db:
        desk = desks.flag(db, flag)
        if desk is None:
            raise Refused(NO_FLAG)
        on = evaluation_date(sweeps.last_sweep_on(db), now)
        found = stats.read(db, [desk.account], on, book.ties.half_life, BASE)
    people = [one for one in found[desk.account].contacts if not one.gone]
    return [
        ContactChoice(
            id=one.contact,
            name=one.name,
            title=one.title,
            level=Level(level) if (level := decision_level(one.level, one.title)) else None,
        )
        for one in sorted(people, key=lambda one: (one.name or one.contact, one.contact))
    ]


def fix(engine: Engine, book: Rulebook, clicked: Clicked, fix: Fix, now: datetime) -> Fixed:
    """Take the fix in as an event, once however often it is asked with the same key.

    Raises:
        Refused: nothing was done, for the reason that the message gives.
        OtherRules: other rules than those of `book` are in force; nothing was done.
        TryAgain: when it failed; the same may be asked again.
    """
    fields = fix.fields()
    if not fields:
        raise Refused("Nothing was changed: choose a level, a role, or that they have left.")
    with reading(engine) as db:
        desk = desks.flag(db, clicked.flag)
        if desk is None:
            raise Refused(NO_FLAG)
        rep = require(db, clicked, desk)
        on = evaluation_date(sweeps.last_sweep_on(db), now)
    who = {"slack_user": clicked.slack_user, "rep": rep}
    event = {
        "id": clicked.key,
        "source": SOURCE,
        "type": "contact",
        "subject": desk.account,
        "time": now.astimezone(UTC).isoformat(),
        "data": {"contact": fix.contact, **fields, "fixed_by": who},
    }
    result = ingest(engine, Batch(f"{SOURCE}/{clicked.key}", [event]), book, now)
    if result.rejected or result.parked:
        problems = [problem for one in result.rejected for problem in one.problems]
        raise Refused(f"This could not be taken: {result.parked or '; '.join(problems)}")
    said = ", ".join(f"{name}: {_shown(value)}" for name, value in fields.items())
    with writing(engine) as db:
        changed = not answers.is_known(db, clicked.key)
        answers.record(
            db,
            Given(
                key=clicked.key,
                flag=clicked.flag,
                at=now,
                on_date=on,
                slack_user=clicked.slack_user,
                rep=rep,
                action="fix_contact",
                reason=f"{fix.contact}: {said}",
            ),
        )
        showing.show_again(db, desk.account, f"answer/{clicked.key}", now)
    return Fixed(desk.account, changed, f"Noted. {fix.contact}: {said}.", result.alerts)


def _shown(value: object) -> str:
    return str(value).replace("_", " ") if not isinstance(value, bool) else "yes" if value else "no"
