"""Flags and their history. The schema holds that a rule has one live flag on an account."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, RowMapping, distinct, func, insert, or_, select, update

from worker.core.flags import HEARD_OF, QUIET, Flag, Quiet, State
from worker.core.rules import Severity
from worker.core.shadows import Raised
from worker.core.worsening import Limit
from worker.store.dialect import execute_among, execute_rows, in_our_order
from worker.store.tables import LIVE_FLAG, day_of, flag_history, flags

ANSWERS = (State.ACKNOWLEDGED, State.SNOOZED, State.DISMISSED)
"""What people make of a flag."""

LIVE = (State.PENDING, *sorted(HEARD_OF), State.DISMISSED)


class StoredFlag(NamedTuple):
    """A live flag as it is stored, with the words that were last true of it."""

    id: int
    account: str
    rule: str
    flag: Flag
    title: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """A change to store: `before` is the stored flag if there is one, `after` None if it goes."""

    account: str
    rule: str
    before: StoredFlag | None
    after: Flag | None
    title: str
    reasons: tuple[str, ...]

    @property
    def opens(self) -> bool:
        """Whether it makes the flag one that people hear of."""
        return not self._was_heard_of and self.after is not None and self.after.heard_of

    @property
    def resolves(self) -> bool:
        """Whether it ends a flag that people have heard of."""
        return self._was_heard_of and self.after is not None and self.after.state is State.RESOLVED

    @property
    def ends_in_silence(self) -> bool:
        """Whether it ends a flag that was dismissed: cards show it, and nobody is told."""
        was_dismissed = self.before is not None and self.before.flag.state is State.DISMISSED
        return was_dismissed and self.after is not None and self.after.state is State.RESOLVED

    @property
    def _was_heard_of(self) -> bool:
        return self.before is not None and self.before.flag.heard_of


_STORED = (
    *("id", "account", "rule", "state", "severity", "first_true_on", "first_false_on"),
    *("opened_on", "shadow", "assignee", "quiet_until", "quiet_facts", "title", "reasons"),
)

_LIVE = f"""
    SELECT {", ".join(_STORED)}
    FROM flags WHERE account {{among}} AND {LIVE_FLAG.text}
"""


def ask_live(
    db: Connection, accounts: Iterable[str]
) -> Callable[[], dict[tuple[str, str], StoredFlag]]:
    """Ask for those accounts' live flags; the function returned waits, and gives them by
    (account, rule)."""
    found = execute_among(db, _LIVE, accounts)
    return lambda: {(row[1], row[2]): _stored(*row) for row in found}


def lock(db: Connection, accounts: Iterable[str]) -> None:
    """Keep batches, sweeps and answers from moving these accounts' flags until the transaction
    ends.

    It is the accounts' rows that they all lock first. SQLite has but one writer anyway.
    """
    if db.dialect.name == "postgresql":
        execute_among(
            db,
            "SELECT 1 FROM accounts WHERE account {among} "
            f"ORDER BY {in_our_order(db, 'account')} FOR UPDATE",
            accounts,
        )


_STATES = {str(state): state for state in State}
_SEVERITIES = {str(severity): severity for severity in Severity}
# Looked up: a sweep reads a million of them, and an Enum takes its time to find a member.


def _stored(
    id_: int,
    account: str,
    rule: str,
    state: str,
    severity: str,
    first_true_on: Any,
    first_false_on: Any,
    opened_on: Any,
    shadow: Any,
    assignee: str | None,
    quiet_until: Any,
    quiet_facts: str | None,
    title: str,
    reasons: str,
) -> StoredFlag:
    days = day_of(first_true_on), day_of(first_false_on), day_of(opened_on)
    flag = Flag(
        _STATES[state],
        _SEVERITIES[severity],
        *days,
        shadow=bool(shadow),
        assignee=assignee,
        quiet=_quiet(day_of(quiet_until), quiet_facts) if state in QUIET else None,
    )
    return StoredFlag(id_, account, rule, flag, title, _words(reasons))


def _words(reasons: str) -> tuple[str, ...]:
    return tuple(msgspec.json.decode(reasons))


class _Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """The facts that end a quiet time, as they are stored."""

    exec_contact_from: date | None = None
    worse: tuple[Limit, ...] = ()


def _quiet(until: date | None, facts: str | None) -> Quiet:
    kept = msgspec.json.decode(facts, type=_Facts) if facts else _Facts()
    return Quiet(until, kept.exec_contact_from, kept.worse)


_FLAG = {
    "severity": "text",
    "state": "text",
    "first_true_on": "date",
    "first_false_on": "date",
    "opened_on": "date",
    "resolved_on": "date",
    "shadow": "boolean",
    "assignee": "text",
    "quiet_until": "date",
    "quiet_facts": "text",
    "title": "text",
    "reasons": "text",
}


def write(
    db: Connection, moves: Sequence[Move], rules_hash: str, now: datetime, on: date
) -> dict[tuple[str, str], int]:
    """Store the moves, with history from a flag's opening on; returns ids by (account, rule)."""
    ids = {(m.account, m.rule): m.before.id for m in moves if m.before is not None}
    _remove(db, [m.before.id for m in moves if m.before is not None and m.after is None])
    kept = [(m, m.after) for m in moves if m.after is not None]
    ids |= _insert(db, [pair for pair in kept if pair[0].before is None], rules_hash)
    _update(db, [pair for pair in kept if pair[0].before is not None], ids, rules_hash)
    history = [
        (ids[m.account, m.rule], _was(m), after.state, _json(m.reasons))
        for m, after in kept
        if after.state is not State.PENDING and after.state != _was(m)
    ]
    if history:
        execute_rows(
            db,
            "INSERT INTO flag_history (flag, at, on_date, from_state, to_state, reasons) "
            "SELECT flag, :at, :on_date, from_state, to_state, reasons FROM {rows} WHERE true",
            {"flag": "bigint", "from_state": "text", "to_state": "text", "reasons": "text"},
            history,
            at=now,
            on_date=on,
        )
    return ids


