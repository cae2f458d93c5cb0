"""A rep's lists in Slack: their flags, their accounts by risk, and what changed this week."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from operator import itemgetter

from sqlalchemy import Connection, Engine

from worker.core.accounts import account_of
from worker.core.cards import AccountLine, Change, DigestLine, Home
from worker.core.flags import evaluation_date
from worker.core.reading import BASE
from worker.core.rules import Kind
from worker.core.stats import AccountStats
from worker.core.urgency import Order, rank, worst_first
from worker.evaluating.alerting import words_now
from worker.rulebooks.rulebook import Rulebook
from worker.store import desks, people, stats, sweeps
from worker.store.database import reading
from worker.store.desks import OnDesk

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Reading:
    """The date that everything shown is as of, and what it is read with."""

    db: Connection
    book: Rulebook
    on: date

    @cached_property
    def growth(self) -> frozenset[str]:
        """The ids of the rules that are of growth."""
        return self.book.rules.growth

    def kind(self, rule: str) -> Kind:
        """What a rule is about."""
        return Kind.GROWTH if rule in self.growth else Kind.RISK

    def stats(self, accounts: Iterable[str]) -> dict[str, AccountStats]:
        """The stats of those accounts that exist."""
        return stats.read(self.db, accounts, self.on, self.book.ties.half_life, BASE)


def begin(db: Connection, book: Rulebook, now: datetime) -> Reading:
    """What is shown now is as of today, or of the last sweep if that is later."""
    return Reading(db, book, evaluation_date(sweeps.last_sweep_on(db), now))


def mine(engine: Engine, reps: Collection[str], book: Rulebook, now: datetime) -> list[DigestLine]:
    """The flags that these reps are to answer, the worst first."""
    with reading(engine) as db:
        at = begin(db, book, now)
        return list(lines(at, desks.of_reps(db, reps), people.rep_names(db)))


def home(engine: Engine, reps: Collection[str], book: Rulebook, now: datetime) -> Home:
    """What these reps own and are to answer, and what changed in the last 7 days."""
    with reading(engine) as db:
        at, names = begin(db, book, now), people.rep_names(db)
        owned = desks.owned(db, reps)
        open_flags = desks.of_accounts(db, owned)
        since = at.on - WEEK
        return Home(
            on=at.on,
            since=since,
            rep_name=next((names[rep] for rep in sorted(reps) if rep in names), None),
            accounts=_by_risk(at, owned, open_flags, names),
            flags=lines(at, desks.of_reps(db, reps), names),
            changes=tuple(
                Change(
                    on=one.on,
                    account=one.account,
                    title=one.title,
                    state=one.state,
                    account_name=one.account_name,
                    severity=one.severity,
                    kind=at.kind(one.rule),
                )
                for one in desks.moved(db, owned, since)
            ),
        )


def lines(
    at: Reading, found: Collection[OnDesk], rep_names: Mapping[str, str]
) -> tuple[DigestLine, ...]:
    """Flags as they are now: the worst first, then by value at stake; growth comes last."""
    current = words_now(at.db, {(one.account, one.rule) for one in found}, at.book, at.on)
    accounts = {
        account: account_of(one, at.on, rep_names)
        for account, one in at.stats({one.account for one in found}).items()
    }
    listed = []
    for one in found:
        title, _ = current.get((one.account, one.rule), (one.title, ()))
        listed.append(
            DigestLine(
                account=accounts[one.account],
                title=title,
                rule=one.rule,
                severity=one.severity,
                kind=at.kind(one.rule),
                flag=one.id,
                state=one.state,
            )
        )
    return tuple(sorted(listed, key=_urgency))


def _urgency(line: DigestLine) -> Order:
    return worst_first(line.kind, line.severity, line.account.mrr, line.account.renewal_date)


def _by_risk(
    at: Reading, owned: Collection[str], found: Collection[OnDesk], rep_names: Mapping[str, str]
) -> tuple[AccountLine, ...]:
    """Accounts by their worst risk, then by how many, then by what they are worth."""
    lines: list[tuple[tuple[int, int, float], AccountLine]] = []
    for account, one in at.stats(owned).items():
        said = account_of(one, at.on, rep_names)
        theirs = [flag for flag in found if flag.account == account]
        risks = [one.severity for one in theirs if at.kind(one.rule) is Kind.RISK]
        worst = max(risks, key=rank, default=None)
        line = AccountLine(account=said, worst=worst, open=len(theirs))
        lines.append(((-rank(worst), -len(risks), -(said.mrr or 0)), line))
    return tuple(line for _, line in sorted(lines, key=itemgetter(0)))
