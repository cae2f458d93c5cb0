"""A manager's week: what came up on the accounts of their people, and what nobody took care of."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from worker.core.accounts import Account
from worker.core.bundles import by_stake
from worker.core.cards import DigestLine, Weekly
from worker.core.flags import HEARD_OF, State
from worker.core.quiet import instant
from worker.core.rules import Kind, Severity

_SEVERE = frozenset({Severity.HIGH, Severity.CRITICAL})


class Raised(NamedTuple):
    """A flag that is up, or was opened or resolved in the week."""

    id: int
    account: str
    rule: str
    severity: Severity
    state: State
    title: str
    opened_on: date
    resolved_on: date | None


def week_due(now: datetime, weekday: int, hour: time, zone: tzinfo) -> tuple[date, datetime]:
    """The last local day on which a summary was due at `now`, and when: 0 is Monday."""
    today = now.astimezone(zone).date()
    day = today - timedelta(days=(today.weekday() - weekday) % 7)
    at = instant(day, hour, zone)
    if at > now:
        day -= timedelta(days=7)
        at = instant(day, hour, zone)
    return day, at


def summary(
    day: date,
    team: Collection[str],
    flags: Iterable[Raised],
    accounts: Mapping[str, Account],
    unowned: Sequence[str],
    growth: Collection[str] = (),
) -> Weekly:
    """The seven days before `day`, of the accounts that the reps of a team own.

    `unowned` are the names of accounts that nobody owns, `growth` the ids of the rules that are of
    growth.
    """
    first, last = day - timedelta(days=7), day - timedelta(days=1)
    ours = [one for one in flags if one.account in accounts and accounts[one.account].owner in team]
    at_risk: dict[str, float] = defaultdict(float)
    risks = [one for one in ours if one.rule not in growth]
    severe = {one.account for one in risks if one.state in HEARD_OF and one.severity in _SEVERE}
    for account in sorted(severe):
        known = accounts[account]
        if known.mrr:
            at_risk[known.currency or ""] += known.mrr
    return Weekly(
        first=first,
        last=last,
        new=sum(first <= one.opened_on <= last for one in risks),
        resolved=sum(
            one.resolved_on is not None and first <= one.resolved_on <= last for one in risks
        ),
        unacknowledged=by_stake(
            _line(one, accounts[one.account], Kind.GROWTH if one.rule in growth else Kind.RISK)
            for one in ours
            if one.state is State.OPEN and one.opened_on <= last
        ),
        at_risk=dict(at_risk),
        unowned=tuple(unowned),
        chances=sum(one.rule in growth and first <= one.opened_on <= last for one in ours),
    )


def _line(flag: Raised, account: Account, kind: Kind) -> DigestLine:
    return DigestLine(
        account=account,
        title=flag.title,
        rule=flag.rule,
        severity=flag.severity,
        kind=kind,
        flag=flag.id,
        state=flag.state,
    )


def is_empty(week: Weekly) -> bool:
    """Whether there is nothing in it that a manager would want to be told."""
    counted = week.new or week.resolved or week.chances or week.unacknowledged
    return not (counted or week.at_risk or week.unowned)