def _was(move: Move) -> str:
    return move.before.flag.state if move.before else "none"


def _values(move: Move, after: Flag) -> tuple[object, ...]:
    quiet = after.quiet
    return (
        after.severity,
        after.state,
        after.first_true_on,
        after.first_false_on,
        after.opened_on,
        after.resolved_on,
        after.shadow,
        after.assignee,
        quiet.until if quiet else None,
        _json(_Facts(quiet.exec_contact_from, quiet.worse)) if quiet else None,
        move.title,
        _json(move.reasons),
    )


def _insert(
    db: Connection, new: Sequence[tuple[Move, Flag]], rules_hash: str
) -> dict[tuple[str, str], int]:
    if not new:
        return {}
    names = ", ".join(("account", "rule", *_FLAG))
    inserted = execute_rows(
        db,
        f"INSERT INTO flags ({names}, rules_hash) SELECT {names}, :rules_hash FROM {{rows}} "
        "WHERE true RETURNING id, account, rule",
        {"account": "text", "rule": "text"} | _FLAG,
        [(move.account, move.rule, *_values(move, after)) for move, after in new],
        rules_hash=rules_hash,
    )
    return {(account, rule): id_ for id_, account, rule in inserted}


def _update(
    db: Connection,
    changed: Sequence[tuple[Move, Flag]],
    ids: dict[tuple[str, str], int],
    rules_hash: str,
) -> None:
    """Store changed flags. One that was pending gets the hash of the rules by which it moves on."""
    if changed:
        execute_rows(
            db,
            f"UPDATE flags SET {', '.join(f'{name} = r.{name}' for name in _FLAG)}, "
            "rules_hash = CASE WHEN flags.state = 'pending' THEN :rules_hash "
            "ELSE flags.rules_hash END FROM {rows} WHERE flags.id = r.id",
            {"id": "bigint"} | _FLAG,
            [(ids[move.account, move.rule], *_values(move, after)) for move, after in changed],
            rules_hash=rules_hash,
        )


def reopen(
    db: Connection, account: str, closed_at: datetime, why: str, now: datetime, on: date
) -> list[Move]:
    """Let flags of an account that were resolved at that moment be again what they were then.

    Returns their moves, with the words with which they had opened; a hold that ran then begins
    anew.
    """
    was, of, opening = flag_history.c, flags.c, flag_history.alias().c
    words = (
        select(opening.reasons)
        .where(opening.flag == of.id, opening.to_state == State.OPEN)
        .order_by(opening.id.desc())
        .limit(1)
    )
    found = db.execute(
        select(was.from_state, words.scalar_subquery(), *(of[name] for name in _STORED))
        .join(flags, of.id == was.flag)
        .where(of.account == account, of.state == State.RESOLVED)
        .where(was.at == closed_at, was.to_state == State.RESOLVED)
        .order_by(of.rule)
    ).all()
    moves = []
    for state, reasons, *stored in found:
        before = _stored(*stored)
        as_then = {"state": state, "resolved_on": None, "reasons": reasons}
        db.execute(update(flags).where(of.id == before.id).values(as_then))
        db.execute(
            insert(flag_history).values(
                flag=before.id,
                at=now,
                on_date=on,
                from_state=State.RESOLVED,
                to_state=state,
                reasons=_json((why,)),
            )
        )
        after = before.flag._replace(state=_STATES[state])
        moves.append(Move(account, before.rule, before, after, before.title, _words(reasons)))
    return moves


