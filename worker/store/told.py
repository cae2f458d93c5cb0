"""What people have been told, and of what is under way: the messages, by flag and by recipient."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, literal_column, or_, select, update

from worker.core.alerts import Alert, AlertReason
from worker.core.flags import State
from worker.core.muting import Mute, Setting
from worker.core.retelling import Heard
from worker.core.rules import Severity
from worker.store import holds
from worker.store.dialect import execute_among
from worker.store.tables import flags, messages, moment_of

_ONLY_WAITING = and_(
    # Both spelt out, not bound: only so does PostgreSQL see that an index of unsent rows will do.
    messages.c.state.in_([literal_column("'waiting'"), literal_column("'sending'")]),
    messages.c.state == literal_column("'waiting'"),
    messages.c.tried_at.is_(None),
)
"""Messages of which Slack cannot have seen anything."""


class Told(NamedTuple):
    """A message about a flag that its recipient has, or is about to have."""

    flag: int
    recipient: str
    kind: str


class Had(NamedTuple):
    """A message that a recipient has had, or will have, and whether it has left."""

    recipient: str
    bundle: str
    kind: str
    due_at: datetime
    gone: bool


class OpenFlag(NamedTuple):
    """A flag that is open, unanswered, and what people have heard of it."""

    id: int
    account: str
    rule: str
    heard: Heard


_AGAIN = (AlertReason.REMINDER, AlertReason.ESCALATED)


def of_flags(db: Connection, ids: Iterable[int]) -> list[Told]:
    """What has been told of these flags, to whom, in the order it was planned.

    Who answered a flag before it was told to them knows of it as well.
    """
    of = messages.c
    known = or_(
        of.state != "dropped", and_(of.error == Mute.ANSWERED.value, of.reason.not_in(_AGAIN))
    )
    found = db.execute(
        select(of.flag, of.recipient, of.kind)
        .where(of.flag.in_(sorted(set(ids))), known, of.kind != "update")
        .order_by(of.id)
    )
    return [Told(*row) for row in found]


def overtaken(db: Connection, flags_of: Mapping[int, int]) -> frozenset[int]:
    """Those of these alerts, by their ids in the outbox, of whose flag a later one has been told,
    or is about to be; `flags_of` are their flags."""
    of = messages.c
    found = db.execute(
        select(of.flag, of.key).where(
            of.flag.in_(sorted(set(flags_of.values()))), of.state != "dropped"
        )
    )
    last: dict[int, int] = {}
    for flag, key in found:
        # The key of what is told of a flag begins with the alert's id in the outbox.
        last[flag] = max(last.get(flag, 0), int(key.partition("/")[0]))
    return frozenset(id_ for id_, flag in flags_of.items() if last.get(flag, 0) > id_)


def since(db: Connection, recipients: Iterable[str], at: datetime) -> list[Had]:
    """What these recipients have had, or will have, that is due at `at` or later."""
    of = messages.c
    found = db.execute(
        select(of.recipient, of.bundle, of.kind, of.due_at, of.state != "waiting").where(
            of.recipient.in_(sorted(set(recipients))), of.due_at >= at, of.state != "dropped"
        )
    )
    return [Had(*row) for row in found]


def drop_of_flags(db: Connection, ids: Iterable[int], why: Mute) -> int:
    """Tell nobody what waits to be told of these flags; how many messages that were."""
    return _drop(db, messages.c.flag.in_(sorted(set(ids))), why)


def drop_answered(db: Connection, flag: int, rep: str, why: Mute) -> int:
    """Tell nobody again of a flag that a rep has answered, nor that rep of it at all; how many
    waiting messages that were."""
    of = messages.c
    whose = or_(of.reason.in_(_AGAIN), of.recipient == f"rep:{rep}")
    return _drop(db, and_(of.flag == flag, whose), why)


# In a batch's pipeline, so in plain SQL, and in one statement. The two states are those of an index
# over what is unsent.
_SILENCE = """
    UPDATE messages SET
        state = CASE WHEN kind = 'alert' AND reason = 'resolved' THEN state ELSE 'dropped' END,
        error = CASE WHEN kind = 'alert' AND reason = 'resolved' THEN error ELSE :why END,
        due_at = CASE WHEN kind = 'alert' AND reason = 'resolved' THEN :now ELSE due_at END,
        kind = CASE WHEN kind = 'alert' AND reason = 'resolved' THEN 'update' ELSE kind END
    WHERE id IN (
        SELECT id FROM messages
        WHERE account {among} AND state IN ('waiting', 'sending') AND state = 'waiting'
          AND tried_at IS NULL AND kind NOT IN ('update', 'redrawn')
          AND coalesce(reason, '') <> 'assigned'
"""


def silence(db: Connection, accounts: Iterable[str], why: Mute, now: datetime) -> None:
    """Tell nobody what waits to be told of these accounts, but for what was given to them. That a
    flag has ended is still shown on its card, without a word."""
    # Not those that somebody sends or plans just now: batches wait for no deliveries.
    passed_over = " FOR UPDATE SKIP LOCKED)" if db.dialect.name == "postgresql" else ")"
    execute_among(db, _SILENCE + passed_over, sorted(set(accounts)), why=why.value, now=now)


def drop_low_ones(db: Connection, accounts: Iterable[str], why: Mute) -> int:
    """Tell nobody what waits to be told of these accounts' flags of low severity."""
    low = select(flags.c.id).where(
        flags.c.account.in_(sorted(set(accounts))), flags.c.severity == Severity.LOW
    )
    return _drop(db, messages.c.flag.in_(low), why)


def _drop(db: Connection, which: ColumnElement[bool], why: Mute) -> int:
    return db.execute(
        update(messages).where(_ONLY_WAITING, which).values(state="dropped", error=why.value)
    ).rowcount


# What was told before the flag last opened, say before a snooze that is over, is another story.
_OPEN = """
    SELECT f.id, f.account, f.rule,
        min(CASE WHEN m.state = 'sent' AND coalesce(m.reason, '') <> :escalated
            AND (f.assignee IS NULL OR m.recipient = 'rep:' || f.assignee) THEN m.sent_at END),
        max(CASE WHEN m.state <> 'dropped' AND m.kind <> 'update'
            AND coalesce(m.reason, '') <> :escalated THEN m.created_at END),
        count(CASE WHEN m.state = 'dropped' THEN 1 END),
        count(CASE WHEN m.state <> 'dropped' AND m.reason = :escalated THEN 1 END)
    FROM flags f LEFT JOIN messages m ON m.flag = f.id AND m.created_at >= coalesce(
        (SELECT max(h.at) FROM flag_history h WHERE h.flag = f.id AND h.to_state = 'open'),
        m.created_at)
    WHERE f.account {among} AND f.state = 'open' AND NOT f.shadow
    GROUP BY f.id, f.account, f.rule ORDER BY f.id
"""


def open_flags(db: Connection, accounts: Iterable[str]) -> list[OpenFlag]:
    """The open flags of these accounts that nobody has answered, and who has heard what."""
    found = execute_among(db, _OPEN, accounts, escalated=AlertReason.ESCALATED.value)
    return [_open_flag(*row) for row in found]


def _open_flag(
    id_: int, account: str, rule: str, first: Any, last: Any, dropped: int, escalated: int
) -> OpenFlag:
    sent, made = moment_of(first), moment_of(last)
    heard = Heard(sent, made.date() if made else None, dropped > 0, escalated > 0)
    return OpenFlag(id_, account, rule, heard)


def settings(
    db: Connection, alerts: Iterable[Alert], growth: Collection[str] = ()
) -> list[Setting]:
    """What each of these alerts falls into, in their order; `growth` are the rules that are of
    growth."""
    given = list(alerts)
    accounts = {alert.account for alert in given}
    held = holds.among(db, accounts)
    up = _critical(db, accounts, growth)
    ids = sorted({alert.flag for alert in given if alert.flag is not None})
    found = db.execute(
        select(flags.c.id, flags.c.state, flags.c.assignee).where(flags.c.id.in_(ids))
    )
    own = {id_: (State(state), assignee) for id_, state, assignee in found}
    return [
        Setting(
            held.get(alert.account),
            bool(up.get(alert.account, frozenset()) - {alert.flag}),
            *own.get(alert.flag or 0, (None, None)),
        )
        for alert in given
    ]


def _critical(
    db: Connection, accounts: Iterable[str], growth: Collection[str]
) -> dict[str, frozenset[int]]:
    """The ids of the critical risks that are up on these accounts, of those that have any."""
    found = db.execute(
        select(flags.c.account, flags.c.id).where(
            flags.c.account.in_(sorted(set(accounts))),
            flags.c.severity == Severity.CRITICAL,
            flags.c.state.in_(["open", "acknowledged", "snoozed"]),
            flags.c.rule.not_in(sorted(growth)),
            ~flags.c.shadow,
        )
    )
    ids: dict[str, set[int]] = {}
    for account, flag in found:
        ids.setdefault(account, set()).add(flag)
    return {account: frozenset(of) for account, of in ids.items()}
