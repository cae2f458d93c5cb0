"""Announces to webhooks what an evaluation or an answer has changed: writes their messages, in the
transaction that changes it.

No planning comes after: neither quiet hours nor digests, budgets or holds apply to other systems,
which are to know how things stand.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

from sqlalchemy import Connection

from worker.core.conditions import Facts, facts_in
from worker.core.evidence import behind
from worker.core.facts import FACTS
from worker.core.flags import Flag, State
from worker.core.metrics import Metrics
from worker.core.rules import Rule, RuleSet, render
from worker.core.stats import AccountStats, Workspace
from worker.core.webhooks import Transition, Webhooks, changed, tells, transition_of
from worker.store import people, webhook_facts, webhooks
from worker.store.flag_moves import Move
from worker.store.webhooks import New
from worker.webhooks import payload
from worker.webhooks.payload import FACTS_CHANGED, FactsChanged, FlagMoved


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the accounts that are spoken of, as of a UTC date: stats and facts by
    account, and the rules by which their flags moved."""

    stats: Mapping[str, AccountStats]
    facts: Mapping[str, Facts]
    workspace: Workspace
    rules: RuleSet
    on: date


def moves(
    db: Connection,
    told: Webhooks,
    moved: Sequence[Move],
    ids: Mapping[tuple[str, str], int],
    known: Known,
    now: datetime,
) -> int:
    """Announce moves of flags, whose ids are given by (account, rule). Returns the messages."""
    wanted = list(_wanted(told, moved, known))
    if not wanted:
        return 0
    names = people.rep_names(db)
    new = []
    for move, after, transition, webhook in wanted:
        content = _flag_moved(move, after, ids[move.account, move.rule], known, names)
        type_ = payload.flag_type(transition)
        body = payload.text(type_, now, content)
        new.append(New(_key(), webhook, move.account, type_, body))
    return webhooks.put(db, new, now)


def _wanted(
    told: Webhooks, moved: Sequence[Move], known: Known
) -> Iterator[tuple[Move, Flag, Transition, str]]:
    """Each move of which a webhook is told, with the flag after it, what it comes to, and the
    webhook's name."""
    for move in moved:
        before = move.before.flag if move.before else None
        transition = transition_of(before, move.after)
        if transition is None or move.after is None:
            continue
        severities = {flag.severity for flag in (before, move.after) if flag is not None}
        segment = known.stats[move.account].segment
        for webhook in told:
            if tells(webhook, segment, move.rule, transition, severities):
                yield move, move.after, transition, webhook.name


def _flag_moved(
    move: Move, after: Flag, id_: int, known: Known, names: Mapping[str, str]
) -> FlagMoved:
    stats, facts = known.stats[move.account], known.facts[move.account]
    rule = next((one for one in known.rules.rules if one.id == move.rule), None)
    before = move.before.flag if move.before else None
    seen = before is not None and before.state is not State.PENDING and not before.shadow
    return FlagMoved(
        account=move.account,
        account_name=stats.name,
        segment=stats.segment,
        owner=stats.owner,
        owner_name=names.get(stats.owner or ""),
        on=known.on,
        flag=id_,
        rule=move.rule,
        severity=after.severity,
        state=after.state,
        previous_state=before.state if before and seen else None,
        first_true_on=after.first_true_on,
        opened_on=after.opened_on,
        resolved_on=after.resolved_on,
        assignee=after.assignee,
        title=move.title,
        reasons=move.reasons,
        people=behind(
            facts_in(rule.when) if rule else (), stats, facts, known.workspace, known.on, names
        ),
        advice=_advice(rule, after, facts, known.rules),
        playbook=rule.playbook if rule and after.state is not State.RESOLVED else None,
    )


def _advice(rule: Rule | None, after: Flag, facts: Facts, rules: RuleSet) -> str | None:
    if rule is None or rule.advice is None or after.state is State.RESOLVED:
        return None
    return render(rule.advice, facts, rules.thresholds)


def facts(db: Connection, told: Webhooks, metrics: Metrics, known: Known, now: datetime) -> int:
    """Announce the facts that are not as webhooks were told last. Returns the messages."""
    interested = [webhook for webhook in told if webhook.facts]
    if not interested or not known.facts:
        return 0
    last = webhook_facts.ask_told(db, known.facts)()
    catalogue = FACTS | {name: own.fact for name, own in metrics.own.items()}
    names = people.rep_names(db)
    new, kept = [], []
    for account, found in known.facts.items():
        stats = known.stats[account]
        for webhook in (one for one in interested if one.covers(stats.segment)):
            # One that is no longer asked for is forgotten: asked for again, it is told anew.
            before = last.get((webhook.name, account), {})
            values = {name: payload.plain(found[name]) for name in webhook.facts}
            news = changed(before, values, webhook.facts, known.workspace.withheld)
            if not news:
                continue
            content = FactsChanged(
                account=account,
                account_name=stats.name,
                segment=stats.segment,
                owner=stats.owner,
                owner_name=names.get(stats.owner or ""),
                on=known.on,
                changes=payload.changes(catalogue, news, before, news),
            )
            body = payload.text(FACTS_CHANGED, now, content)
            new.append(New(_key(), webhook.name, account, FACTS_CHANGED, body))
            still = {name: before[name] for name in webhook.facts if name in before}
            kept.append((webhook.name, account, still | news))
    webhook_facts.keep(db, kept)
    return webhooks.put(db, new, now)


def _key() -> str:
    """The id of a message, the same each time that it is sent."""
    return f"msg_{uuid4().hex}"
