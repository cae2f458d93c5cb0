"""The alerts of flags that have moved: which are to be told, and every word that they say."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date

from msgspec.structs import replace
from sqlalchemy import Connection

from worker.core.accounts import account_of
from worker.core.alerts import Alert, AlertReason, reason_for
from worker.core.conditions import Condition, Facts, Thresholds, facts_in
from worker.core.evidence import behind
from worker.core.flags import Flag
from worker.core.reasons import clears, reasons
from worker.core.rules import Kind, Rule, render
from worker.evaluating import standings
from worker.evaluating.scene import Scene
from worker.evaluating.standings import Read, Standing
from worker.rulebooks.rulebook import Rulebook
from worker.store import people
from worker.store.flag_moves import Move
from worker.store.flags import StoredFlag


def words(rule: Rule, facts: Facts, thresholds: Thresholds) -> tuple[str, tuple[str, ...]]:
    """Title and reasons of a rule that holds, with the facts as they are."""
    return words_of(rule, rule.when, facts, thresholds)


def words_of(
    rule: Rule, ground: Condition, facts: Facts, thresholds: Thresholds
) -> tuple[str, tuple[str, ...]]:
    """Title and reasons of a rule, on the ground of some condition that holds."""
    return render(rule.title, facts, thresholds), reasons(ground, facts, thresholds)


def words_now(
    db: Connection, listed: Collection[tuple[str, str]], book: Rulebook, on: date
) -> dict[tuple[str, str], tuple[str, tuple[str, ...]]]:
    """Title and reasons of these (account, rule) as of `on`, of those that hold then.

    A flag is stored with the words of its last move; the days in them have gone on since.
    """
    found = {}
    read = standings.read(db, {account for account, _ in listed}, on, book)
    for account, standing in read.standings():
        for rule, holds, _ in book.rules.compiled:
            if (account, rule.id) in listed and holds(standing.facts):
                found[account, rule.id] = words(rule, standing.facts, book.rules.thresholds)
    return found


def alerts_of(
    db: Connection,
    moves: Iterable[Move],
    ids: Mapping[tuple[str, str], int],
    ended: Mapping[tuple[str, str], Flag],
    found: Mapping[str, Standing],
    read: Read,
) -> Iterator[tuple[str, Alert, bool]]:
    """(key, alert, whether only cards show it) of every move that someone should hear or see."""
    names: Mapping[str, str] | None = None
    for move in moves:
        after = move.after
        before = move.before.flag if move.before else None
        key = (move.account, move.rule)
        if after is None:
            continue
        last = ended.get(key)
        reason = reason_for(before, after, last.resolved_on if last else None)
        if reason is None and move.ends_in_silence:
            reason = AlertReason.RESOLVED
        if reason is None:
            continue
        names = people.rep_names(db) if names is None else names
        scene = Scene(found[move.account], read.workspace, read.book, read.on, names)
        alert = alert_of(reason, ids[key], move, after, scene)
        yield key_of(ids[key], reason, after, read.on), alert, move.ends_in_silence


def key_of(flag: int, reason: AlertReason, after: Flag, on: date) -> str:
    """The outbox key of an alert: a flag does the same only once a day."""
    return f"flag/{flag}/{after.state}/{after.severity}/{on}" + _WOKEN.get(reason, "")


_WOKEN = {AlertReason.AWAKE: "/awake", AlertReason.BACK: "/back"}
"""A flag can open, be snoozed, and wake on one day."""


def alert_of(reason: AlertReason, flag: int, move: Move, after: Flag, scene: Scene) -> Alert:
    """Everything that the message of this move says, as of now. `flag` is the flag's id."""
    standing, facts, on = scene.standing, scene.facts, scene.on
    rule, thresholds = scene.rule(move.rule), scene.book.rules.thresholds
    told = facts_in(rule.when) if rule else frozenset()
    ended = reason is AlertReason.RESOLVED
    return replace(
        account_alert(reason, standing, move.title, on, scene.rep_names),
        flag=flag,
        rule=move.rule,
        severity=after.severity,
        kind=rule.kind if rule else Kind.RISK,
        why=move.reasons,
        who=behind(told, standing.stats, facts, scene.workspace, on, scene.rep_names),
        advice=render(rule.advice, facts, thresholds)
        if rule and rule.advice and not ended
        else None,
        playbook=rule.playbook if rule and not ended else None,
        since=after.first_true_on,
        clears=clears(rule.when, facts, thresholds) if rule and not ended else None,
        tags=rule.tags if rule else (),
        notify=rule.notify if rule else (),
    )


def alert_now(scene: Scene, stored: StoredFlag, flag: Flag, reason: AlertReason) -> Alert:
    """An alert of a flag that has not moved, with the words of today, or its last ones if its rule
    is gone or does not hold."""
    title, why = stored.title, stored.reasons
    for compiled in scene.book.rules.compiled:
        if compiled.rule.id == stored.rule and compiled.holds(scene.facts):
            title, why = words(compiled.rule, scene.facts, scene.book.rules.thresholds)
    move = Move(stored.account, stored.rule, stored, flag, title, why)
    return alert_of(reason, stored.id, move, flag, scene)


def account_alert(
    reason: AlertReason, standing: Standing, title: str, on: date, rep_names: Mapping[str, str]
) -> Alert:
    """An alert with what every alert says of its account, and nothing else yet."""
    account = account_of(standing.stats, on, rep_names)
    lifecycle = standing.facts.get("lifecycle")
    return Alert(
        reason=reason,
        account=account.id,
        on=on,
        title=title,
        account_name=account.name,
        segment=account.segment,
        mrr=account.mrr,
        currency=account.currency,
        renewal_date=account.renewal_date,
        lifecycle=lifecycle if isinstance(lifecycle, str) else None,
        owner=account.owner,
        owner_name=account.owner_name,
    )
