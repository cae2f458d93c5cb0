"""A rep's lists in Slack: their flags, their accounts by risk, and what changed this week."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from sqlalchemy import Connection, Engine

from worker.alerting import account_alert, words_now
from worker.core.alerts import Alert, AlertReason
from worker.core.cards import AccountLine, Change, DigestLine, Home
from worker.core.flags import evaluation_date
from worker.core.reading import BASE
from worker.core.rules import Kind, Severity
from worker.core.stats import AccountStats
from worker.rulebook import Rulebook
from worker.standings import Standing
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
        return frozenset(one.id for one in self.book.rules.rules if one.kind is Kind.GROWTH)

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
    """Flags as they are now: the worst first, then by value at stake."""
    current = words_now(at.db, {(one.account, one.rule) for one in found}, at.book, at.on)
    accounts = {
        account: about(Standing(one, {}), at.on, rep_names)
        for account, one in at.stats({one.account for one in found}).items()
    }
    listed = []
    for one in found:
        said = accounts[one.account]
        title, _ = current.get((one.account, one.rule), (one.title, ()))
        listed.append(
            DigestLine(
                account=one.account,
                title=title,
                account_name=one.account_name,
                mrr=said.mrr,
                currency=said.currency,
                renewal_date=said.renewal_date,
                rule=one.rule,
                severity=one.severity,
                kind=at.kind(one.rule),
                flag=one.id,
                state=one.state,
            )
        )
    return tuple(sorted(listed, key=lambda line: (-_rank(line.severity), -(line.mrr or 0))))


def _by_risk(
    at: Reading, owned: Collection[str], found: Collection[OnDesk], rep_names: Mapping[str, str]
) -> tuple[AccountLine, ...]:
    """Accounts by their worst flag, then by how many, then by what they are worth."""
    lines = []
    for account, one in at.stats(owned).items():
        said = about(Standing(one, {}), at.on, rep_names)
        theirs = [flag for flag in found if flag.account == account]
        risks = [one.severity for one in theirs if at.kind(one.rule) is Kind.RISK]
        lines.append(
            AccountLine(
                account=account,
                account_name=said.account_name,
                segment=said.segment,
                mrr=said.mrr,
                currency=said.currency,
                renewal_date=said.renewal_date,
                worst=max(risks, key=_rank, default=None),
                open=len(theirs),
            )
        )
    return tuple(sorted(lines, key=lambda line: (-_rank(line.worst), -line.open, -(line.mrr or 0))))


def _rank(severity: Severity | None) -> int:
    return -1 if severity is None else severity.rank


def about(standing: Standing, on: date, rep_names: Mapping[str, str]) -> Alert:
    """What every alert says of an account."""
    return account_alert(AlertReason.RENEWAL, standing, "", on, rep_names)
