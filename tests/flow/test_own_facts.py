"""Admins' own facts: the SQL of a measure is what counting rows one by one gives, and a rule on
one opens its flag."""

import gc
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.histories import ACCOUNTS, CONTACTS, TODAY, any_history, parsed
from tests.pipeline import event, flags, rows, rulebook, sweep, take_in
from worker.core.additions import additions
from worker.core.catalogue import Fact
from worker.core.facts import facts_of
from worker.core.measures import AMOUNTS, FIELDS, Measure, Source
from worker.core.memory import Memory
from worker.core.metrics import Metrics, OwnFact
from worker.core.reading import EVERYTHING
from worker.core.ties import TieSettings
from worker.core.units import Unit
from worker.rulebooks.rulebook import Rulebook
from worker.store import event_log, stats, tables
from worker.store.fold import fold

SETTINGS = TieSettings()
VALUES = {
    "feature": ("api", "board", "export", "x'y"),
    "user": CONTACTS,
    "channel": ("email", "meeting", "call"),
    "direction": ("inbound", "outbound", "mutual"),
    "priority": ("high",),
    "topic": ("billing",),
    "defect": ("true", "false"),
    "kind": ("nps", "csat", "perception"),
    "answer": ("promoter", "detractor", "satisfied", "positive"),
    "contact": CONTACTS,
}


@st.composite
def measures(draw: st.DrawFn) -> Measure:
    source = draw(st.sampled_from(Source))
    fields = draw(st.sets(st.sampled_from(sorted(FIELDS[source])), max_size=2))
    where = tuple(
        (name, tuple(sorted(draw(st.sets(st.sampled_from(VALUES[name]), min_size=1)))))
        for name in sorted(fields)
    )
    days = draw(st.sampled_from([1, 7, 30, 31, 90, 365]))
    skip = draw(st.sampled_from([0, 0, 30]))
    return Measure(source, draw(st.sampled_from(sorted(AMOUNTS[source]))), days, where, skip)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=any_history, some=st.lists(measures(), min_size=1, max_size=8, unique=True))
def test_a_measure_in_sql_is_the_measure_of_the_rows_one_by_one(
    engine: Engine, history: list[dict[str, object]], some: list[Measure]
) -> None:
    own = {
        f"m{n}": OwnFact(Fact(f"m{n}", Unit.COUNT, "", "", ""), measure)
        for n, measure in enumerate(some)
    }
    metrics, memory = Metrics(own=own), Memory()
    with engine.connect() as db:  # and roll back
        fresh, _ = event_log.append(db, parsed(history))()
        fold(db, additions(fresh), SETTINGS.half_life, TODAY, own).rest()()
        memory.add(additions(fresh))
        world = stats.read_workspace(db, SETTINGS)
        for on in (TODAY, TODAY - timedelta(31), TODAY + timedelta(1)):
            stored = stats.read(db, ACCOUNTS, on, SETTINGS.half_life, EVERYTHING, metrics)
            for name, one in stored.items():
                kept = memory.stats(name, on.toordinal(), SETTINGS.half_life, EVERYTHING, metrics)
                assert one.measures == kept.measures
                found = facts_of(one, on.toordinal(), world, metrics)
                assert found == facts_of(kept, on.toordinal(), world, metrics)


RULES = """\
rules:
  - id: few-exports
    title: "{report exports 30d} exports"
    severity: low
    when: {report exports 30d: fewer than 3, exports a user: under 2}
"""
METRICS = """\
facts:
  report exports 30d: {count: usage, where: {feature: report_export}, over: 30 days}
  exporters 30d: {distinct: users, of: usage, where: {feature: report_export}, over: 30 days}
  exports a user: {ratio: report exports 30d, to: exporters 30d}
"""


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "metrics.yaml").write_text(METRICS)
    return rulebook(tmp_path, RULES)


def test_a_rule_on_an_own_fact_opens_and_resolves_its_flag(engine: Engine, book: Rulebook) -> None:
    used = {"user": "dana", "feature": "report_export"}
    take_in(engine, book, TODAY, event("usage", TODAY - timedelta(1), **used))
    assert flags(engine) == {"acme": ["few-exports"]}
    (flag,) = rows(engine, tables.flags)
    assert flag["title"] == "1 exports"
    late = event("usage", TODAY - timedelta(3), **used, count=2)
    take_in(engine, book, TODAY, late)
    assert flags(engine) == {}
    sweep(engine, book, TODAY + timedelta(28))
    assert flags(engine) == {"acme": ["few-exports"]}
    sweep(engine, book, TODAY + timedelta(30))  # nobody exports any more: the ratio is unknown
    assert [row["state"] for row in rows(engine, tables.flags)] == ["resolved", "open"]


def test_a_batch_leaves_no_rubbish_for_the_garbage_collector(
    engine: Engine, book: Rulebook
) -> None:
    used = {"user": "dana", "feature": "report_export"}
    take_in(engine, book, TODAY, event("usage", TODAY - timedelta(1), **used))
    gc.collect()
    gc.disable()
    try:
        for account in map(str, range(5)):
            one = event("usage", TODAY - timedelta(2), account=account, **used)
            take_in(engine, book, TODAY, one)
        assert gc.collect() == 0
    finally:
        gc.enable()
