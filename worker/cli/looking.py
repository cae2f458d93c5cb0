"""Which accounts a command looks at, as of when, and what is known of them then."""

from collections.abc import Collection, Iterator
from datetime import date
from typing import Annotated

import typer
from sqlalchemy import Connection, Engine

from worker.cli.access import database
from worker.cli.terminal import Refused
from worker.core.reading import EVERYTHING
from worker.core.stats import AccountStats, Workspace
from worker.evaluating import healths, standings
from worker.rulebooks.rulebook import Rulebook
from worker.running import runtime
from worker.store import stats
from worker.store.database import reading, writing
from worker.store.ties import calibrate

ON = Annotated[str | None, typer.Option(help="As of the end of this date, from events up to then.")]
ACCOUNTS = Annotated[
    list[str] | None, typer.Argument(help="Account ids; none named means all of them.")
]
_CHUNK = 1_000


def read(
    accounts: Collection[str] | None, on: date, *, withhold: bool = False, change: bool = False
) -> tuple[list[AccountStats], Workspace]:
    """The stats of these accounts, or of all with an event by then, sorted by id, and what they
    share.

    With `withhold` the workspace says which facts cannot be told, since a source is silent, with
    `change` the stats have what the health score was 30 days before.

    Raises:
        Refused: there is no such account.
    """
    book = runtime.rulebook()
    found: dict[str, AccountStats] = {}
    with reading(calibrated(book)) as db:
        world = standings.workspace_on(db, book, on, withhold=withhold)
        for some in some_at_a_time(db, accounts, on):
            read = stats.read(db, some, on, book.ties.half_life, EVERYTHING, book.metrics)
            if change and book.health.parts:
                past = healths.past_scores(db, list(read), on, world, book.metrics, keep=False)
                for account, score in past.items():
                    read[account].past_health = score
            found |= read
    require(accounts, found)
    return [found[account] for account in sorted(found)], world


def calibrated(book: Rulebook) -> Engine:
    """The database, its ties brought to the half-life that the rules say."""
    engine = database()
    with writing(engine) as db:
        calibrate(db, book.ties.half_life)
    return engine


def some_at_a_time(
    db: Connection, accounts: Collection[str] | None, on: date
) -> Iterator[list[str]]:
    """The ids of these accounts, or of all with an event by then, sorted, in parts that fit in
    memory."""
    ids = sorted(set(accounts)) if accounts else sorted(stats.account_ids(db, on))
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def require(accounts: Collection[str] | None, found: Collection[str]) -> None:
    """See to it that every account that was named has been found.

    Raises:
        Refused: there is no such account.
    """
    missing = sorted(set(accounts or ()).difference(found))
    if missing:
        raise Refused(f"There is no account {missing[0]!r}: 'tiewatch facts' lists all of them.")
