"""What people ask to see in Slack: an account's card, one's flags, one's week, why a flag is up."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, Engine

from worker.core.alerts import Alert, AlertReason
from worker.core.answers import Refused
from worker.core.cards import (
    AccountCard,
    AccountLine,
    Change,
    Choice,
    DigestLine,
    Home,
    TieLine,
    Told,
    Why,
)
from worker.core.evidence import who
from worker.core.rules import Severity
from worker.core.stats import AccountStats, Workspace
from worker.core.ties import Tier, strength
from worker.evaluation import Rulebook, Standing, account_alert, words_now
from worker.explain import explain
from worker.ingest import evaluation_date
from worker.outlook import ahead, standing
from worker.scene import alert_now, look
from worker.slack_actions.authority import NO_FLAG
from worker.store import answers, desks, flags, people, stats, sweeps
from worker.store.database import reading
from worker.store.desks import OnDesk

WEEK = timedelta(days=7)

AHEAD = 90
"""Days that an explanation in Slack looks ahead: someone waits for it."""

_PEOPLE = ("days_since_exec_contact", "days_since_user_contact")
"""The facts whose people an account's card names."""


@dataclass(frozen=True, slots=True)
class _Now:
    """The date that everything shown is as of, and what it is read with."""

    db: Connection
    book: Rulebook
    on: date

    def stats(self, accounts: Iterable[str]) -> dict[str, AccountStats]:
        """The stats of those accounts that exist."""
        return stats.read(self.db, accounts, self.on, self.book.ties.half_life)


def _now(db: Connection, book: Rulebook, now: datetime) -> _Now:
    return _Now(db, book, evaluation_date(sweeps.last_sweep_on(db), now))


def account_card(engine: Engine, words: str, book: Rulebook, now: datetime) -> AccountCard:
    """The account with this id, or else this name.

    Raises:
        Refused: there is none, or several have that name.
    """
    with reading(engine) as db:
        found = desks.named(db, words)
        if not found:
            raise Refused(f"There is no account with the id or name {words!r}.")
        if len(found) > 1:
            ids = ", ".join(id_ for id_, _ in found)
            raise Refused(f"Several accounts are called {words!r}: choose by id, of {ids}.")
        account = found[0][0]
        at = _now(db, book, now)
        scene = look(db, account, at.on, book)
        said = _about(scene.standing, at.on, scene.rep_names)
        return AccountCard(
            on=at.on,
            account=account,
            account_name=said.account_name,
            segment=said.segment,
            mrr=said.mrr,
            currency=said.currency,
            renewal_date=said.renewal_date,
            owner=said.owner,
            owner_name=said.owner_name,
            who=who(
                scene.standing.stats, at.on.toordinal(), scene.workspace, _PEOPLE, scene.rep_names
            ),
            ties=_ties(scene.standing.stats, scene.workspace, at.on, scene.rep_names),
            flags=_lines(at, desks.of_accounts(db, [account]), scene.rep_names),
        )


def mine(engine: Engine, reps: Collection[str], book: Rulebook, now: datetime) -> list[DigestLine]:
    """The flags that these reps are to answer, the worst first."""
    with reading(engine) as db:
        at = _now(db, book, now)
        return list(_lines(at, desks.of_reps(db, reps), people.rep_names(db)))


def home(engine: Engine, reps: Collection[str], book: Rulebook, now: datetime) -> Home:
    """What these reps own and are to answer, and what changed in the last 7 days."""
    with reading(engine) as db:
        at, names = _now(db, book, now), people.rep_names(db)
        owned = desks.owned(db, reps)
        open_flags = desks.of_accounts(db, owned)
        since = at.on - WEEK
        return Home(
            on=at.on,
            since=since,
            rep_name=next((names[rep] for rep in sorted(reps) if rep in names), None),
            accounts=_by_risk(at, owned, open_flags, names),
            flags=_lines(at, desks.of_reps(db, reps), names),
            changes=tuple(
                Change(
                    on=one.on,
                    account=one.account,
                    title=one.title,
                    state=one.state,
                    account_name=one.account_name,
                    severity=one.severity,
                )
                for one in desks.moved(db, owned, since)
            ),
        )


def why(engine: Engine, flag: int, book: Rulebook, now: datetime) -> Why:
    """Why this flag is up, and what changes by itself.

    Raises:
        Refused: there is no such flag, or its rule is not in force any more.
    """
    with reading(engine) as db:
        desk = desks.flag(db, flag)
        at = _now(db, book, now)
    if desk is None:
        raise Refused(NO_FLAG)
    if desk.rule not in {rule.id for rule in book.rules.rules}:
        raise Refused(f"The rule {desk.rule} is not in force any more: its flag ends by itself.")
    (found,) = explain(engine, desk.account, book, at.on, now, desk.rule, AHEAD)
    return Why(
        account=desk.account,
        on=at.on,
        rule=desk.rule,
        title=desk.title,
        conditions=found.conditions,
        account_name=desk.account_name,
        except_when=found.except_when,
        standing=standing(found.flag),
        who=found.who,
        clears=found.clears,
        ahead=ahead(found, AHEAD),
    )


