"""Telling again: reminders, escalations, and what was muted and is not any more.

The daily sweep asks for it, with the facts of the day at hand: what is told again is told in the
words of today.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from sqlalchemy import Connection

from worker.core.alerts import Alert
from worker.core.muting import account_mute
from worker.core.retelling import again
from worker.core.rules import CompiledRule, Kind, Mode, Severity
from worker.evaluating.alerting import alert_now
from worker.evaluating.evaluation import Evaluated
from worker.evaluating.scene import Scene
from worker.evaluating.standings import Standing
from worker.rulebooks.rulebook import Rulebook
from worker.store import flags, holds, people, told
from worker.zones import zone


def retold(
    db: Connection, done: Evaluated, on: date, book: Rulebook, names: Mapping[str, str]
) -> Iterator[tuple[str, Alert]]:
    """(key, alert) of each open flag of these accounts that is to be told again on the UTC date."""
    accounts = [account for account, standing in done.standings.items() if standing.open]
    found = told.open_flags(db, accounts) if accounts else []
    if not found:
        return
    held = holds.among(db, accounts)
    live = flags.ask_live(db, {one.account for one in found})()
    rules = {compiled.rule.id: compiled for compiled in book.rules.compiled}
    reps, telling = people.reps(db), book.telling
    for one in found:
        standing, compiled = done.standings[one.account], rules.get(one.rule)
        if compiled is None or _is_silent(compiled, standing, held.get(one.account), on):
            continue
        rule, stored = compiled.rule, live[one.account, one.rule]
        known = reps.get(stored.flag.assignee or standing.stats.owner or "")
        theirs = zone(known.timezone if known else None, telling.timezone)
        scene = Scene(standing, done.workspace, book, on, names)
        for reason in again(
            one.heard, rule.remind_every, telling.escalate_after, on, theirs, telling.quiet.days
        ):
            alert = alert_now(scene, stored, stored.flag, reason)
            yield f"flag/{one.id}/{reason.name.lower()}/{on}", alert


def _is_silent(
    compiled: CompiledRule, standing: Standing, hold_until: date | None, on: date
) -> bool:
    """Whether nothing is told of the flag today: what planning would mute is not made up first.

    One that is clearing is about to be over: its rule does not hold.
    """
    rule = compiled.rule
    muted = account_mute(hold_until, standing.facts["lifecycle"], on)
    critical = any(
        other.severity is Severity.CRITICAL and other.kind is Kind.RISK and other.id != rule.id
        for other in standing.open
    )
    by_critical = rule.severity is Severity.LOW and critical
    clearing = not compiled.holds(standing.facts)
    return bool(muted) or by_critical or clearing or rule.mode is Mode.SHADOW
