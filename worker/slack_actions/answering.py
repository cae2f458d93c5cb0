"""Answers a flag: in one transaction the flag moves, the answer is kept, and whoever it is given to
is told. The account is locked, so that no batch, sweep or other click moves its flags meanwhile.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from worker.core.alerts import AlertReason
from worker.core.answers import (
    Acknowledge,
    Answer,
    Assign,
    Dismiss,
    Refused,
    Snooze,
    answered,
    said,
)
from worker.core.flags import Flag, State, evaluation_date
from worker.core.muting import Mute
from worker.core.worsening import Limit, limits_of
from worker.evaluating import announcing
from worker.evaluating.alerting import alert_now
from worker.evaluating.announcing import Known
from worker.evaluating.scene import Scene, look
from worker.rulebooks.rulebook import Rulebook
from worker.slack_actions.authority import NO_FLAG, Clicked, require
from worker.store import answers, desks, flag_moves, flags, outbox, people, showing, told, workspace
from worker.store.answers import Given
from worker.store.database import writing
from worker.store.dialect import wait_at_most, waited_too_long
from worker.store.flag_moves import Move
from worker.store.flags import StoredFlag
from worker.store.ties import calibrate

PATIENCE = 5
"""Seconds to wait for an account that is in others' hands, as a large one that is being made anew:
who waits keeps those waiting who answer for other accounts."""


class IsBusy(Exception):
    """The account is in others' hands for long: nothing was done, the same may be asked again."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an answer: `said` tells whoever gave it, `changed` is false if it changed
    nothing, as for the second click of a double one."""

    account: str
    changed: bool
    said: str


def answer(
    engine: Engine,
    book: Rulebook,
    clicked: Clicked,
    given: Answer,
    now: datetime,
    note: str | None = None,
) -> Done:
    """Answer a flag, once however often it is asked with the same key.

    Raises:
        IsBusy: the account is in others' hands for long; nothing was done.
        Refused: nothing was done, for the reason that the message gives.
    """
    try:
        return _answer(engine, book, clicked, given, now, note)
    except DBAPIError as error:
        if waited_too_long(error):
            raise IsBusy from error
        raise


def _answer(
    engine: Engine, book: Rulebook, clicked: Clicked, given: Answer, now: datetime, note: str | None
) -> Done:
    with writing(engine) as db:
        wait_at_most(db, PATIENCE)
        desk, stored = _locked(db, clicked.flag)
        rep = require(db, clicked, desk)
        kept = workspace.ask(db)()
        if kept.half_life != book.ties.half_life:
            calibrate(db, book.ties.half_life)
        on = evaluation_date(kept.last_sweep_on, now)
        if answers.is_known(db, clicked.key):
            return Done(desk.account, False, said(stored.flag))
        if isinstance(given, Assign) and given.rep not in people.colleagues(db):
            raise Refused(f"There is no rep {given.rep!r} who could take it over.")
        scene = look(db, stored.account, on, book)
        after = answered(stored.flag, given, scene.facts, _worse(scene, stored.rule), on)
        new = _given(clicked, rep, given, note, after, on, now)
        if after == stored.flag and _says_again(db, new):
            return Done(desk.account, False, said(after))
        if after != stored.flag:
            _move(db, stored, after, scene, now)
            _take_back(db, clicked.flag, rep, after)
        answers.record(db, new)
        if isinstance(given, Assign) and after != stored.flag:
            alert = alert_now(scene, stored, after, AlertReason.ASSIGNED)
            outbox.put(db, [(f"answer/{clicked.key}", alert)], now)
        showing.show_again(db, desk.account, f"answer/{clicked.key}", now)
    return Done(desk.account, True, said(after))


def _locked(db: Connection, flag: int) -> tuple[desks.OnDesk, StoredFlag]:
    """The flag, and all of its account's, for this transaction alone."""
    desk = desks.flag(db, flag)
    if desk is None:
        raise Refused(NO_FLAG)
    flags.lock(db, [desk.account])
    desk = desks.flag(db, flag)  # as it is now that nobody else moves it
    stored = flags.ask_live(db, [desk.account])().get((desk.account, desk.rule)) if desk else None
    if desk is None or stored is None or stored.id != flag:
        raise Refused("This flag is no longer open: there is nothing to answer.")
    return desk, stored


def _worse(scene: Scene, rule: str) -> tuple[Limit, ...]:
    found = scene.rule(rule)
    return limits_of(found.when, scene.facts, scene.book.rules.thresholds) if found else ()


def _given(
    clicked: Clicked,
    rep: str,
    given: Answer,
    note: str | None,
    after: Flag,
    on: date,
    now: datetime,
) -> Given:
    match given:
        case Acknowledge():
            action, reason = "acknowledge", None
        case Snooze(span):
            action, reason = "snooze", str(span)
        case Dismiss(why):
            action, reason = "not_a_risk", str(why)
        case Assign(to):
            action, reason = "assign", to
    return Given(
        key=clicked.key,
        flag=clicked.flag,
        at=now,
        on_date=on,
        slack_user=clicked.slack_user,
        rep=rep,
        action=action,
        reason=reason,
        note=note,
        until=after.quiet.until if after.quiet else None,
    )


def _says_again(db: Connection, new: Given) -> bool:
    """Whether the flag's last answer was this one too, or nothing is new but who clicks."""
    last = answers.last(db, [new.flag]).get(new.flag)
    if last is None or new.action in ("acknowledge", "assign"):
        return True
    return (last.action, last.reason) == (new.action, new.reason)


def _move(db: Connection, stored: StoredFlag, after: Flag, scene: Scene, now: datetime) -> None:
    book, account = scene.book, stored.account
    move = Move(account, stored.rule, stored, after, stored.title, stored.reasons)
    ids = flag_moves.write(db, [move], book.digest, now, scene.on)
    if book.webhooks:
        stats, facts = {account: scene.standing.stats}, {account: scene.facts}
        known = Known(stats, facts, scene.workspace, book.rules, scene.on)
        announcing.moves(db, book.webhooks, [move], ids, known, now)


def _take_back(db: Connection, flag: int, rep: str, after: Flag) -> None:
    """Have nobody told of the flag, whom a quiet time or a digest keeps waiting, what the answer
    makes pointless. Whoever else is to hear of it first still does: its card shows the answer.
    """
    match after.state:
        case State.SNOOZED:
            told.drop_of_flags(db, [flag], Mute.SNOOZED)
        case State.DISMISSED:
            told.drop_of_flags(db, [flag], Mute.DISMISSED)
        case _:
            told.drop_answered(db, flag, rep, Mute.ANSWERED)
