"""Backtest equals live: events that are replayed raise the flags that they raised day by day."""

import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.histories import TODAY, Raw, histories, parsed
from tests.pipeline import at, event, meeting, rows, rulebook, sweep
from worker.backtest.replay import Period, Raised, replay
from worker.intake.arrivals import Batch
from worker.intake.ingest import ingest
from worker.rulebooks.rulebook import Rulebook
from worker.store import rereading, tables
from worker.store.database import engine_for, reading

DAY = timedelta(days=1)

RULES = """
thresholds:
  quiet after: {enterprise: 10 days, default: 20 days}
rules:
  - id: quiet
    title: "{days_since_contact}"
    severity: medium
    when: {days_since_contact: over quiet after}
    hold_for: 2 days
    keep_open_for: 3 days
    except_when: {lifecycle: [trial, churned]}
  - {id: untied, title: t, severity: low, when: {user_ties: 0}, mode: shadow}
  - {id: one-sided, title: t, severity: low, when: {days_since_inbound: over 30 days}}
  - {id: thin, title: t, severity: high, when: {strong_exec_ties: 0, known_execs: at least 1}}
  - {id: cooling, title: t, severity: high, when: {usage_change: at most -20%}, hold_for: 1 day}
  - {id: unused, title: t, severity: low, when: {adoption: under 50%}, keep_open_for: 5 days}
  - {id: renewing, title: t, severity: low, when: {days_to_renewal: between 0 days and 45 days}}
  - id: nested
    title: t
    severity: low
    when:
      any:
        - {active_days_30d: fewer than 2}
        - not: {mrr: at most $100}
"""

TIES = "half_life: 20 days\n"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "rules").mkdir()
    (folder / "rules" / "ties.yaml").write_text(TIES)
    return rulebook(folder, RULES)


def lived(engine: Engine, book: Rulebook, events: Sequence[Raw], last: date) -> list[tuple]:
    """Send the events in day by day, with a sweep at each day's end; all flags that opened."""
    by_day: dict[date, list[Raw]] = defaultdict(list)
    for raw, one in zip(events, parsed(list(events)), strict=True):
        by_day[one.time.date()].append(raw)
    for on in days(min(by_day), last):
        if on in by_day:
            done = ingest(engine, Batch(f"day {on}", by_day[on]), book, at(on, 22))
            assert done.counts.applied == len(by_day[on])
        sweep(engine, book, on)
    opened = [row for row in rows(engine, tables.flags) if row["opened_on"] is not None]
    names = ("account", "rule", "first_true_on", "opened_on", "resolved_on")
    return sorted(tuple(row[name] for name in names) for row in opened)


def backtested(engine: Engine, book: Rulebook, last: date) -> list[Raised]:
    with reading(engine) as db:
        (found,) = replay(logged(db, last), [book], Period(last - 30 * DAY, last))
    return list(found.raised)


def logged(db, last: date) -> Iterator:
    return rereading.everything(db, datetime.combine(last + DAY, time(), at(last).tzinfo))


def days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + number * DAY


def dates(raised: Sequence[Raised]) -> list[tuple]:
    key = [(r.account, r.rule, r.first_true_on, r.opened_on, r.resolved_on) for r in raised]
    return sorted(key)


@settings(max_examples=12)
@given(history=histories(), within=st.sampled_from([40, 75, 110]))
def test_a_replayed_log_raises_the_flags_that_it_raised_live(
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    book: Rulebook,
    history: list[Raw],
    within: int,
) -> None:
    recent = [
        raw
        for raw, one in zip(history, parsed(history), strict=True)
        if one.time.date() >= TODAY - within * DAY
    ]
    if not recent:
        return
    file = tmp_path_factory.mktemp("lived") / "tiewatch.db"
    shutil.copy(sqlite_template, file)
    engine = engine_for(f"sqlite:///{file}")
    last = TODAY + 15 * DAY
    live = lived(engine, book, recent, last)
    assert dates(backtested(engine, book, last)) == live
    engine.dispose()


def story(start: date) -> list[Raw]:
    return [
        event("account", start, owner="sam", segment="enterprise"),
        event("contact", start, contact="dana", title="CIO"),
        *(meeting(start + timedelta(n)) for n in (0, 2, 4, 17)),
        *(event("usage", start + timedelta(n), user="lee", count=3) for n in range(0, 30, 3)),
        event("account", start + 20 * DAY, account="birch", renewal_date=str(start + 70 * DAY)),
    ]


def test_both_databases_replay_what_they_lived(engine: Engine, book: Rulebook) -> None:
    start = date(2026, 1, 5)
    live = lived(engine, book, story(start), start + 50 * DAY)
    found = backtested(engine, book, start + 50 * DAY)
    assert dates(found) == live
    assert ("acme", "quiet", start + 28 * DAY, start + 30 * DAY, None) in live
    assert {one.owner for one in found if one.account == "acme"} == {"sam"}
    assert {one.rule for one in found} >= {"cooling", "renewing", "untied", "nested"}


def test_a_backtest_writes_nothing(engine: Engine, book: Rulebook) -> None:
    start = date(2026, 1, 5)
    ingest(engine, Batch("b", story(start), backfill=True), book, at(start + 40 * DAY))
    assert backtested(engine, book, start + 50 * DAY)
    assert rows(engine, tables.flags) == rows(engine, tables.outbox) == []


def test_the_log_is_read_in_order_of_time_then_id_then_source(
    engine: Engine, book: Rulebook
) -> None:
    day = date(2026, 1, 5)
    moments = [("09:00:00Z", "b", "x"), ("09:00:00Z", "B", "y"), ("09:00:00Z", "b", "X")]
    moments += [
        ("10:30:00+02:00", "é", "x"),
        ("23:59:59.999999Z", "a", "x"),
        ("00:00:00Z", "z", "x"),
    ]
    raw = [
        event("account", day, name="Acme", extra=[1]) | {"time": f"{day}T{t}", "id": i, "source": s}
        for t, i, s in moments
    ]
    tomorrow = event("account", day + DAY) | {"time": f"{day + DAY}T00:00:00Z"}
    for number, one in enumerate([*raw, tomorrow]):
        ingest(engine, Batch(f"b{number}", [one], backfill=True), book, at(day))
    with reading(engine) as db:
        found = list(logged(db, day))
    assert [(one.id, one.source) for one in found] == [
        *(("z", "x"), ("é", "x"), ("B", "y"), ("b", "X"), ("b", "x"), ("a", "x"))
    ]
    assert found == sorted(parsed(raw), key=lambda one: (one.time, one.id, one.source))
