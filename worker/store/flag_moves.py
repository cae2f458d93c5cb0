"""Moves: how flags change, and how their changes are stored, with their history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from sqlalchemy import Connection, insert, select, update

from worker.core.flags import Flag, State
from worker.store.dialect import execute_rows
from worker.store.flags import STORED, QuietFacts, StoredFlag, stored, words_of
from worker.store.tables import flag_history, flags


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
        _json(QuietFacts(quiet.exec_contact_from, quiet.worse)) if quiet else None,
        move.title,
        _json(move.reasons),
    )


def _remove(db: Connection, ids: Sequence[int]) -> None:
    if ids:
        rows = [(id_,) for id_ in ids]
        execute_rows(
            db, "DELETE FROM flags WHERE id IN (SELECT id FROM {rows})", {"id": "bigint"}, rows
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
        select(was.from_state, words.scalar_subquery(), *(of[name] for name in STORED))
        .join(flags, of.id == was.flag)
        .where(of.account == account, of.state == State.RESOLVED)
        .where(was.at == closed_at, was.to_state == State.RESOLVED)
        .order_by(of.rule)
    ).all()
    moves = []
    for state, reasons, *row in found:
        before = stored(row)
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
        after = before.flag._replace(state=State(state))
        moves.append(Move(account, before.rule, before, after, before.title, words_of(reasons)))
    return moves


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
