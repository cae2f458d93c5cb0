"""The weekly summary: what managers should see of their people's accounts, once a local week."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from worker.core.accounts import Account, account_of
from worker.core.bundles import Kind
from worker.core.cards import Weekly
from worker.core.muting import CHURNED
from worker.core.quiet import released
from worker.core.reading import BASE
from worker.core.routing import Reps, managers
from worker.core.stats import AccountStats
from worker.core.subscriptions import terms_on
from worker.core.telling import Telling
from worker.core.weeks import Raised, is_empty, summary, week_due
from worker.delivering.placing import zone_of
from worker.evaluating.alerting import words_now
from worker.rulebooks.rulebook import Rulebook
from worker.store import messages, people, stats, weeks
from worker.store.database import writing
from worker.store.messages import New, rep

LATE = timedelta(days=2)
"""How long a summary may be late, after an outage, say; later than that it is left out."""

CHUNK = 1_000
"""Accounts that are read at a time."""
MOST_SHOWN = 20
"""Flags at most that a message has room for."""

MOST_UNOWNED = 1_000
"""Accounts named at most: a message has room for the first few of them."""

NOTHING = "nothing happened in the week"


def plan_weeks(engine: Engine, now: datetime, book: Rulebook) -> int:
    """Plan the summaries that are due and that nobody has planned; how many messages this made."""
    telling = book.telling
    if telling.weekly_on is None:
        return 0
    with writing(engine) as db:
        reps = people.reps(db)
        due = _due(managers(reps), reps, telling, now)
        known = weeks.planned(db, (key for key, *_ in due.values()))
        left = {who: found for who, found in due.items() if found[0] not in known}
        if not left:
            return 0
        return messages.put(db, list(_weeks(db, left, reps, book, now)), now)


_Due = tuple[str, date, datetime, frozenset[str]]
"""The key of a summary, its local day, when it leaves, and the reps it is about."""


def _due(
    teams: Mapping[str, frozenset[str]], reps: Reps, telling: Telling, now: datetime
) -> dict[str, _Due]:
    """By manager, what is due now, or was a short while ago."""
    found = {}
    for who, team in teams.items():
        zone = zone_of(rep(who), reps, telling)
        day, at = week_due(now, telling.weekly_on or 0, telling.digest_at, zone)
        if now - at <= LATE:
            key = f"weekly/{day}/{rep(who)}"
            found[who] = (key, day, released(max(at, now), telling.quiet, zone), team | {who})
    return found


def _weeks(
    db: Connection,
    due: Mapping[str, _Due],
    reps: Reps,
    book: Rulebook,
    now: datetime,
) -> Iterator[New]:
    half_life, growth = book.ties.half_life, book.rules.growth
    flags = weeks.raised(db, min(day for _, day, *_ in due.values()) - timedelta(days=7))
    accounts = _accounts(db, flags, now.date(), half_life)
    unowned = _unowned(db, reps, now.date(), half_life)
    for who, (key, day, due_at, team) in due.items():
        # Whoever has nobody above sees to it that accounts have an owner.
        above = reps[who].manager
        week = summary(day, team, flags, accounts, [] if above in reps else unowned, growth)
        week = _in_words_of_today(db, week, book, now.date())
        yield New(
            key=key,
            recipient=rep(who),
            account="",
            bundle=f"weekly/{day}",
            kind=Kind.WEEKLY,
            body=msgspec.json.encode(week).decode(),
            due_at=due_at,
            why="they manage reps",
            dropped=NOTHING if is_empty(week) else None,
        )


def _in_words_of_today(db: Connection, week: Weekly, book: Rulebook, on: date) -> Weekly:
    """The summary with what its first flags say now: one that has been open for weeks was stored
    with the days of then."""
    first, others = week.unacknowledged[:MOST_SHOWN], week.unacknowledged[MOST_SHOWN:]
    now = words_now(db, {(one.account.id, one.rule or "") for one in first}, book, on)
    told = (
        replace(one, title=now.get((one.account.id, one.rule or ""), (one.title,))[0])
        for one in first
    )
    return replace(week, unacknowledged=(*told, *others))


def _unowned(db: Connection, reps: Reps, on: date, half_life: int) -> list[str]:
    """Names of the accounts that nobody owns, by name, as of the UTC date: those that are
    customers still, of which the subscriptions tell as well."""
    names: list[str] = []
    ids = weeks.unowned(db, reps.keys())
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        found = stats.read(db, some, on, half_life, BASE)
        names += (
            found[id_].name or id_ for id_ in some if id_ in found and not _churned(found[id_], on)
        )
        if len(names) >= MOST_UNOWNED:
            break
    return names[:MOST_UNOWNED]


def _churned(one: AccountStats, on: date) -> bool:
    told = one.lifecycle or terms_on(one.contracts.subscriptions, on.toordinal()).lifecycle
    return told == CHURNED


def _accounts(
    db: Connection, flags: Iterable[Raised], on: date, half_life: int
) -> dict[str, Account]:
    """The accounts that have one of these flags, as of the UTC date."""
    ids = sorted({flag.account for flag in flags})
    found: dict[str, Account] = {}
    for start in range(0, len(ids), CHUNK):
        some = stats.read(db, ids[start : start + CHUNK], on, half_life, BASE)
        found |= {account: account_of(one, on, {}) for account, one in some.items()}
    return found
