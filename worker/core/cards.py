"""What a Slack message holds, apart from its layout: a conversation's card, a digest, the week."""

from datetime import date

from msgspec import Struct

from worker.core.accounts import Account
from worker.core.alerts import Alert
from worker.core.explanation import Explained
from worker.core.flags import State
from worker.core.rules import Kind, Severity
from worker.core.ties import Tier
from worker.core.titles import Level


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
    """One flag in a list."""

    account: Account
    title: str
    rule: str | None = None
    severity: Severity | None = None
    kind: Kind = Kind.RISK
    flag: int | None = None
    state: State | None = None


class Digest(Struct, frozen=True, kw_only=True):
    """Many alerts in one message, by value at stake; `why` says why they come together."""

    on: date
    why: str
    lines: tuple[DigestLine, ...]


class Weekly(Struct, frozen=True, kw_only=True):
    """A manager's week, both days included: how many flags, what is at risk, who owns nothing.

    `new` and `resolved` count risks, `chances` the new flags of growth. `at_risk` is the monthly
    revenue of accounts with an open risk of high or critical severity, by currency.
    """

    first: date
    last: date
    new: int
    resolved: int
    unacknowledged: tuple[DigestLine, ...]
    at_risk: dict[str, float]
    unowned: tuple[str, ...]
    chances: int = 0


class TieLine(Struct, frozen=True, kw_only=True):
    """A tie on an account's card, as of the card's date; `last` is the last contact's UTC date."""

    contact: str
    rep: str
    tier: Tier
    last: date
    contact_name: str | None = None
    title: str | None = None
    rep_name: str | None = None


class AccountCard(Struct, frozen=True, kw_only=True):
    """An account on a date: its live ties, strongest first, who was last in contact, what is open.

    `who` are lines of worker/core/evidence.py.
    """

    on: date
    account: Account
    who: tuple[str, ...] = ()
    ties: tuple[TieLine, ...] = ()
    flags: tuple[DigestLine, ...] = ()


class Why(Struct, frozen=True, kw_only=True):
    """A rule explained on an account: what holds, what does not, and what lies ahead.

    `standing` says where its flag stands; `clears` what would end it, `ahead` what changes by
    itself.
    """

    account: str
    on: date
    rule: str
    title: str
    conditions: Explained
    kind: Kind = Kind.RISK
    account_name: str | None = None
    except_when: Explained | None = None
    standing: str | None = None
    who: tuple[str, ...] = ()
    clears: str | None = None
    ahead: str | None = None


class Choice(Struct, frozen=True, kw_only=True):
    """A rep or contact to choose from; `more` tells apart those of one name."""

    id: str
    name: str | None = None
    more: str | None = None


class ContactChoice(Struct, frozen=True, kw_only=True):
    """A contact whose record can be put right, with what is known now."""

    id: str
    name: str | None = None
    title: str | None = None
    level: Level | None = None


class AccountLine(Struct, frozen=True, kw_only=True):
    """An account of a rep's, in App Home. `worst` is the highest severity of those of its `open`
    flags that are of a risk."""

    account: Account
    worst: Severity | None = None
    open: int = 0


class Change(Struct, frozen=True, kw_only=True):
    """A flag that moved this week: to which state, and on which UTC date."""

    on: date
    account: str
    title: str
    state: State
    account_name: str | None = None
    severity: Severity | None = None
    kind: Kind = Kind.RISK


class Home(Struct, frozen=True, kw_only=True):
    """A rep's App Home: accounts by risk, open flags, and what changed since `since`."""

    on: date
    since: date
    rep_name: str | None = None
    accounts: tuple[AccountLine, ...] = ()
    flags: tuple[DigestLine, ...] = ()
    changes: tuple[Change, ...] = ()
