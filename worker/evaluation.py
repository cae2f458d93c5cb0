"""Evaluates the rules for some accounts on a date, moves their flags, and writes the alerts.

The event path and the sweeps both come through here, inside their own transactions.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

from msgspec.structs import replace
from sqlalchemy import Connection

from worker import announcing, freshness, healths
from worker.core.alerts import Alert, AlertReason, reason_for
from worker.core.answers import resumed
from worker.core.conditions import Condition, Facts, Not, Thresholds, facts_in
from worker.core.evidence import who
from worker.core.facts import facts_of, mrr_of, reading_for, renewal_day
from worker.core.flags import Flag, State, judge, resolve
from worker.core.freshness import Sources
from worker.core.health import HEALTH, HEALTH_FACTS, NO_HEALTH, HealthSettings
from worker.core.metrics import NO_METRICS, Metrics
from worker.core.reading import Reading
from worker.core.reasons import clears, reasons
from worker.core.rules import CompiledRule, Mode, Rule, RuleSet, render
from worker.core.stats import AccountStats, Workspace
from worker.core.subscriptions import terms_on
from worker.core.telling import Telling
from worker.core.ties import TieSettings
from worker.core.units import Value
from worker.core.webhooks import Webhooks
from worker.rulefiles import (
    load,
    load_health,
    load_metrics,
    load_sources,
    load_telling,
    load_ties,
    load_webhooks,
)
from worker.store import flags, outbox, people, showing
from worker.store import health as health_store
from worker.store import stats as stats_store
from worker.store.dialect import answer_now
from worker.store.flags import Move, StoredFlag

RULE_IS_GONE = "the rule has been removed"
RULE_IS_OFF = "the rule has been switched off"
RULE_IS_IN_SHADOW = "the rule has gone into shadow: nobody is told of its flags"


@dataclass(frozen=True)
class Rulebook:
    """What the rules directory says: the rules, how ties are weighed, how people are told, the
    metrics, which sources matter, what the health score is made of, and what webhooks tell."""

    rules: RuleSet
    ties: TieSettings
    telling: Telling = field(default_factory=Telling)
    metrics: Metrics = NO_METRICS
    sources: Sources = field(default_factory=dict)
    health: HealthSettings = NO_HEALTH
    webhooks: Webhooks = ()

    @cached_property
    def facts(self) -> frozenset[str]:
        """The facts that rules look at or speak of, those that webhooks tell, and those that their
        health score rests on."""
        asked = self.rules.facts.union(*(webhook.facts for webhook in self.webhooks))
        return asked | self.health.facts if asked & set(HEALTH_FACTS) else asked

    @property
    def digest(self) -> str:
        """16 hexadecimal digits, equal for directories that mean the same."""
        parts = (self.ties, self.telling, self.metrics, self.sources, self.health, self.webhooks)
        said = " ".join([self.rules.digest, *map(str, parts)])
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @cached_property
    def reading(self) -> Reading:
        """What is to be read of accounts for these facts."""
        return reading_for(self.facts, self.metrics)


def read_rulebook(root: Path, shipped: Path | None = None) -> Rulebook:
    """The rules directory, read whole. Raises `RuleFilesRefused` with every problem in it.

    `shipped` is where the rules that ship are, by default those of this version of tiewatch.
    """
    return Rulebook(
        load(root, shipped),
        load_ties(root),
        telling=load_telling(root),
        metrics=load_metrics(root),
        sources=load_sources(root),
        health=load_health(root),
        webhooks=load_webhooks(root),
    )


class OtherRules(Exception):
    """Other rules than those given are in force: ask again which, and do it with those."""

    def __init__(self, in_force: str) -> None:
        """Name the version in force."""
        super().__init__(f"version {in_force} of the rules is in force")


@dataclass(frozen=True, slots=True)
class Standing:
    """An account on a date: its stats, its facts, and the rules of its flags that are up."""

    stats: AccountStats
    facts: Mapping[str, Value]
    open: list[Rule] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an evaluation did. `alerts` counts the rows it wrote to the outbox, `announced` the
    messages to webhooks."""

    standings: Mapping[str, Standing]
    workspace: Workspace
    opened: int
    resolved: int
    alerts: int
    announced: int


