"""Sweeps: every account once a day, in shards, and the word to its owner before a renewal."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests import plain_reading
from tests.histories import ACCOUNTS, TODAY, Raw, histories
from tests.pipeline import (
    alerts,
    at,
    event,
    flags,
    meeting,
    rows,
    rulebook,
    sweep,
    sweep_shards,
    take_in,
)
from worker.core.alerts import AlertReason
from worker.evaluating import sweeps
from worker.evaluating.sweeps import MILESTONES, SweepRefused, Swept
from worker.intake.arrivals import Batch
from worker.intake.ingest import ingest
from worker.rulebooks.rulebook import Rulebook
from worker.store import merges, tables
from worker.store import sweeps as sweeps_store
from worker.store.database import reading, writing
from worker.tasks import LEASE

D = date(2026, 2, 18)

SILENCE = """
rules:
  - id: silence
    title: "No contact for {days_since_contact}"
    severity: medium
    when: {days_since_contact: over 5 days}
"""


@pytest.fixture
def book(tmp_path) -> Rulebook:
    return rulebook(tmp_path, SILENCE)


def begin(engine: Engine, day: date, slot: str = "one") -> int | None:
    return sweeps.open_sweep(engine, "daily", slot, day, at(day, 6))


def shards(engine: Engine, id_: int) -> list[int]:
    return [row["shard"] for row in rows(engine, tables.sweep_shards) if row["sweep"] == id_]


def state(engine: Engine) -> dict[str, Any]:
    """All that a sweep may move."""
    moved = (tables.flags, tables.flag_history, tables.outbox)
    return {table.name: rows(engine, table) for table in moved}


# What is swept, and when


def test_a_sweep_sees_what_only_midnight_changes(engine, book):
    take_in(engine, book, D, meeting(D), meeting(D - timedelta(1), account="birch"))
    assert sweep(engine, book, D + timedelta(5)) == Swept(2, opened=1, resolved=0, alerts=1)
    assert sweep(engine, book, D + timedelta(6)) == Swept(2, opened=1, resolved=0, alerts=1)
    assert [(one.account, one.on) for one in alerts(engine)] == [
        ("birch", D + timedelta(5)),
        ("acme", D + timedelta(6)),
    ]


def test_every_account_is_swept_once_however_many_shards_they_make(engine, book, monkeypatch):
    monkeypatch.setattr(sweeps, "SHARD_SIZE", 2)
    names = ["a", "B", "b", "é", "z'z", "😀", "0", " "]
    take_in(engine, book, D, *(meeting(D - timedelta(9), account=name) for name in names))
    later = D + timedelta(1)
    id_ = begin(engine, later)
    assert id_ is not None
    assert len(shards(engine, id_)) == 4
    assert sweep_shards(engine, book, id_, at(later)).accounts == len(names)
    assert flags(engine) == {name: ["silence"] for name in sorted(names)}


def test_an_account_that_comes_while_a_sweep_runs_is_swept_with_it(engine, book, monkeypatch):
    monkeypatch.setattr(sweeps, "SHARD_SIZE", 1)
    old = D - timedelta(4)
    take_in(engine, book, D, meeting(old, account="b"), meeting(old, account="d"))
    later = D + timedelta(2)
    id_ = begin(engine, later)
    assert id_ is not None
    for name in ("a", "c", "e"):
        take_in(engine, book, D, meeting(old, account=name))
    assert sweep_shards(engine, book, id_, at(later)).accounts == 5
    assert list(flags(engine)) == ["a", "b", "c", "d", "e"]


def test_an_empty_workspace_can_be_swept(engine, book):
    assert sweep(engine, book, D) == Swept(0, 0, 0, 0)


def test_sweeping_twice_changes_nothing(engine, book):
    take_in(engine, book, D, meeting(D), event("account", D, renewal_date=str(D + timedelta(36))))
    day = D + timedelta(6)
    assert sweep(engine, book, day).alerts == 2
    before = state(engine)
    assert sweep(engine, book, day) == Swept(1, 0, 0, 0)
    assert state(engine) == before


def test_the_same_slot_is_swept_once(engine, book):
    assert begin(engine, D) is not None
    assert begin(engine, D) is None
    assert begin(engine, D + timedelta(1)) is None
    assert begin(engine, D + timedelta(1), "two") is not None
    assert len(rows(engine, tables.sweeps)) == 2


def test_a_date_before_the_last_sweep_is_refused_with_the_dates(engine, book):
    sweep(engine, book, D)
    with pytest.raises(SweepRefused, match=f"{D}.*{D - timedelta(1)}"):
        begin(engine, D - timedelta(1))
    assert [row["on_date"] for row in rows(engine, tables.sweeps)] == [D]
    assert begin(engine, D) is not None


def test_a_shard_is_in_one_pair_of_hands_until_its_lease_ends(engine, book):
    id_ = begin(engine, D)
    assert id_ is not None
    now = at(D, 6)
    with engine.begin() as db:  # takes the shard, and dies
        assert sweeps_store.lease(db, id_, 0, now, LEASE) is not None
    assert sweeps.sweep_shard(engine, id_, 0, book, now, LEASE) is None
    with reading(engine) as db:
        assert sweeps_store.waiting(db, now, sweeps.MAX_STARTS) == []
        after = now + LEASE + timedelta(seconds=1)
        assert sweeps_store.waiting(db, after, sweeps.MAX_STARTS) == [(id_, 0)]
    assert sweeps.sweep_shard(engine, id_, 0, book, after, LEASE) == Swept(0, 0, 0, 0)
    assert sweeps.sweep_shard(engine, id_, 0, book, after, LEASE) is None


def test_a_shard_for_which_others_take_long_is_as_if_nobody_had_begun_with_it(
    postgresql_engine, book
):
    engine = postgresql_engine
    take_in(engine, book, D, meeting(D - timedelta(9)))
    later = at(D + timedelta(1))
    id_ = begin(engine, later.date())
    assert id_ is not None
    with writing(engine) as other:
        merges.take_turn(other, alone=True)
        assert sweeps.sweep_shard(engine, id_, 0, book, later, LEASE, within=1) is None
    (shard,) = rows(engine, tables.sweep_shards)
    assert (shard["starts"], shard["leased_until"], shard["error"]) == (0, None, None)
    assert sweep_shards(engine, book, id_, later).accounts == 1


def test_a_shard_that_fails_is_given_back_and_given_up_in_the_end(engine, book, monkeypatch):
    take_in(engine, book, D, meeting(D - timedelta(4)))
    day = D + timedelta(2)
    id_ = begin(engine, day)
    assert id_ is not None

    def fail(*_args: object, **_more: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(sweeps, "evaluate", fail)
    for _ in range(sweeps.MAX_STARTS):
        with reading(engine) as db:
            assert sweeps_store.waiting(db, at(day), sweeps.MAX_STARTS) == [(id_, 0)]
        with pytest.raises(RuntimeError, match="no"):
            sweeps.sweep_shard(engine, id_, 0, book, at(day), LEASE)
    with reading(engine) as db:
        assert sweeps_store.waiting(db, at(day), sweeps.MAX_STARTS) == []
        assert sweeps_store.failed(db, sweeps.MAX_STARTS) == [(day, 0, "RuntimeError: no")]
    assert rows(engine, tables.flags) == []


def test_a_shard_swept_after_the_next_sweep_does_not_take_flags_back_in_time(engine, book):
    late = begin(engine, D, "one")
    take_in(engine, book, D, meeting(D - timedelta(5)))
    sweep(engine, book, D + timedelta(1))
    assert flags(engine, "open") == {"acme": ["silence"]}
    assert late is not None
    sweep_shards(engine, book, late, at(D + timedelta(1), 23))
    assert flags(engine, "open") == {"acme": ["silence"]}
    assert [one.reason for one in alerts(engine)] == [AlertReason.OPENED]


def test_a_shard_swept_after_midnight_does_not_undo_what_that_days_events_did(engine, book):
    late = begin(engine, D)
    next_day = D + timedelta(1)
    take_in(engine, book, next_day, meeting(D - timedelta(5)))
    assert flags(engine, "open") == {"acme": ["silence"]}
    assert late is not None
    sweep_shards(engine, book, late, at(next_day, 13))
    assert flags(engine, "open") == {"acme": ["silence"]}
    assert [one.reason for one in alerts(engine)] == [AlertReason.OPENED]


# Renewal checks

RENEWAL = D + timedelta(100)


def checks(engine: Engine) -> list[tuple[int, date]]:
    """(days left, renewal date) of each renewal check so far."""
    return [
        ((one.renewal_date - one.on).days, one.renewal_date)
        for one in alerts(engine)
        if one.reason is AlertReason.RENEWAL and one.renewal_date is not None
    ]


def renews(engine: Engine, book: Rulebook, renewal: date = RENEWAL, **more: Any) -> None:
    take_in(engine, book, D, event("account", D, name="Acme", renewal_date=str(renewal), **more))


def sweep_when_left(engine: Engine, book: Rulebook, *days: int) -> None:
    for left in days:
        sweep(engine, book, RENEWAL - timedelta(left))


def test_the_owner_is_told_90_60_30_15_and_7_days_before_a_renewal(engine, book):
    renews(engine, book)
    sweep_when_left(engine, book, *(m + by for m in MILESTONES for by in (1, 0, -1)))
    assert [left for left, _ in checks(engine)] == [90, 60, 30, 15, 7]


def test_every_day_of_a_quarter_brings_five_checks(sqlite_engine, book):
    renews(sqlite_engine, book)
    sweep_when_left(sqlite_engine, book, *range(95, -3, -1))
    assert [left for left, _ in checks(sqlite_engine)] == [90, 60, 30, 15, 7]


def test_a_milestone_of_a_day_without_a_sweep_is_told_on_the_next(engine, book):
    renews(engine, book)
    sweep_when_left(engine, book, 91, 89, 62, 58, 57)
    assert [left for left, _ in checks(engine)] == [89, 58]


def test_of_two_milestones_missed_together_one_check_is_told(engine, book):
    renews(engine, book)
    sweep_when_left(engine, book, 91, 20)
    assert [left for left, _ in checks(engine)] == [20]


def test_another_renewal_date_has_milestones_of_its_own(engine, book):
    renews(engine, book)
    sweep_when_left(engine, book, 90, 89)
    moved = RENEWAL + timedelta(10)
    take_in(engine, book, D, event("account", D, renewal_date=str(moved)))
    sweep_when_left(engine, book, *range(88, 78, -1))
    assert checks(engine) == [(90, RENEWAL), (90, moved)]


def test_a_renewal_date_that_moves_away_and_back_is_told_once_a_milestone(engine, book):
    renews(engine, book)
    sweep_when_left(engine, book, 90)
    for days in (10, 0):
        change = event("account", D, renewal_date=str(RENEWAL + timedelta(days)))
        take_in(engine, book, D, change)
    sweep_when_left(engine, book, 90, 89)
    assert checks(engine) == [(90, RENEWAL)]


def test_who_has_churned_has_no_renewal_to_check(engine, book):
    renews(engine, book, lifecycle="churned")
    sweep_when_left(engine, book, 90)
    assert checks(engine) == []


def test_a_renewal_gone_by_is_not_checked(sqlite_engine, book):
    renews(sqlite_engine, book, D - timedelta(7))
    sweep_when_left(sqlite_engine, book, *range(100, 0, -7))
    assert checks(sqlite_engine) == []


def test_a_term_that_ends_is_a_renewal_too(engine, book):
    term = {"term_start": str(D), "term_end": str(RENEWAL)}
    take_in(engine, book, D, event("subscription", D, subscription="s", status="started", **term))
    sweep_when_left(engine, book, 91, 90)
    assert checks(engine) == [(90, RENEWAL)]


def test_a_check_tells_the_owner_what_is_open_and_how_the_account_stands(sqlite_engine, book):
    engine = sqlite_engine
    renews(engine, book, owner="sam", segment="enterprise", mrr=500, seats=2)
    contact = event("contact", D, contact="dana", title="CIO")
    take_in(engine, book, D, contact, meeting(D), event("usage", D, user="lee"))
    sweep_when_left(engine, book, 91, 90)
    check = alerts(engine)[-1]
    assert (check.reason, check.rule, check.severity) == (AlertReason.RENEWAL, None, None)
    assert (check.title, check.owner, check.account_name) == ("Renews in 90 days", "sam", "Acme")
    assert [(one.rule, one.title) for one in check.open_flags] == [
        ("silence", "No contact for 10 days")
    ]
    said = "\n".join(check.why)
    for fact in ("last contact with an executive: 10 days ago", "users with a tie", "adoption"):
        assert fact in said


def test_a_check_of_an_account_with_nothing_open_says_so_by_an_empty_list(sqlite_engine, book):
    renews(sqlite_engine, book)
    sweep_when_left(sqlite_engine, book, 90)
    (check,) = alerts(sqlite_engine)
    assert check.open_flags == ()


def test_a_flag_that_only_waits_is_not_among_what_is_open(sqlite_engine, tmp_path):
    waits = rulebook(tmp_path, SILENCE + "    hold_for: 9 days\n", "waits")
    renews(sqlite_engine, waits)
    last = RENEWAL - timedelta(97)
    take_in(sqlite_engine, waits, last, meeting(last))
    sweep_when_left(sqlite_engine, waits, 91, 90)
    assert flags(sqlite_engine) == {"acme": ["silence"]}
    assert alerts(sqlite_engine)[-1].open_flags == ()


# Events as they come and a sweep a day miss nothing: held against every rule worked out anew, by
# its sentence, after each day's events and at each day's end.

RULES = """
rules:
  - id: silent
    title: Silent
    severity: low
    when: {days_since_contact: over 4 days}
  - id: single
    title: Single
    severity: low
    when: {strong_exec_ties: fewer than 1, known_execs: at least 1}
    hold_for: 2 days
    keep_open_for: 3 days
    except_when: {lifecycle: [trial, churned]}
  - id: falling
    title: Falling
    severity: low
    when: {usage_change: at most -20%}
    hold_for: 1 day
    keep_open_for: 1 day
  - id: renewal
    title: Renewal
    severity: low
    when:
      any: [{days_to_renewal: between 0 days and 30 days}, {adoption: at least 75%}]
    keep_open_for: 2 days
    except_when: {days_since_inbound: at most 3 days}
