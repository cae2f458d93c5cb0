"""The health score in the database: as it was kept, made anew, and told part by part."""

from datetime import date, timedelta

import pytest

from tests.pipeline import at, event, flags, meeting, rows, rulebook, sweep, take_in
from worker.explaining.explain import explain
from worker.store import tables

START = date(2026, 1, 5)
DAY = timedelta(days=1)

RULES = """
rules:
  - id: falling
    title: "{health_change_30d}"
    severity: high
    when: {health_change_30d: at most -40}
"""
HEALTH = """
bands: {good: 100, poor: 20}
parts:
  relationship:
    weight: 1
    facts: {days_since_contact: {good: at most 20 days, poor: otherwise}}
"""


@pytest.fixture
def book(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "health.yaml").write_text(HEALTH, encoding="utf-8")
    return rulebook(tmp_path, RULES)


def kept(engine) -> dict[tuple[str, int], int | None]:
    first = START.toordinal()
    return {
        (row["account"], row["day"] - first): row["score"]
        for row in rows(engine, tables.health_days)
    }


def test_sweeps_keep_scores_and_the_fall_is_told_against_them(engine, book):
    take_in(engine, book, START, meeting(START))
    for days in (0, 20, 21, 29):
        sweep(engine, book, START + days * DAY)
    assert flags(engine) == {}
    assert {day: score for (_, day), score in kept(engine).items() if day >= 0} == {
        0: 100, 20: 100, 21: 20, 29: 20}  # fmt: skip
    sweep(engine, book, START + 30 * DAY)
    assert flags(engine) == {"acme": ["falling"]}
    assert rows(engine, tables.flags)[0]["title"] == "-80"
    sweep(engine, book, START + 51 * DAY)
    assert flags(engine) == {}


def test_a_score_that_no_sweep_kept_is_made_anew_once(engine, book):
    take_in(
        engine, book, START + 30 * DAY, meeting(START), event("account", START, account="birch")
    )
    sweep(engine, book, START + 30 * DAY)
    assert flags(engine) == {"acme": ["falling"]}
    assert kept(engine) == {
        ("acme", 0): 100, ("acme", 30): 20, ("birch", 0): 20, ("birch", 30): 20,
    }  # fmt: skip


def test_a_batch_takes_what_is_kept(engine, book):
    take_in(engine, book, START, meeting(START))
    sweep(engine, book, START)
    late = START + 30 * DAY
    take_in(engine, book, late, event("account", late, name="Acme"))
    assert flags(engine) == {"acme": ["falling"]}


def test_what_comes_late_changes_the_scores_of_its_day_and_later(engine, book):
    """History in two parts: the first sweep must not settle what the second says of the past."""
    now = START + 30 * DAY
    take_in(engine, book, now, event("account", START), event("account", START, account="birch"))
    sweep(engine, book, now)
    assert flags(engine) == {}
    take_in(engine, book, now, meeting(START))
    sweep(engine, book, now)
    assert flags(engine) == {"acme": ["falling"]}
    assert kept(engine)["acme", 0] == 100
    assert kept(engine)["birch", 0] == 20


@pytest.mark.parametrize(("late", "left"), [(0, {0, 1, 2}), (1, {0, 1}), (2, set())])
def test_what_comes_within_a_day_leaves_the_score_of_its_day_alone(engine, book, late, left):
    """A load of every night would else have each score of all accounts made twice."""
    take_in(engine, book, START, meeting(START - DAY))
    for days in range(3):
        sweep(engine, book, START + days * DAY)
    take_in(engine, book, START + 2 * DAY, meeting(START + (2 - late) * DAY))
    assert {day for _, day in kept(engine) if day >= 0} == left


def test_other_settings_make_past_scores_anew(engine, book, tmp_path):
    take_in(engine, book, START, meeting(START))
    sweep(engine, book, START)
    text = HEALTH.replace("poor: 20", "poor: 70")
    (tmp_path / "rules" / "health.yaml").write_text(text, encoding="utf-8")
    changed = rulebook(tmp_path, RULES)
    assert changed.digest != book.digest
    sweep(engine, changed, START + 30 * DAY)
    assert flags(engine) == {}
    assert kept(engine)["acme", 30] == 70


def test_scores_are_forgotten_when_nobody_asks_for_them_any_more(engine, book):
    take_in(engine, book, START, meeting(START))
    sweep(engine, book, START)
    sweep(engine, book, START + 61 * DAY)
    assert ("acme", 0) not in kept(engine)
    assert ("acme", 31) in kept(engine)


def test_an_explanation_looks_ahead_with_the_scores_to_come(engine, book):
    take_in(engine, book, START, meeting(START))
    sweep(engine, book, START)
    (one,) = explain(engine, "acme", book, START, at(START), "falling")
    assert one.outcome is None
    change = one.outcome_change
    assert change is not None
    assert (change.on, change.outcome) == (START + 30 * DAY, True)
