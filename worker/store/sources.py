"""On which days which source delivered what: how long each has been silent, and normally is.

There is a row for each day, not a last day that every batch would wait to write.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, delete

from worker.core.freshness import Silence, Source, Sources
from worker.store.dialect import execute, execute_among, execute_rows
from worker.store.tables import silent_sources

Delivered = tuple[str, int, str]
"""(source, day, type): that a source delivered an event of this type dated on this day."""


def note(db: Connection, delivered: Iterable[Delivered]) -> None:
    """Keep what has been delivered.

    To be called before accounts are locked: the first of a day's batches makes others wait here.
    """
    execute_rows(
        db,
        "INSERT INTO source_days (source, day, type) SELECT source, day, type FROM {rows} "
        "WHERE true ON CONFLICT (source, day, type) DO NOTHING",
        {"source": "text", "day": "int", "type": "text"},
        sorted(delivered),
    )


class Heard(NamedTuple):
    """Which listed sources are over their gap, and which of them were not, or are not any more.

    `began` and `ended` are told by what has been kept; a silence that ended is given by its source
    and the day of the last event before it.
    """

    silences: tuple[Silence, ...]
    began: tuple[Silence, ...]
    ended: tuple[tuple[str, date], ...]


def ask_heard(db: Connection, sources: Sources, on: date) -> Callable[[], Heard]:
    """Ask how things stand on a day; the function returned waits for the answer.

    A source that has never delivered anything is not silent: there is nothing that has stopped.
    """
    rows = [
        (one.name, kind, one.gap) for one in sources.values() for kind in (one.events or (None,))
    ]
    found = execute_rows(
        db,
        """
        SELECT r.source, q.since_day, EXISTS (
            SELECT 1 FROM source_days d WHERE d.source = r.source AND d.day >= :on - r.gap
                AND (r.kind IS NULL OR d.type = r.kind)
        ) FROM {rows} LEFT JOIN silent_sources q ON q.source = r.source AND NOT q.is_back
        """,
        {"source": "text", "kind": "text", "gap": "int"},
        rows,
        on=on.toordinal(),
    )
    return lambda: _heard(db, sources, found)


def _heard(db: Connection, sources: Sources, rows: Iterable[tuple[str, int | None, bool]]) -> Heard:
    known: dict[str, int | None] = {}
    fresh: set[str] = set()
    for source, since_day, is_fresh in rows:
        known[source] = since_day
        if is_fresh:
            fresh.add(source)
    quiet = [sources[name] for name in known.keys() - fresh]
    silences = tuple(_silences(db, quiet)) if quiet else ()
    ended = [
        (source, date.fromordinal(since))
        for source, since in known.items()
        if since is not None and source in fresh
    ]
    began = [silence for silence in silences if known[silence.source] is None]
    return Heard(silences, tuple(began), tuple(sorted(ended)))


def _silences(db: Connection, quiet: Iterable[Source]) -> Iterable[Silence]:
    last = last_days(db, [source.name for source in quiet])
    for source in sorted(quiet, key=lambda one: one.name):
        of = {kind: day for kind, day in last.get(source.name, {}).items()
              if not source.events or kind in source.events}  # fmt: skip
        if of:
            since = date.fromordinal(max(of.values()))
            yield Silence(source.name, since, source.gap, frozenset(source.events or of))


def names(db: Connection) -> list[str]:
    """Every source that has ever delivered anything, in order."""
    return sorted(name for (name,) in execute(db, "SELECT DISTINCT source FROM source_days"))


def last_days(db: Connection, sources: Iterable[str]) -> dict[str, dict[str, int]]:
    """The last day (an ordinal) on which each of these sources delivered events of each type."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for source, kind, day in execute_among(
        db,
        "SELECT source, type, max(day) FROM source_days WHERE source {among} GROUP BY source, type",
        sources,
    ):
        found[source][kind] = day
    return found


def keep(db: Connection, heard: Heard) -> None:
    """Remember which silences have begun and ended, so that they are told once."""
    if heard.began:
        execute_rows(
            db,
            "INSERT INTO silent_sources (source, since_day) SELECT source, since_day FROM {rows} "
            "WHERE true ON CONFLICT (source) DO UPDATE SET "
            "since_day = excluded.since_day, is_back = false",
            {"source": "text", "since_day": "int"},
            [(one.source, one.since.toordinal()) for one in heard.began],
        )
    if heard.ended:
        execute_among(
            db,
            "UPDATE silent_sources SET is_back = true WHERE source {among}",
            [source for source, _ in heard.ended],
        )


def forget_returned(db: Connection) -> dict[str, date]:
    """Forget the sources that are back; returns the day of the last event before each silence."""
    gone = db.execute(
        delete(silent_sources)
        .where(silent_sources.c.is_back)
        .returning(silent_sources.c.source, silent_sources.c.since_day)
    )
    return {source: date.fromordinal(since) for source, since in sorted(gone.all())}


def all_days(db: Connection) -> dict[str, dict[int, set[str]]]:
    """What types of events each source delivered on each day (an ordinal), in order of day."""
    found: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for source, day, kind in execute(
        db, "SELECT source, day, type FROM source_days ORDER BY source, day"
    ):
        found[source][day].add(kind)
    return found
