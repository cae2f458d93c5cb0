"""Sweeps: every account evaluated as of a date, in shards that workers share.

A sweep sees what only midnight changes: days that have passed, windows that have moved. It also
tells owners of renewals that come near, and again of what stays open.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from worker.core.alerts import Alert, AlertReason, OpenFlag
from worker.core.facts import FACTS
from worker.core.reasons import told
from worker.core.rules import RuleSet, render
from worker.core.units import shown
from worker.evaluating.alerting import account_alert
from worker.evaluating.evaluation import Evaluated, evaluate
from worker.evaluating.retelling import retold
from worker.evaluating.standings import Standing
from worker.rulebooks.rulebook import OtherRules, Rulebook
from worker.store import flags, merges, outbox, people, rule_sets, stats, sweeps
from worker.store.database import writing
from worker.store.dialect import waited_too_long
from worker.store.sweeps import SHARD_SIZE, Lease
from worker.store.ties import calibrate

MAX_STARTS = 5
MILESTONES = (90, 60, 30, 15, 7)
"""Days before a renewal on which its account's owner is told how it stands."""

RENEWAL_FACTS = (
    "days_since_exec_contact",
    "strong_exec_ties",
    "user_ties",
    "adoption",
    "usage_change",
)


class SweepRefused(Exception):
    """The sweep cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What sweeping a shard did. `alerts` are rows of the outbox, `announced` messages to
    webhooks."""

    accounts: int
    opened: int
    resolved: int
    alerts: int
    announced: int = 0


def open_sweep(engine: Engine, kind: str, slot: str, on: date, now: datetime) -> int | None:
    """Begin the sweep of a slot, once: its id, or None if somebody has begun it.

    Raises:
        SweepRefused: if a sweep of a later date has been made: flags do not go back in time.
    """
    with writing(engine) as db:
        last = sweeps.last_sweep_on(db)
        if last is not None and on < last:
            raise SweepRefused(
                f"The last sweep was of {last}: one of {on} would take flags back in time. "
                f"Choose {last} or later."
            )
        return sweeps.open_sweep(db, kind, slot, on, SHARD_SIZE, now)


def sweep_shard(
    engine: Engine,
    sweep: int,
    shard: int,
    book: Rulebook,
    now: datetime,
    lease: timedelta,
    within: int = 0,
) -> Swept | None:
    """Sweep one shard in one transaction; None if it is done, or in another worker's hands.

    So it is, too, if others have to be waited for longer than `within` seconds: the shard is as if
    nobody had begun with it then. 0 is for as long as it takes.

    Whatever fails is raised, after the shard was given back for another try; `OtherRules` too, if
    other rules are in force.
    """
    with writing(engine) as db:
        held = sweeps.lease(db, sweep, shard, now, lease)
    if held is None:
        return None
    try:
        with writing(engine) as db:
            return _sweep(db, held, book, now, within)
    except Exception as error:
        with writing(engine) as db:
            if waited_too_long(error):  # which is no fault of the shard
                sweeps.put_back(db, held)
                return None
            sweeps.release(db, held, f"{type(error).__name__}: {error}"[:2_000])
        raise


def _sweep(db: Connection, held: Lease, book: Rulebook, now: datetime, within: int) -> Swept | None:
    # Before any account is locked: a merge holds one while it asks for others.
    merges.take_turn(db, False, within)
    calibrate(db, book.ties.half_life)
    on = _evaluation_date(db, held, now)
    ids = stats.account_ids(db, on, held.first, held.beyond)
    flags.lock(db, ids)
    done = evaluate(db, ids, on, book, now, held.sweep)
    names = people.rep_names(db)
    more = [
        *_renewal_checks(done, on, held.previous_on, book.rules, names),
        *retold(db, done, on, book, names),
    ]
    written = outbox.put(db, more, now, held.sweep) if more else 0
    in_force = rule_sets.in_force(db)
    if in_force not in (None, book.digest):  # perhaps only since we began
        raise OtherRules(in_force)
    if not sweeps.finish(db, held, len(ids), done.opened, done.resolved, now):
        raise SweepRefused(f"Shard {held.shard} was finished by another worker meanwhile.")
    return Swept(len(ids), done.opened, done.resolved, done.alerts + written, done.announced)


def _evaluation_date(db: Connection, held: Lease, now: datetime) -> date:
    """The sweep's date, or a later one if flags are that far already: a shard may come late."""
    today = now.date() if held.of_today else held.on
    return max(held.on, today, sweeps.last_sweep_on(db) or held.on)


def _renewal_checks(
    done: Evaluated, on: date, previous_on: date | None, rules: RuleSet, names: Mapping[str, str]
) -> Iterator[tuple[str, Alert]]:
    """One alert an account whose renewal has come a milestone nearer since the sweep before."""
    before = previous_on or on - timedelta(days=1)
    passed = (on - before).days
    for account, standing in done.standings.items():
        left = standing.facts["days_to_renewal"]
        if not isinstance(left, int) or left < 0 or standing.facts["lifecycle"] == "churned":
            continue
        reached = [days for days in MILESTONES if left <= days < left + passed]
        if reached:
            renewal = on + timedelta(days=left)
            yield (
                f"renewal/{account}/{renewal}/{min(reached)}",
                renewal_check(standing, on, rules, names),
            )


def renewal_check(
    standing: Standing, on: date, rules: RuleSet, rep_names: Mapping[str, str]
) -> Alert:
    """What its owner should know of an account whose renewal comes near."""
    facts = standing.facts
    left = shown(facts["days_to_renewal"], FACTS["days_to_renewal"].unit)
    known = (name for name in RENEWAL_FACTS if facts[name] is not None)
    return replace(
        account_alert(AlertReason.RENEWAL, standing, f"Renews in {left}", on, rep_names),
        why=tuple(told(FACTS[name], facts[name]) for name in known),
        open_flags=tuple(
            OpenFlag(rule.id, rule.severity, render(rule.title, facts, rules.thresholds), rule.kind)
            for rule in standing.open
        ),
    )