def evaluate(
    db: Connection,
    accounts: Collection[str],
    on: date,
    book: Rulebook,
    now: datetime,
    sweep: int | None = None,
) -> Evaluated:
    """Evaluate every rule for these accounts as of the UTC date `on`, for a sweep if it is given.

    The accounts' rows should be locked, so that nobody moves their flags meanwhile.
    """
    return prepare(db, accounts, on, book, now, retire=True, sweep=sweep)()


def prepare(
    db: Connection,
    accounts: Collection[str],
    on: date,
    book: Rulebook,
    now: datetime,
    known: Workspace | None = None,
    retire: bool = False,
    sweep: int | None = None,
) -> Callable[[], Evaluated]:
    """Ask for what evaluating takes, but for the workspace if it is known; the function returned
    does the rest.

    What is sent to the database in between, in a pipeline, is worked on meanwhile. With `retire`
    the flags of rules that are gone are resolved; else they are left to a sweep, since they may be
    of rules that another worker knows already.
    """
    workspace: Callable[[], Workspace] = (
        (lambda: known) if known else stats_store.ask_workspace(db, book.ties)
    )
    withheld = freshness.ask_withheld(db, book.sources, book.metrics.facts, on, now)
    live = flags.ask_live(db, accounts)
    past = ask_past(db, accounts, on, book, retire)
    stats = stats_store.ask(db, accounts, on, book.ties.half_life, book.reading, book.metrics)
    answer_now(db)

    def answer() -> Evaluated:
        world = dataclasses.replace(workspace(), withheld=withheld(), health=book.health)
        found = stats()
        for account, score in past(world).items():
            found[account].past_health = score
        done = _evaluated(db, found, world, live(), on, book, now, retire, sweep)
        if retire and healths.is_asked(book.facts):
            _keep_health(db, done, on, world)
        return done

    return answer


def ask_past(
    db: Connection, accounts: Collection[str], on: date, book: Rulebook, sweeping: bool
) -> Callable[[Workspace], Mapping[str, int | None]]:
    """Ask for the health scores of 30 days before, if somebody asks how they have changed.

    A sweep makes those anew that are not kept, once.
    """
    if not (book.health.parts and healths.is_asked(book.facts)):
        return lambda world: {}
    if sweeping:
        return lambda world: healths.past_scores(db, accounts, on, world, book.metrics, keep=True)
    found = health_store.ask_past(db, accounts, on, book.health.digest)
    return lambda world: found()


def _keep_health(db: Connection, done: Evaluated, on: date, world: Workspace) -> None:
    scores = {account: one.facts[HEALTH] for account, one in done.standings.items()}
    kept = {a: score for a, score in scores.items() if score is None or isinstance(score, int)}
    healths.keep_scores(db, kept, on, world)


def _evaluated(
    db: Connection,
    accounts: Mapping[str, AccountStats],
    workspace: Workspace,
    live: dict[tuple[str, str], StoredFlag],
    on: date,
    book: Rulebook,
    now: datetime,
    retire: bool,
    sweep: int | None,
) -> Evaluated:
    moves: list[Move] = []
    standings: dict[str, Standing] = {}
    for account, stats in accounts.items():
        facts = facts_of(stats, on.toordinal(), workspace, book.metrics)
        standing = standings[account] = Standing(stats, facts)
        for compiled in book.rules.compiled:
            before = live.pop((account, compiled.rule.id), None)
            move = _judge(compiled, account, before, facts, book.rules.thresholds, on)
            if move is not None:
                moves.append(move)
            flag = move.after if move else before.flag if before else None
            if flag is not None and flag.heard_of:
                standing.open.append(compiled.rule)
    moves += [
        retired(stored, on, RULE_IS_OFF if stored.rule in book.rules.off else RULE_IS_GONE)
        for stored in live.values()
        if retire and stored.account in standings
    ]
    return carry_out(db, moves, standings, workspace, on, book, now, sweep)


