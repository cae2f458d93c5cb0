"""Which facts cannot be told today since a source is silent, and who hears of that.

Evaluation asks this for today only: the past is what has been delivered of it since.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime

from sqlalchemy import Connection, Engine

from worker.core.alerts import Alert, AlertReason
from worker.core.catalogue import Fact
from worker.core.freshness import Silence, Sources, withheld
from worker.store import outbox, sources
from worker.store import sweeps as sweeps_store
from worker.store.database import writing
from worker.store.sources import Heard
from worker.store.sweeps import SHARD_SIZE

RETURN = "return"
"""The kind of the sweeps that a source's return begins."""


def ask_withheld(
    db: Connection, listed: Sources, own: Collection[Fact], on: date, now: datetime
) -> Callable[[], Mapping[str, str]]:
    """Ask which facts, the admins' `own` included, cannot be told on a day, each with the reason.

    Of days gone by all can. The function returned waits, and tells the admins what has changed.
    """
    if not listed or on < now.date():
        return dict
    found = sources.ask_heard(db, listed, on)

    def answer() -> Mapping[str, str]:
        heard = found()
        if heard.began or heard.ended:
            _tell(db, heard, on, now)
        return withheld(heard.silences, own)

    return answer


def sweep_after_returns(engine: Engine, now: datetime) -> int | None:
    """Begin a sweep of all accounts if a source is back: their facts are known again.

    Its id, or None.
    """
    with writing(engine) as db:
        back = sources.forget_returned(db)
        slot = ", ".join(f"{source} after {since}" for source, since in back.items())
        on = max(now.date(), sweeps_store.last_sweep_on(db) or now.date())
        return sweeps_store.open_sweep(db, RETURN, slot, on, SHARD_SIZE, now) if back else None


def withheld_today(
    db: Connection, listed: Sources, own: Collection[Fact], today: date
) -> Mapping[str, str]:
    """The facts that cannot be told today, each with the reason; changes nothing."""
    return withheld(sources.ask_heard(db, listed, today)().silences, own) if listed else {}


def _tell(db: Connection, heard: Heard, on: date, now: datetime) -> None:
    """Tell the admins once of each silence, and once of its end."""
    sources.keep(db, heard)
    told = [(f"source/{one.source}/silent/{one.since}", _is_silent(one, on)) for one in heard.began]
    told += [
        (f"source/{source}/back/{since}", _is_back(source, since, on))
        for source, since in heard.ended
    ]
    outbox.put(db, told, now)


def _is_silent(one: Silence, on: date) -> Alert:
    facts = list(withheld([one]))
    return Alert(
        reason=AlertReason.SOURCES,
        account="",
        on=on,
        title=one.reason,
        why=(f"Unknown until it is back: {', '.join(facts)}",) if facts else (),
        advice="Look at the sync; 'tiewatch sources' says when it is back.",
    )


def _is_back(source: str, since: date, on: date) -> Alert:
    return Alert(
        reason=AlertReason.SOURCES,
        account="",
        on=on,
        title=f"{source} is back, after nothing since {since:%d %b %Y}",
        why=("Every account is evaluated again; a backlog counts as it comes in.",),
    )