def told(engine: Engine, flag: int, book: Rulebook, now: datetime) -> Told:
    """A live flag with the words of now, and its last answer.

    Raises:
        Refused: there is no such flag, or it is over.
    """
    with reading(engine) as db:
        desk = desks.flag(db, flag)
        live = flags.ask_live(db, [desk.account])() if desk else {}
        stored = live.get((desk.account, desk.rule)) if desk else None
        if stored is None or stored.id != flag:
            raise Refused(NO_FLAG)
        scene = look(db, stored.account, _now(db, book, now).on, book)
        alert = alert_now(scene, stored, stored.flag, AlertReason.OPENED)
        last = answers.last(db, [flag]).get(flag)
    assignee, quiet = stored.flag.assignee, stored.flag.quiet
    return Told(
        alert=alert,
        flag=flag,
        state=stored.flag.state,
        by=last.by if last else None,
        note=last.words if last else None,
        until=quiet.until if quiet else None,
        assignee=scene.rep_names.get(assignee, assignee) if assignee else None,
    )


def rep_choices(engine: Engine) -> list[Choice]:
    """The reps to whom a flag can be given, by name."""
    with reading(engine) as db:
        found = people.colleagues(db).values()
    choices = [Choice(id=one.rep, name=one.name, more=one.email) for one in found]
    return sorted(choices, key=lambda one: (one.name or one.id, one.id))


def _about(standing: Standing, on: date, rep_names: Mapping[str, str]) -> Alert:
    """What every alert says of an account."""
    return account_alert(AlertReason.RENEWAL, standing, "", on, rep_names)


def _lines(
    at: _Now, found: Collection[OnDesk], rep_names: Mapping[str, str]
) -> tuple[DigestLine, ...]:
    """Flags as they are now: the worst first, then by value at stake."""
    current = words_now(at.db, {(one.account, one.rule) for one in found}, at.book, at.on)
    accounts = {
        account: _about(Standing(one, {}), at.on, rep_names)
        for account, one in at.stats({one.account for one in found}).items()
    }
    lines = []
    for one in found:
        about = accounts[one.account]
        title, _ = current.get((one.account, one.rule), (one.title, ()))
        lines.append(
            DigestLine(
                account=one.account,
                title=title,
                account_name=one.account_name,
                mrr=about.mrr,
                currency=about.currency,
                renewal_date=about.renewal_date,
                rule=one.rule,
                severity=one.severity,
                flag=one.id,
                state=one.state,
            )
        )
    return tuple(sorted(lines, key=lambda line: (-_rank(line.severity), -(line.mrr or 0))))


def _by_risk(
    at: _Now, owned: Collection[str], found: Collection[OnDesk], rep_names: Mapping[str, str]
) -> tuple[AccountLine, ...]:
    """Accounts by their worst flag, then by how many, then by what they are worth."""
    lines = []
    for account, one in at.stats(owned).items():
        about = _about(Standing(one, {}), at.on, rep_names)
        severities = [flag.severity for flag in found if flag.account == account]
        lines.append(
            AccountLine(
                account=account,
                account_name=about.account_name,
                segment=about.segment,
                mrr=about.mrr,
                currency=about.currency,
                renewal_date=about.renewal_date,
                worst=max(severities, key=_rank, default=None),
                open=len(severities),
            )
        )
    return tuple(sorted(lines, key=lambda line: (-_rank(line.worst), -line.open, -(line.mrr or 0))))


def _rank(severity: Severity | None) -> int:
    return -1 if severity is None else severity.rank


def _ties(
    one: AccountStats, workspace: Workspace, on: date, rep_names: Mapping[str, str]
) -> tuple[TieLine, ...]:
    """The ties that still count for something, the strongest first."""
    known = {person.contact: person for person in one.contacts}
    found = []
    for rep, contact, state in one.ties:
        person = known[contact]
        of = strength(state, on.toordinal(), workspace.ties)
        if of.tier is Tier.NONE or person.gone or rep in workspace.gone_reps:
            continue
        line = TieLine(
            contact=contact,
            rep=rep,
            tier=of.tier,
            last=date.fromordinal(state.day),
            contact_name=person.name,
            title=person.title,
            rep_name=rep_names.get(rep),
        )
        found.append((-of.score, contact, rep, line))
    return tuple(line for *_, line in sorted(found, key=lambda each: each[:3]))