def carry_out(
    db: Connection,
    moves: list[Move],
    standings: Mapping[str, Standing],
    workspace: Workspace,
    on: date,
    book: Rulebook,
    now: datetime,
    sweep: int | None,
) -> Evaluated:
    """Store the moves of these accounts' flags, and write the alerts that they call for."""
    if not moves:
        announced = _announce(db, moves, {}, standings, workspace, book, on, now)
        return Evaluated(standings, workspace, 0, 0, 0, announced)
    ended = flags.last_ended(db, (move.account for move in moves if move.opens))
    moves = [_resumed(move, ended, standings[move.account]) for move in moves]
    ids = flags.write(db, moves, book.digest, now, on)
    announced = _announce(db, moves, ids, standings, workspace, book, on, now)
    said = list(_alerts(db, moves, ids, ended, standings, workspace, book, on))
    written = outbox.put(db, [(key, alert) for key, alert, quiet in said if not quiet], now, sweep)
    for key, alert, quiet in said:
        if quiet:
            showing.show_again(db, alert.account, key, now, alert)
    return Evaluated(
        standings,
        workspace,
        sum(move.opens for move in moves),
        sum(move.resolves for move in moves),
        written,
        announced,
    )


def _announce(
    db: Connection,
    moves: Sequence[Move],
    ids: Mapping[tuple[str, str], int],
    standings: Mapping[str, Standing],
    workspace: Workspace,
    book: Rulebook,
    on: date,
    now: datetime,
) -> int:
    """Write what webhooks are to be told of this; how many messages that are."""
    if not book.webhooks:
        return 0
    known = announcing.Known(
        {account: one.stats for account, one in standings.items()},
        {account: one.facts for account, one in standings.items()},
        workspace,
        book.rules,
        on,
    )
    told = announcing.moves(db, book.webhooks, moves, ids, known, now)
    return told + announcing.facts(db, book.webhooks, book.metrics, known, now)


def _judge(
    compiled: CompiledRule,
    account: str,
    before: StoredFlag | None,
    facts: Facts,
    thresholds: Thresholds,
    on: date,
) -> Move | None:
    """The change that one rule makes on one account, if any."""
    rule = compiled.rule
    flag = before.flag if before else None
    if before is not None and not before.flag.shadow and rule.mode is Mode.SHADOW:
        return retired(before, on, RULE_IS_IN_SHADOW)
    after, outcome, excepted = judge(compiled, flag, facts, on)
    if after == flag:
        return None
    if excepted and rule.except_when is not None:
        title, why = _words(rule, rule.except_when, facts, thresholds)
    elif outcome or before is None:
        title, why = words(rule, facts, thresholds)
    elif after is None or after.state is not State.RESOLVED:
        title, why = before.title, before.reasons
    else:
        title, why = _words(rule, Not(rule.when), facts, thresholds)
    return Move(account, rule.id, before, after, title, why)


def _resumed(move: Move, ended: Mapping[tuple[str, str], Flag], standing: Standing) -> Move:
    """The move, in view of what people answered to the rule's last flag on the account."""
    if not move.opens or move.after is None:
        return move
    after = resumed(move.after, ended.get((move.account, move.rule)), standing.facts)
    if not after.heard_of:
        standing.open[:] = [rule for rule in standing.open if rule.id != move.rule]
    return replaced(move, after=after)


def words(rule: Rule, facts: Facts, thresholds: Thresholds) -> tuple[str, tuple[str, ...]]:
    """Title and reasons of a rule that holds, with the facts as they are."""
    return _words(rule, rule.when, facts, thresholds)


def _words(
    rule: Rule, ground: Condition, facts: Facts, thresholds: Thresholds
) -> tuple[str, tuple[str, ...]]:
    return render(rule.title, facts, thresholds), reasons(ground, facts, thresholds)