"""

Facts = dict[str, Any]
Outcome = bool | None


def _if(value: Any, holds: Callable[[Any], bool]) -> Outcome:
    return None if value is None else holds(value)


def _either(one: Outcome, other: Outcome) -> Outcome:
    if one or other:
        return True
    return None if None in (one, other) else False


def _both(one: Outcome, other: Outcome) -> Outcome:
    if False in (one, other):
        return False
    return None if None in (one, other) else True


def _never(_: Facts) -> Outcome:
    return False


@dataclass(frozen=True)
class Plain:
    """A rule as its sentence says it."""

    when: Callable[[Facts], Outcome]
    hold: int = 0
    keep: int = 0
    unless: Callable[[Facts], Outcome] = _never


PLAIN = {
    "silent": Plain(lambda f: _if(f["days_since_contact"], lambda days: days > 4)),
    "single": Plain(
        lambda f: _both(
            _if(f["strong_exec_ties"], lambda ties: ties < 1),
            _if(f["known_execs"], lambda known: known >= 1),
        ),
        hold=2,
        keep=3,
        unless=lambda f: f["lifecycle"] in ("trial", "churned"),
    ),
    "falling": Plain(lambda f: _if(f["usage_change"], lambda by: by <= -20), hold=1, keep=1),
    "renewal": Plain(
        lambda f: _either(
            _if(f["days_to_renewal"], lambda days: 0 <= days <= 30),
            _if(f["adoption"], lambda percent: percent >= 75),
        ),
        keep=2,
        unless=lambda f: _if(f["days_since_inbound"], lambda days: days <= 3),
    ),
}


@dataclass
class Expected:
    """The flag that one rule should have on one account, told from the list of its outcomes."""

    rule: Plain
    seen: list[tuple[date, bool]] = field(default_factory=list)
    opened: date | None = None
    resolved: date | None = None
    told: list[tuple[AlertReason, date]] = field(default_factory=list)

    def evaluate(self, facts: Facts, on: date) -> None:
        outcome = self.rule.when(facts)
        if self.rule.unless(facts):
            self._close(on)
            self.seen = []
        elif outcome is not None:
            self.seen.append((on, outcome))
            since = min(day for day, _ in self._run())
            if outcome and not self.opened and (on - since).days >= self.rule.hold:
                self._open(on)
            if not outcome and self.opened and (on - since).days >= self.rule.keep:
                self._close(on)

    def _run(self) -> list[tuple[date, bool]]:
        """The last outcomes that are all the same."""
        changes = [n for n, (a, b) in enumerate(pairwise(self.seen), 1) if a[1] != b[1]]
        return self.seen[changes[-1] :] if changes else self.seen

    def _open(self, on: date) -> None:
        soon = self.resolved is not None and (on - self.resolved).days <= 7
        self.opened = on
        self.told.append((AlertReason.REOPENED if soon else AlertReason.OPENED, on))

    def _close(self, on: date) -> None:
        if self.opened:
            self.told.append((AlertReason.RESOLVED, on))
            self.opened, self.resolved = None, on


DAYS = 20


def arriving(history: list[Raw], chance: Random) -> dict[int, list[Raw]]:
    """The events by the day on which they come, counted back from TODAY; some come late."""
    days: dict[int, list[Raw]] = {}
    for raw in history:
        happened = (TODAY - plain_reading._day(raw)).days
        late = chance.choice([0, 0, 0, 1, 5])
        days.setdefault(min(max(happened - late, -1), DAYS), []).append(raw)
    return days


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), seed=st.integers(0, 2**32))
def test_events_as_they_come_and_a_sweep_a_day_miss_nothing(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, history: list[Raw], seed: int
) -> None:
    with engine.begin() as db:
        for table in reversed(tables.metadata.sorted_tables):
            db.execute(table.delete())
        db.execute(tables.workspace.insert().values(id=1))
    book = rulebook(tmp_path_factory.mktemp("book"), RULES)
    expected = {(a, r): Expected(PLAIN[r]) for a in ACCOUNTS for r in PLAIN}
    days, known = arriving(history, Random(seed)), list[Raw]()
    for ago in range(DAYS, -3, -1):
        on = TODAY - timedelta(ago)
        new = days.get(ago, [])
        known += new
        # One batch a day, as usage of the day itself is not evaluated before the day's end.
        ingest(engine, Batch(f"day {on}", new), book, at(on, 22))
        of = {raw["subject"] for raw in known if raw["type"] != "rep"}
        touched = {raw["subject"] for raw in new if raw["type"] != "rep"}
        for account in [*sorted(touched), *sorted(of)]:
            facts = plain_reading.facts(known, account, on, known)
            for rule in PLAIN:
                expected[account, rule].evaluate(facts, on)
        sweep(engine, book, on)
        live = {(a, r) for a, found in flags(engine, "open").items() for r in found}
        assert live == {key for key, one in expected.items() if one.opened}, on
    told: dict[tuple[str, str], list[tuple[AlertReason, date]]] = {}
    for alert in alerts(engine):
        if alert.rule:
            told.setdefault((alert.account, alert.rule), []).append((alert.reason, alert.on))
    assert told == {key: one.told for key, one in expected.items() if one.told}
