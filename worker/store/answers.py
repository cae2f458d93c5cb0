"""What people answered to flags, and who: kept for the message, for the record, and for the report
on the rules. `flag_answers.key` holds that the same click counts once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, exists, func, select

from worker.core.verdicts import Tally
from worker.store.dialect import execute_rows
from worker.store.tables import flag_answers, flags, reps

_REASONED = ("snooze", "not_a_risk")
"""The answers whose reason is a word to show; that of another is an id."""


@dataclass(frozen=True, slots=True)
class Given:
    """An answer. `key` tells one click or submitted window from another; `rep` is who gave it, if
    the Slack user is a rep. `reason` is a word that is counted, `note` is what they wrote, `until`
    a UTC date.
    """

    key: str
    flag: int
    at: datetime
    on_date: date
    slack_user: str
    rep: str | None
    action: str
    reason: str | None = None
    note: str | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """The last answer to a flag, and the name of who gave it: the rep's, else the rep's id, else
    that of the Slack user."""

    by: str
    action: str
    reason: str | None
    note: str | None
    until: date | None

    @property
    def words(self) -> str | None:
        """What they gave as a reason: the word that is counted, and what they wrote."""
        said = [self.reason.replace("_", " ")] if self.reason and self.action in _REASONED else []
        return ": ".join([*said, *([self.note] if self.note else [])]) or None


def is_known(db: Connection, key: str) -> bool:
    """Whether this click has been counted."""
    return db.scalar(select(flag_answers.c.id).where(flag_answers.c.key == key)) is not None


def record(db: Connection, given: Given) -> None:
    """Keep an answer; one whose key is known stays as it was."""
    types = {
        "key": "text",
        "flag": "bigint",
        "at": "timestamptz",
        "on_date": "date",
        "slack_user": "text",
        "rep": "text",
        "action": "text",
        "reason": "text",
        "note": "text",
        "until": "date",
    }
    names = ", ".join(types)
    execute_rows(
        db,
        f"INSERT INTO flag_answers ({names}) SELECT {names} FROM {{rows}} WHERE true "
        "ON CONFLICT (key) DO NOTHING",
        types,
        [tuple(getattr(given, name) for name in types)],
    )


def last(db: Connection, ids: Iterable[int]) -> dict[int, LastAnswer]:
    """The last answer to each of these flags that has one, by flag."""
    of = flag_answers.c
    newest = (
        select(func.max(of.id))
        .where(of.flag.in_(sorted(set(ids))), of.action != "fix_contact")
        .group_by(of.flag)
    )
    found = db.execute(
        select(of.flag, reps.c.name, of.rep, of.slack_user, of.action, of.reason, of.note, of.until)
        .outerjoin(reps, reps.c.rep == of.rep)
        .where(of.id.in_(newest))
    )
    return {
        flag: LastAnswer(name or rep or slack_user, action, reason, note, until)
        for flag, name, rep, slack_user, action, reason, note, until in found
    }


def tallies(db: Connection, since: date) -> dict[str, list[Tally]]:
    """The last acknowledgement, snooze or dismissal of each flag that was answered since a date, by
    rule: what reps made of what it raised."""
    of = flag_answers.c
    verdicts = of.action.in_(("acknowledge", "snooze", "not_a_risk"))
    newest = select(func.max(of.id)).where(verdicts, of.on_date >= since).group_by(of.flag)
    found = db.execute(
        select(flags.c.rule, of.action, of.reason, func.count())
        .join(flags, flags.c.id == of.flag)
        .where(of.id.in_(newest))
        .group_by(flags.c.rule, of.action, of.reason)
        .order_by(flags.c.rule, of.action, of.reason)
    )
    by_rule: dict[str, list[Tally]] = {}
    for rule, *tally in found:
        by_rule.setdefault(rule, []).append(Tally(*tally))
    return by_rule


def unanswered(db: Connection, since: date) -> dict[str, int]:
    """How many flags were resolved since a date without an answer to them, by rule."""
    of = flags.c
    found = db.execute(
        select(of.rule, func.count())
        .where(
            of.state == "resolved",
            of.resolved_on >= since,
            ~of.shadow,
            ~exists().where(flag_answers.c.flag == of.id),
        )
        .group_by(of.rule)
    )
    return dict(found.all())
