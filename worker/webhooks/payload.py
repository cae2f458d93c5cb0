"""What a webhook is told, as JSON. docs/webhooks.md has each field, with an example.

Fields are only ever added: other systems read this.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime

import msgspec
from msgspec import Struct

from worker.core.catalogue import Fact
from worker.core.flags import State
from worker.core.rules import Severity
from worker.core.units import NEVER, Unit, Value
from worker.core.webhooks import Transition

FACTS_CHANGED = "account.facts_changed"
TEST = "test"


class AboutAccount(Struct, frozen=True, kw_only=True):
    """Whose it is. `owner` is a rep's id, `on` the UTC date as of which it is said."""

    account: str
    account_name: str | None = None
    segment: str | None = None
    owner: str | None = None
    owner_name: str | None = None
    on: date


class FlagMoved(AboutAccount, frozen=True, kw_only=True):
    """A flag after it has moved: the keys of `tiewatch flags --json`, and more.

    `previous_state` is null for one of which nothing was to be seen before; `people` are lines on
    whom its reasons speak of; `playbook` is a link.
    """

    flag: int
    rule: str
    severity: Severity
    state: State
    previous_state: State | None = None
    first_true_on: date
    opened_on: date | None = None
    resolved_on: date | None = None
    assignee: str | None = None
    title: str
    reasons: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    advice: str | None = None
    playbook: str | None = None


class FactChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fact as it was told last, and as it is. Null is unknown, and `never` what has not
    happened; `first` says that it had not been told before: then `old` says nothing."""

    fact: str
    unit: Unit
    old: Value | msgspec.UnsetType = msgspec.UNSET
    new: Value
    first: bool = False


class FactsChanged(AboutAccount, frozen=True, kw_only=True):
    """The facts of an account that are not as they were told last."""

    changes: tuple[FactChange, ...]


def flag_type(transition: Transition) -> str:
    """The type of what is sent of a transition."""
    return f"flag.{transition}"


def text(type_: str, now: datetime, content: Struct | Mapping[str, str]) -> str:
    """The whole text of a message: what is signed and sent, to the last byte."""
    at = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return msgspec.json.encode({"type": type_, "timestamp": at, "data": content}).decode()


def plain(value: Value) -> Value:
    """A fact's value as JSON can say it."""
    return "never" if value == NEVER else value


def changes(
    catalogue: Mapping[str, Fact],
    names: Iterable[str],
    old: Mapping[str, Value],
    new: Mapping[str, Value],
) -> tuple[FactChange, ...]:
    """The changes of these facts, in the order of their names; values are `plain` already."""
    return tuple(
        FactChange(
            fact=name,
            unit=catalogue[name].unit,
            old=old.get(name, msgspec.UNSET),
            new=new[name],
            first=name not in old,
        )
        for name in names
    )
