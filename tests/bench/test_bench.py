"""The benchmarks run, and measure what they say they do."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from bench import (
    baseline,
    events,
    everything,
    floor,
    growth,
    latency,
    replay,
    stage,
    sweep,
    throughput,
)
from bench.__main__ import BENCHMARKS, QUICK, document
from bench.measure import Goal, Line, Report, interleaved, ratios, shown
from bench.stage import Stage
from worker.core.catalogue import Part
from worker.core.events import Quarantined, parse
from worker.core.rules import Mode
from worker.rulebooks.rulebook import read_rulebook
from worker.rulefiles import load
from worker.shipped import rules_dir

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
CROWD = events.vendor(20)


@pytest.fixture
def small(postgres_server: str, broker_url: str) -> Stage:
    return Stage(postgres_server, broker_url)


def silent(_: str) -> None:
    pass


@pytest.mark.parametrize(
    ("run", "size"),
    [
        (
            throughput.run,
            {"stored": 200, "number": 100, "fewer": 10, "customers": 20}
            | {"processes": (1,), "sizes": (20,)},
        ),
        (growth.run, {"few": 200, "many": 600, "number": 500, "customers": 20}),
        (sweep.run, {"accounts": 50}),
        (everything.run, {"accounts": 50}),
        (replay.run, {"stored": 300, "customers": 5}),
        (latency.run, {"rate": 40, "seconds": 1, "stored": 200, "customers": 20}),
    ],
)
def test_each_benchmark_measures_something(
    small: Stage, run: Callable[..., list[Report]], size: dict[str, Any]
) -> None:
    for report in run(small, silent, **size, runs=1):
        assert report.lines
        assert "{" not in report.method
        for line in report.lines:
            assert line.runs
            assert all(value > 0 for value in line.runs), line.what


def test_rules_on_every_part_have_every_part_read() -> None:
    for folder in (everything.thirty_rules(), everything.every_part()):
        with folder as rules:
            book = read_rulebook(Path(rules))
            assert book.reading.parts == frozenset(Part)
            assert book.reading.own == set(book.metrics.own)


def test_the_quick_benchmarks_are_all_of_them() -> None:
    assert QUICK.keys() == BENCHMARKS.keys()


def test_the_same_arguments_give_the_same_events() -> None:
    again = events.history(events.vendor(20), 500, NOW)
    assert list(events.history(CROWD, 500, NOW)) == list(again)


def test_tiewatch_accepts_every_event() -> None:
    made = [*events.history(CROWD, 2_000, NOW), *events.today(CROWD, 500, NOW)]
    made += events.yesterday(CROWD, 500, NOW)
    assert len({(event["source"], event["id"]) for event in made}) == 3_000
    assert not [
        one for one in (parse(event, NOW) for event in made) if isinstance(one, Quarantined)
    ]


def test_events_are_mostly_usage_in_order_of_time_and_of_this_day() -> None:
    made = events.today(CROWD, 1_000, NOW)
    times = [datetime.fromisoformat(event["time"]) for event in made]
    assert times == sorted(times)
    assert {time.date() for time in times} == {NOW.date()}
    assert 800 < sum(event["type"] == "usage" for event in made) < 900


def test_the_largest_tenth_of_accounts_makes_about_half_of_the_events() -> None:
    sizes = sorted((one.size for one in events.vendor(1_000).customers), reverse=True)
    assert 0.4 < sum(sizes[:100]) / sum(sizes) < 0.6


def test_rounds_are_interleaved() -> None:
    order: list[str] = []

    def measure(name: str, run: int) -> float:
        order.append(name)
        return run

    found = interleaved({name: partial(measure, name) for name in "ab"}, 3, silent)
    assert order == ["a", "b"] * 3
    assert found == {"a": (0.0, 1.0, 2.0), "b": (0.0, 1.0, 2.0)}


def test_ratios_are_of_the_same_round() -> None:
    assert ratios((10.0, 30.0), (5.0, 10.0)) == (2.0, 3.0)


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (Goal(at_least=60), True),
        (Goal(at_least=60.1), False),
        (Goal(at_most=60), True),
        (Goal(at_most=59.9), False),
        (None, None),
    ],
)
def test_a_goal_is_for_the_median(goal: Goal | None, met: bool | None) -> None:
    assert Line("", (1.0, 60.0, 900.0), "x", goal).met is met


def test_results_show_the_median_the_span_and_a_missed_goal() -> None:
    line = Line("fast", (1_000.0, 3_000.0, 2_000.0), "events/s", Goal(at_least=2_500))
    told = document(["a machine"], [Report("Speed", "How.", [line])])
    assert "| fast | 2,000 events/s | 1,000 – 3,000 | at least 2,500 | missed |" in told
    assert "- a machine" in told


@pytest.mark.parametrize(
    ("value", "text"), [(12_345.6, "12,346"), (99.94, "99.9"), (1.234, "1.23"), (0, "0.00")]
)
def test_numbers_are_shown_with_what_they_mean(value: float, text: str) -> None:
    assert shown(value) == text


@pytest.fixture(scope="module")
def kept(postgres_server: str) -> Iterator[dict[str, str]]:
    """Databases in which each of the three has taken the same events into the same state."""
    on, now = Stage(postgres_server, ""), stage.now()
    new = events.today(CROWD, 300, now)
    with (
        throughput.prepared(on, events.history(CROWD, 600, events.midnight(now)), now) as state,
        stage.database(on, state) as tiewatch,
        stage.database(on, state) as theirs,
        stage.database(on, state) as lowest,
    ):
        with stage.connected(tiewatch) as engine:
            stage.take(engine, "test", stage.batches(new, 100), stage.rulebook())
        with pytest.MonkeyPatch.context() as patch, stage.connected(theirs) as engine:
            patch.setattr(baseline, "engine", engine)
            for event in [*new, *new[:20]]:
                baseline.take.run(event)
        with psycopg.connect(
            sa.make_url(lowest).set(drivername="postgresql").render_as_string()
        ) as db:
            floor.take(db, stage.batches([*new, *new[:20]], 100))
        yield {"tiewatch": tiewatch, "baseline": theirs, "floor": lowest}


def rows(url: str, query: str) -> set[tuple[Any, ...]]:
    with stage.polled(url) as db:
        return {tuple(row) for row in db.execute(sa.text(query))}


def test_all_three_log_the_same_events_once(kept: dict[str, str]) -> None:
    logged = rows(kept["tiewatch"], "SELECT source, id, type, time, account FROM events")
    assert len(logged) == 900
    assert rows(kept["floor"], "SELECT source, id, type, time, account FROM events") == logged
    of_baseline = "SELECT source, id, type, time, account FROM baseline.events"
    assert rows(kept["baseline"], of_baseline) == logged


def test_all_three_count_the_same_usage(kept: dict[str, str]) -> None:
    days = rows(kept["tiewatch"], "SELECT account, day, count FROM usage_days")
    assert rows(kept["floor"], "SELECT account, day, count FROM usage_days") == days
    of_baseline = "SELECT account, day - date '0001-01-01' + 1, count FROM baseline.usage_days"
    assert rows(kept["baseline"], of_baseline) == days
    users = "SELECT account, contact, feature, day, uses FROM feature_days"
    assert rows(kept["floor"], users) == rows(kept["tiewatch"], users)


def test_the_baseline_knows_the_same_accounts_and_people(kept: dict[str, str]) -> None:
    for table, columns in (
        ("contacts", "account, contact, title, level, role"),
        ("accounts", "account, name, segment, owner, mrr, lifecycle"),
    ):
        known = rows(kept["tiewatch"], f"SELECT {columns} FROM {table}")
        assert rows(kept["baseline"], f"SELECT {columns} FROM baseline.{table}") == known


def test_the_baseline_keeps_the_same_ties_to_the_day(kept: dict[str, str]) -> None:
    known = rows(kept["tiewatch"], "SELECT account, rep, contact, day FROM ties")
    theirs = "SELECT account, rep, contact, day - date '0001-01-01' + 1 FROM baseline.ties"
    assert rows(kept["baseline"], theirs) == known


def test_the_baseline_raises_nearly_the_flags_that_tiewatch_raises(kept: dict[str, str]) -> None:
    told = [rule.id for rule in load(rules_dir()).rules if rule.mode is Mode.LIVE]
    named = ", ".join(f"'{rule}'" for rule in told)  # those in shadow need what it does not keep
    live = (
        f"SELECT account, rule FROM {{}} WHERE state IN ('pending', 'open') AND rule IN ({named})"
    )
    raised = rows(kept["tiewatch"], live.format("flags"))
    assert len(raised) > 10
    other = rows(kept["baseline"], live.format("baseline.flags")) ^ raised
    assert len(other) < len(raised) / 8  # its ties have no gates, and usage of today counts at once
