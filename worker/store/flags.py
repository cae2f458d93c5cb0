"""Flags as they are stored: those that are live, and those that have ended.

The schema holds that a rule has one live flag on an account.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from worker.core.flags import QUIET, Flag, Quiet, State
from worker.core.rules import Severity
from worker.core.worsening import Limit
from worker.store.dialect import execute_among, in_our_order
from worker.store.tables import LIVE_FLAG, day_of


class StoredFlag(NamedTuple):
    """A live flag as it is stored, with the words that were last true of it."""

    id: int
    account: str
    rule: str
    flag: Flag
    title: str
    reasons: tuple[str, ...]


STORED = (
    *("id", "account", "rule", "state", "severity", "first_true_on", "first_false_on"),
    *("opened_on", "shadow", "assignee", "quiet_until", "quiet_facts", "title", "reasons"),
)
"""The columns of which a stored flag is made."""

_LIVE = f"""
    SELECT {", ".join(STORED)}
    FROM flags WHERE account {{among}} AND {LIVE_FLAG.text}
"""


def ask_live(
    db: Connection, accounts: Iterable[str]
) -> Callable[[], dict[tuple[str, str], StoredFlag]]:
    """Ask for those accounts' live flags; the function returned waits, and gives them by
    (account, rule)."""
    found = execute_among(db, _LIVE, accounts)
    return lambda: {(row[1], row[2]): stored(row) for row in found}


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


def stored(row: Iterable[Any]) -> StoredFlag:
    """A flag from a row of its `STORED` columns."""
    id_, account, rule, state, severity, true_on, false_on, opened_on, *rest = row
    shadow, assignee, quiet_until, quiet_facts, title, reasons = rest
    flag = Flag(
        _STATES[state],
        _SEVERITIES[severity],
        day_of(true_on),
        day_of(false_on),
        day_of(opened_on),
        shadow=bool(shadow),
        assignee=assignee,
        quiet=_quiet(day_of(quiet_until), quiet_facts) if state in QUIET else None,
    )
    return StoredFlag(id_, account, rule, flag, title, words_of(reasons))


def words_of(reasons: str) -> tuple[str, ...]:
    """Reasons as they are stored, in words."""
    return tuple(msgspec.json.decode(reasons))


class QuietFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """The facts that end a quiet time, as they are stored."""

    exec_contact_from: date | None = None
    worse: tuple[Limit, ...] = ()


def _quiet(until: date | None, facts: str | None) -> Quiet:
    kept = msgspec.json.decode(facts, type=QuietFacts) if facts else QuietFacts()
    return Quiet(until, kept.exec_contact_from, kept.worse)


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
    return {(account, rule): _ended(row) for account, rule, *row in found}


def _ended(row: Iterable[Any]) -> Flag:
    severity, first_true_on, opened_on, resolved_on, assignee, until, facts = row
    return Flag(
        State.RESOLVED,
        Severity(severity),
        day_of(first_true_on),
        opened_on=day_of(opened_on),
        resolved_on=day_of(resolved_on),
        assignee=assignee,
        quiet=_quiet(day_of(until), facts) if facts else None,
    )