def words_now(
    db: Connection, listed: Collection[tuple[str, str]], book: Rulebook, on: date
) -> dict[tuple[str, str], tuple[str, tuple[str, ...]]]:
    """Title and reasons of these (account, rule) as of `on`, of those that hold then.

    A flag is stored with the words of its last move; the days in them have gone on since.
    """
    withheld = freshness.withheld_today(db, book.sources, book.metrics.facts, on)
    workspace = dataclasses.replace(
        stats_store.read_workspace(db, book.ties), withheld=withheld, health=book.health
    )
    accounts = {account for account, _ in listed}
    thresholds = book.rules.thresholds
    found = {}
    past = ask_past(db, accounts, on, book, sweeping=False)(workspace)
    read = stats_store.read(db, accounts, on, book.ties.half_life, book.reading, book.metrics)
    for account, stats in read.items():
        stats.past_health = past.get(account)
        facts = facts_of(stats, on.toordinal(), workspace, book.metrics)
        for rule, holds, _ in book.rules.compiled:
            if (account, rule.id) in listed and holds(facts):
                found[account, rule.id] = words(rule, facts, thresholds)
    return found


def retired(stored: StoredFlag, on: date, why: str) -> Move:
    """The end of a flag that its rule no longer stands for."""
    after = resolve(stored.flag, on)
    return Move(stored.account, stored.rule, stored, after, stored.title, (why,))


def _alerts(
    db: Connection,
    moves: Iterable[Move],
    ids: Mapping[tuple[str, str], int],
    ended: Mapping[tuple[str, str], Flag],
    standings: Mapping[str, Standing],
    workspace: Workspace,
    book: Rulebook,
    on: date,
) -> Iterator[tuple[str, Alert, bool]]:
    """(key, alert, whether only cards show it) of every move that someone should hear or see."""
    rules = {rule.id: rule for rule in book.rules.rules}
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
        alert = alert_of(
            reason,
            ids[key],
            move,
            after,
            rules.get(move.rule),
            standings[move.account],
            workspace,
            book,
            names,
            on,
        )
        yield key_of(ids[key], reason, after, on), alert, move.ends_in_silence


def key_of(flag: int, reason: AlertReason, after: Flag, on: date) -> str:
    """The outbox key of an alert: a flag does the same only once a day."""
    return f"flag/{flag}/{after.state}/{after.severity}/{on}" + _WOKEN.get(reason, "")


_WOKEN = {AlertReason.AWAKE: "/awake", AlertReason.BACK: "/back"}
"""A flag can open, be snoozed, and wake on one day."""


def alert_of(
    reason: AlertReason,
    flag: int,
    move: Move,
    after: Flag,
    rule: Rule | None,
    standing: Standing,
    workspace: Workspace,
    book: Rulebook,
    rep_names: Mapping[str, str],
    on: date,
) -> Alert:
    """Everything that the message of this move says, as of now. `flag` is the flag's id; `rule` is
    None if it is gone."""
    stats, facts = standing.stats, standing.facts
    thresholds = book.rules.thresholds
    told = facts_in(rule.when) if rule else frozenset()
    ended = reason is AlertReason.RESOLVED
    return replace(
        account_alert(reason, standing, move.title, on, rep_names),
        flag=flag,
        rule=move.rule,
        severity=after.severity,
        why=move.reasons,
        who=who(stats, on.toordinal(), workspace, told, rep_names),
        advice=render(rule.advice, facts, thresholds)
        if rule and rule.advice and not ended
        else None,
        playbook=rule.playbook if rule and not ended else None,
        since=after.first_true_on,
        clears=clears(rule.when, facts, thresholds) if rule and not ended else None,
        tags=rule.tags if rule else (),
        notify=rule.notify if rule else (),
    )


def account_alert(
    reason: AlertReason, standing: Standing, title: str, on: date, rep_names: Mapping[str, str]
) -> Alert:
    """An alert with what every alert says of its account, and nothing else yet."""
    stats = standing.stats
    terms = terms_on(stats.contracts.subscriptions, on.toordinal())
    renewal = renewal_day(stats, terms, on.toordinal())
    lifecycle = standing.facts.get("lifecycle")
    return Alert(
        reason=reason,
        account=stats.account,
        on=on,
        title=title,
        account_name=stats.name,
        segment=stats.segment,
        mrr=mrr_of(stats, terms),
        currency=stats.currency,
        renewal_date=None if renewal is None else date.fromordinal(renewal),
        lifecycle=lifecycle if isinstance(lifecycle, str) else None,
        owner=stats.owner,
        owner_name=rep_names.get(stats.owner or ""),
    )
