"""The demo's year: repeatable, valid, and told as its stories promise, by the real evaluation."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Connection

from worker.core.additions import additions
from worker.core.events import Event, parse
from worker.core.titles import EXEC_LEVELS, level_of
from worker.demo.cast import COUNTRIES, REPS, STEADY
from worker.demo.simulation import HISTORY_DAYS, LAST_DAY, first_day, simulate
from worker.demo.stories import ACCOUNTS, STORIES
from worker.demo.story import ADOPTION, FALLING, RENEWAL, SINGLE, Story
from worker.evaluating.evaluation import evaluate
from worker.rulebooks.rulebook import read_rulebook
from worker.shipped import rules_dir
from worker.store import event_log, flag_lists, stats
from worker.store.database import engine_for, reading, writing
from worker.store.fold import fold

pytestmark = pytest.mark.timeout(300)  # a year is a quarter of a minute's work, on an idle machine

Days = list[tuple[date, list[dict[str, Any]]]]
RULES = {RENEWAL, SINGLE, ADOPTION, FALLING}


class Told(NamedTuple):
    """What came of the year: the (rule, state) of each flag by account, and who owns it."""

    flags: dict[str, list[tuple[str, str]]]
    owners: dict[str, str]


@pytest.fixture(scope="module")
def days() -> Days:
    return list(simulate())


@pytest.fixture(scope="module")
def told(days: Days, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The history at once, then every day: its events, and the rules at its end."""
    file = shutil.copy(sqlite_template, tmp_path_factory.mktemp("year") / "tiewatch.db")
    engine = engine_for(f"sqlite:///{file}")
    book = read_rulebook(rules_dir())
    with writing(engine) as db:
        history = [event for _, events in days[:HISTORY_DAYS] for event in events]
        _take_in(db, history, days[HISTORY_DAYS - 1][0], book.ties.half_life)
    for day, events in days[HISTORY_DAYS:]:
        with writing(engine) as db:
            _take_in(db, events, day, book.ties.half_life)
            evaluate(db, stats.account_ids(db, day), day, book, _end_of(day))
    with reading(engine) as db:
        rows = flag_lists.listed(db, states=("open", "resolved"))
        accounts = stats.read(db, [each.id for each in ACCOUNTS], LAST_DAY, book.ties.half_life)
    engine.dispose()
    by_account = defaultdict(list)
    for row in rows:
        by_account[row["account"]].append((row["rule"], str(row["state"])))
    return Told(by_account, {name: each.owner or "" for name, each in accounts.items()})


def _take_in(db: Connection, raw: list[dict[str, Any]], day: date, half_life: int) -> None:
    events = [one for one in (parse(each, _end_of(day)) for each in raw) if isinstance(one, Event)]
    fresh, conflicts = event_log.append(db, events)()
    assert len(fresh) == len(raw)
    assert not conflicts
    fold(db, additions(fresh), half_life, day, ()).rest()()


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59), UTC)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.title)
def test_a_story_raises_what_it_promises_once_each_and_nothing_else(
    story: Story, told: Told
) -> None:
    promised = [(rule, "open") for rule in story.raises]
    promised += [(rule, "resolved") for rule in story.raised]
    assert sorted(told.flags.get(story.account.id, [])) == sorted(promised)


def test_customers_well_looked_after_are_never_flagged(told: Told) -> None:
    flagged = {each.name: told.flags[each.id] for each in STEADY if each.id in told.flags}
    assert flagged == {}


def test_the_year_ends_with_a_day_s_work_for_every_rep_of_the_team(told: Told) -> None:
    open_flags = [
        (told.owners[account], rule)
        for account, found in told.flags.items()
        for rule, state in found
        if state == "open"
    ]
    assert 12 <= len(open_flags) <= 25
    assert {rule for _, rule in open_flags} == RULES
    per_rep = Counter(rep for rep, _ in open_flags)
    assert len(per_rep) >= 5
    assert max(per_rep.values()) <= 6


def test_flags_are_the_exception(told: Told) -> None:
    assert 55 <= len(ACCOUNTS) <= 65
    assert len(told.flags) < len(ACCOUNTS) / 2


def test_every_event_is_valid_and_lies_in_its_day_in_order_of_time(days: Days) -> None:
    seen = set()
    for day, events in days:
        parsed = [parse(event, _end_of(day)) for event in events]
        assert [one for one in parsed if not isinstance(one, Event)] == []
        times = [one.time for one in parsed if isinstance(one, Event)]
        assert times == sorted(times)
        assert {moment.date() for moment in times} <= {day}
        seen |= {(event["source"], event["id"]) for event in events}
    assert len(seen) == sum(len(events) for _, events in days)


def test_the_same_seed_gives_the_same_bytes_in_any_process(days: Days) -> None:
    code = (
        "import hashlib, json; from worker.demo.simulation import simulate;"
        "print(hashlib.sha256(json.dumps([e for _, e in simulate()]).encode()).hexdigest())"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": "4711"},
        cwd=rules_dir().parent,
        capture_output=True,
        text=True,
        check=True,
    )
    here = hashlib.sha256(json.dumps([events for _, events in days]).encode()).hexdigest()
    assert elsewhere.stdout.strip() == here


def test_another_seed_moves_the_year_and_leaves_the_cast(days: Days) -> None:
    other = list(islice(simulate(seed=8), 30))
    assert [events for _, events in other] != [events for _, events in days[:30]]
    assert _people(other[0][1]) == _people(days[0][1])


def _people(events: list[dict[str, Any]]) -> list[Any]:
    return [event["data"] for event in events if event["type"] in ("rep", "account", "contact")]


def test_a_shorter_year_has_the_same_end_and_brings_its_own_history() -> None:
    short = list(simulate(last_day=date(2026, 3, 31), days=10))
    assert len(short) == HISTORY_DAYS + 10
    assert short[HISTORY_DAYS][0] == first_day(date(2026, 3, 31), 10) == date(2026, 3, 22)
    assert short[-1][0] == date(2026, 3, 31)
    gone = [event for _, events in short for event in events if event["data"].get("left")]
    assert {event["data"].get("rep") or event["data"]["contact"] for event in gone} == {
        "callum", "rosalind-teague", "gwen-farrow", "bernard-inglesby",
    }  # fmt: skip


def test_weekends_are_quiet_and_the_year_is_of_a_size_to_watch(days: Days) -> None:
    year = days[HISTORY_DAYS:]
    assert 40_000 <= sum(len(events) for _, events in year) <= 60_000
    by_weekday: Counter[int] = Counter()
    for day, events in year:
        by_weekday[day.weekday()] += len(events)
    assert by_weekday[5] + by_weekday[6] < by_weekday[0] / 2


def test_a_colleague_s_title_makes_nobody_an_executive() -> None:
    titles = {title for home in COUNTRIES.values() for title in home.titles if title}
    assert [title for title in titles if level_of(title) in EXEC_LEVELS] == []


def test_every_series_names_people_and_reps_of_the_cast() -> None:
    reps = {rep.id for rep in REPS}
    for account in ACCOUNTS:
        people = {person.name for person in account.people}
        assert len(people) == len(account.people)
        assert account.owner in reps
        for series in account.talks:
            assert {*series.contacts, *series.cc} <= people
            assert series.rep in reps
    assert len({account.id for account in ACCOUNTS}) == len(ACCOUNTS)
