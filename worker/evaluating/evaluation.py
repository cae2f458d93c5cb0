"""Evaluates the rules for some accounts on a date, moves their flags, and writes the alerts.

The event path and the sweeps both come through here, inside their own transactions.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from worker.core.answers import resumed
from worker.core.conditions import Facts, Not, Thresholds
from worker.core.flags import Flag, State, judge, resolve
from worker.core.muting import CHURNED, Mute
from worker.core.rules import CompiledRule, Mode
from worker.core.stats import Workspace
from worker.evaluating import announcing, healths, standings
from worker.evaluating.alerting import alerts_of, words, words_of
from worker.evaluating.standings import Read, Standing
from worker.rulebooks.rulebook import Rulebook
from worker.store import flag_moves, flags, outbox, showing, told
from worker.store.dialect import answer_now
from worker.store.flag_moves import Move
from worker.store.flags import StoredFlag

RULE_IS_GONE = "the rule has been removed"
RULE_IS_OFF = "the rule has been switched off"
RULE_IS_IN_SHADOW = "the rule has gone into shadow: nobody is told of its flags"


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
    live = flags.ask_live(db, accounts)
    read = standings.ask(db, accounts, on, book, now, known, sweeping=retire)
    answer_now(db)

    def answer() -> Evaluated:
        found = read()
        done = _evaluated(db, found, live(), now, retire, sweep)
        if retire and healths.is_asked(book.facts):
            facts = {account: one.facts for account, one in done.standings.items()}
            healths.keep_scores(db, facts, on, done.workspace)
        return done

    return answer


def _evaluated(
    db: Connection,
    read: Read,
    live: dict[tuple[str, str], StoredFlag],
    now: datetime,
    retire: bool,
    sweep: int | None,
) -> Evaluated:
    book, on = read.book, read.on
    moves: list[Move] = []
    found: dict[str, Standing] = {}
    for account, standing in read.standings():
        found[account] = standing
        for compiled in book.rules.compiled:
            before = live.pop((account, compiled.rule.id), None)
            move = _judge(compiled, account, before, standing.facts, book.rules.thresholds, on)
            if move is not None:
                moves.append(move)
            flag = move.after if move else before.flag if before else None
            if flag is not None and flag.heard_of:
                standing.open.append(compiled.rule)
    moves += [
        retired(stored, on, RULE_IS_OFF if stored.rule in book.rules.off else RULE_IS_GONE)
        for stored in live.values()
        if retire and stored.account in found
    ]
    churned = [one for one, standing in found.items() if standing.facts["lifecycle"] == CHURNED]
    if churned:
        told.silence(db, churned, Mute.CHURNED, now)
        outbox.note_churned(db, churned)
    return carry_out(db, moves, found, read, now, sweep)


def carry_out(
    db: Connection,
    moves: list[Move],
    found: Mapping[str, Standing],
    read: Read,
    now: datetime,
    sweep: int | None,
) -> Evaluated:
    """Store the moves of these accounts' flags, and write the alerts that they call for."""
    book, on = read.book, read.on
    if not moves:
        return Evaluated(found, read.workspace, 0, 0, 0, announce(db, moves, {}, found, read, now))
    ended = flags.last_ended(db, (move.account for move in moves if move.opens))
    moves = [_resumed(move, ended, found[move.account]) for move in moves]
    ids = flag_moves.write(db, moves, book.digest, now, on)
    announced = announce(db, moves, ids, found, read, now)
    said = list(alerts_of(db, moves, ids, ended, found, read))
    written = outbox.put(db, [(key, alert) for key, alert, quiet in said if not quiet], now, sweep)
    for key, alert, quiet in said:
        if quiet:
            showing.show_again(db, alert.account, key, now, alert)
    return Evaluated(
        found,
        read.workspace,
        sum(move.opens for move in moves),
        sum(move.resolves for move in moves),
        written,
        announced,
    )


def announce(
    db: Connection,
    moves: Sequence[Move],
    ids: Mapping[tuple[str, str], int],
    found: Mapping[str, Standing],
    read: Read,
    now: datetime,
) -> int:
    """Write what webhooks are to be told of moves of these accounts' flags, whose ids are given by
    (account, rule), and of their facts; how many messages that are."""
    book = read.book
    if not book.webhooks:
        return 0
    known = announcing.Known(
        {account: one.stats for account, one in found.items()},
        {account: one.facts for account, one in found.items()},
        read.workspace,
        book.rules,
        read.on,
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
        title, why = words_of(rule, rule.except_when, facts, thresholds)
    elif outcome or before is None:
        title, why = words(rule, facts, thresholds)
    elif after is None or after.state is not State.RESOLVED:
        title, why = before.title, before.reasons
    else:
        title, why = words_of(rule, Not(rule.when), facts, thresholds)
    return Move(account, rule.id, before, after, title, why)


def _resumed(move: Move, ended: Mapping[tuple[str, str], Flag], standing: Standing) -> Move:
    """The move, in view of what people answered to the rule's last flag on the account."""
    if not move.opens or move.after is None:
        return move
    after = resumed(move.after, ended.get((move.account, move.rule)), standing.facts)
    if not after.heard_of:
        standing.open[:] = [rule for rule in standing.open if rule.id != move.rule]
    return replace(move, after=after)


def retired(stored: StoredFlag, on: date, why: str) -> Move:
    """The end of a flag that its rule no longer stands for."""
    after = resolve(stored.flag, on)
    return Move(stored.account, stored.rule, stored, after, stored.title, (why,))