def _remove(db: Connection, ids: Sequence[int]) -> None:
    if ids:
        rows = [(id_,) for id_ in ids]
        execute_rows(
            db, "DELETE FROM flags WHERE id IN (SELECT id FROM {rows})", {"id": "bigint"}, rows
        )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def last_ended(db: Connection, accounts: Iterable[str]) -> dict[tuple[str, str], Flag]:
    """Each rule's last resolved flag on those accounts, by (account, rule)."""
    ids = sorted(set(accounts))
    if not ids:
        return {}
    found = execute_among(
        db,
        "SELECT account, rule, severity, first_true_on, opened_on, resolved_on, assignee, "
        "quiet_until, quiet_facts FROM flags "
        "WHERE account {among} AND state = 'resolved' ORDER BY resolved_on, id",
        ids,
    )
    return {(account, rule): _ended(*row) for account, rule, *row in found}


def _ended(
    severity: str,
    first_true_on: Any,
    opened_on: Any,
    resolved_on: Any,
    assignee: str | None,
    quiet_until: Any,
    quiet_facts: str | None,
) -> Flag:
    return Flag(
        State.RESOLVED,
        Severity(severity),
        day_of(first_true_on),
        opened_on=day_of(opened_on),
        resolved_on=day_of(resolved_on),
        assignee=assignee,
        quiet=_quiet(day_of(quiet_until), quiet_facts) if quiet_facts else None,
    )


def raised(db: Connection, since: date) -> list[Raised]:
    """Every flag that has opened and was up on `since` or later, in shadow or not."""
    of = flags.c
    found = db.execute(
        select(of.account, of.rule, of.shadow, of.opened_on, of.resolved_on)
        .where(of.opened_on.is_not(None), or_(of.resolved_on.is_(None), of.resolved_on >= since))
        .order_by(of.account, of.rule, of.id)
    )
    return [Raised(*row) for row in found]


def at_risk(db: Connection, on: date) -> list[tuple[str, str]]:
    """(account, rule) of the flags of high or critical severity that were open at the end of `on`.

    Neither those in shadow nor those that somebody has called no risk.
    """
    of = flags.c
    found = db.execute(
        select(of.account, of.rule)
        .where(
            of.opened_on <= on,
            or_(of.resolved_on.is_(None), of.resolved_on > on),
            of.severity.in_((Severity.HIGH, Severity.CRITICAL)),
            of.state != State.DISMISSED,
            ~of.shadow,
        )
        .order_by(of.account, of.rule)
    )
    return [(account, rule) for account, rule in found]


def answers(db: Connection, since: date) -> dict[tuple[str, bool], dict[str, int]]:
    """How many flags people acknowledged, snoozed or dismissed since a date: by (rule, shadow)."""
    moved = flag_history.c
    found = db.execute(
        select(flags.c.rule, flags.c.shadow, moved.to_state, func.count(distinct(flags.c.id)))
        .join(flags, flags.c.id == moved.flag)
        .where(moved.to_state.in_(ANSWERS), moved.on_date >= since)
        .group_by(flags.c.rule, flags.c.shadow, moved.to_state)
    )
    counts: dict[tuple[str, bool], dict[str, int]] = {}
    for rule, shadow, state, number in found:
        counts.setdefault((rule, shadow), dict.fromkeys(ANSWERS, 0))[state] = number
    return counts


def listed(
    db: Connection, account: str | None = None, states: Sequence[str] = LIVE, shadow: bool = False
) -> Sequence[RowMapping]:
    """Flags in those states, by account and rule, newest first within a rule: those that people
    hear of, or those in shadow."""
    query = select(flags).where(flags.c.state.in_(states), flags.c.shadow == shadow)
    if account is not None:
        query = query.where(flags.c.account == account)
    query = query.order_by(flags.c.account, flags.c.rule, flags.c.id.desc())
    return db.execute(query).mappings().all()
