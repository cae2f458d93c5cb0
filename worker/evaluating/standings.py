"""How accounts stand on a date: their stats, and their facts as far as these can be told.

What a silent source withholds and what the health score was 30 days before are put together with
the stats here, so that whoever evaluates accounts or speaks of them sees the same facts.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import Connection

from worker.core.facts import facts_of_all
from worker.core.rules import Rule
from worker.core.stats import AccountStats, Workspace
from worker.core.units import Value
from worker.evaluating import freshness, healths
from worker.rulebooks.rulebook import Rulebook
from worker.store import stats as stats_store


@dataclass(frozen=True, slots=True)
class Standing:
    """An account on a date: its stats, its facts, and the rules of its flags that are up."""

    stats: AccountStats
    facts: Mapping[str, Value]
    open: list[Rule] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Read:
    """What has been read of accounts as of a UTC date, and what they all share."""

    stats: Mapping[str, AccountStats]
    workspace: Workspace
    book: Rulebook
    on: date

    def standings(self) -> Iterator[tuple[str, Standing]]:
        """Each account with its facts."""
        all_of_them, metrics = self.stats.values(), self.book.metrics
        found = facts_of_all(all_of_them, self.on.toordinal(), self.workspace, metrics)
        for (account, one), facts in zip(self.stats.items(), found, strict=True):
            yield account, Standing(one, facts)


def ask(
    db: Connection,
    accounts: Collection[str],
    on: date,
    book: Rulebook,
    now: datetime,
    known: Workspace | None = None,
    *,
    sweeping: bool,
) -> Callable[[], Read]:
    """Ask how accounts stand, but for the workspace if it is known; the function returned waits.

    It tells the admins of sources that have gone silent, or are back. A sweep also makes those
    health scores of the past anew that are not kept.
    """
    workspace: Callable[[], Workspace] = (
        (lambda: known) if known else stats_store.ask_workspace(db, book.ties)
    )
    withheld = freshness.ask_withheld(db, book.sources, book.metrics.facts, on, now)
    past = healths.ask_past(db, accounts, on, book, sweeping=sweeping)
    stats = stats_store.ask(db, accounts, on, book.ties.half_life, book.reading, book.metrics)

    def answer() -> Read:
        world = replace(workspace(), withheld=withheld(), health=book.health)
        return _read(stats(), past(world), world, book, on)

    return answer


def read(
    db: Connection, accounts: Collection[str], on: date, book: Rulebook, *, sweeping: bool = False
) -> Read:
    """How accounts stand as of a date. It tells nobody, and changes nothing but what a sweep does:
    to make those health scores of the past anew that are not kept."""
    world = workspace_on(db, book, on, withhold=True)
    past = healths.ask_past(db, accounts, on, book, sweeping=sweeping)(world)
    return read_in(db, accounts, on, book, world, past)


def workspace_on(db: Connection, book: Rulebook, on: date, *, withhold: bool) -> Workspace:
    """What all accounts share on a date; with `withhold`, which facts cannot be told that day."""
    own = book.metrics.facts
    withheld = freshness.withheld_today(db, book.sources, own, on) if withhold else {}
    return replace(stats_store.read_workspace(db, book.ties), withheld=withheld, health=book.health)


def read_in(
    db: Connection,
    accounts: Collection[str],
    on: date,
    book: Rulebook,
    world: Workspace,
    past: Mapping[str, int | None],
) -> Read:
    """The same, where the workspace and the health scores of 30 days before are known."""
    found = stats_store.read(db, accounts, on, book.ties.half_life, book.reading, book.metrics)
    return _read(found, past, world, book, on)


def _read(
    stats: Mapping[str, AccountStats],
    past: Mapping[str, int | None],
    world: Workspace,
    book: Rulebook,
    on: date,
) -> Read:
    for account, one in stats.items():
        one.past_health = past.get(account)
    return Read(stats, world, book, on)
