"""What a Slack message holds, apart from its layout: a conversation's card, a digest, the week."""

from datetime import date

from msgspec import Struct

from worker.core.alerts import Alert
from worker.core.flags import State
from worker.core.rules import Severity


class Told(Struct, frozen=True, kw_only=True):
    """An alert and what has become of its flag: `state` is None for one that is of no flag.

    `flag` is the flag's id; `by` the name of who acted last, `note` what they gave as a reason,
    `until` the UTC date to which a snooze or a dismissal lasts, `assignee` the rep it was given to.
    """

    alert: Alert
    flag: int | None = None
    state: State | None = None
    by: str | None = None
    note: str | None = None
    until: date | None = None
    assignee: str | None = None


class Card(Struct, frozen=True, kw_only=True):
    """The first message of a conversation: the latest alert of each flag, worst first."""

    told: tuple[Told, ...]


class DigestLine(Struct, frozen=True, kw_only=True):
    """One flag in a digest. `mrr` is a month's revenue in `currency`."""

    account: str
    title: str
    account_name: str | None = None
    mrr: float | None = None
    currency: str | None = None
    renewal_date: date | None = None
    rule: str | None = None
    severity: Severity | None = None
    flag: int | None = None


class Digest(Struct, frozen=True, kw_only=True):
    """Many alerts in one message, by value at stake; `why` says why they come together."""

    on: date
    why: str
    lines: tuple[DigestLine, ...]


class Weekly(Struct, frozen=True, kw_only=True):
    """A manager's week, both days included: how many flags, what is at risk, who owns nothing.

    `at_risk` is the monthly revenue of accounts with an open flag of high or critical, by currency.
    """

    first: date
    last: date
    new: int
    resolved: int
    unacknowledged: tuple[DigestLine, ...]
    at_risk: dict[str, float]
    unowned: tuple[str, ...]
