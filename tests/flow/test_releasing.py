"""What has waited is taken in step by step, once, whatever happens between two steps."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.flow.test_identity import DAY, facts, mail
from tests.flow.test_merging import RULES, emptied
from tests.histories import RECEIVED, Raw
from tests.pipeline import event, flags, rows, rulebook
from worker import tasks
from worker.arrivals import Batch, BatchResult
from worker.capture.retrying import retry
from worker.celery_app import DEMO_NOW
from worker.core.mapping import Capture
from worker.ingest import TryAgain, ingest
from worker.releasing import give_up, release
from worker.rulebook import Rulebook
from worker.store import batches, overdue, quarantine, tables, waiting
from worker.store.batches import Counts
from worker.store.database import reading, writing
from worker.store.workspace import make_demo

ONE_DAY = timedelta(1)


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    return rulebook(tmp_path, RULES)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> int:
    """Few enough for tests to see several steps."""
    monkeypatch.setattr(waiting, "AT_ONCE", 3)
    return 3


def arrive(engine: Engine, book: Rulebook, batch: str, *events: Raw, **how: bool) -> BatchResult:
    return ingest(engine, Batch(batch, events, **how), book, RECEIVED)


def steps(engine: Engine, book: Rulebook) -> list[Counts]:
    """What each step takes in, until nothing is left."""
    found = []
    while (done := release(engine, book, RECEIVED)) is not None:
        found.append(done.counts)
    return found


def some_mails() -> list[Raw]:
    """To a customer alone, to two of them, and to one with somebody of nobody's."""
    days = [date.fromordinal(DAY.toordinal() - number) for number in range(11)]
    found = [mail(day, contacts=["dana@acme.example"]) for day in days[:5]]
    found += [mail(day, contacts=["dana@acme.example", "bo@birch.example"]) for day in days[5:9]]
    return found + [mail(day, contacts=["lee@acme.example", "x@y.example"]) for day in days[9:]]


BIRCH = event("account", DAY - ONE_DAY, account="Birch", domains=["birch.example"])
ACME = event("account", DAY - ONE_DAY, domains=["acme.example"])


def test_much_that_has_waited_is_taken_in_step_by_step_and_comes_to_the_same(
    engine: Engine, book: Rulebook, at_once: int
) -> None:
    mails = some_mails()
    arrive(engine, book, "mails", *mails)
    known = arrive(engine, book, "birch", BIRCH)
    assert (known.counts, known.unreleased) == (Counts(4, 4), True)  # with itself
    assert steps(engine, book) == [Counts(1, 1)]
    told = arrive(engine, book, "acme", ACME)
    assert (told.counts, told.unreleased) == (Counts(4, 4), True)
    again = arrive(engine, book, "again", *mails)  # before all of them are in
    assert again.counts == Counts(11, 4, duplicates=7)
    assert steps(engine, book) == [Counts(3, 0, 3), Counts(1, 0, 1)]
    found = facts(engine)

    emptied(engine)
    arrive(engine, book, "all", BIRCH, ACME, *mails)
    assert found == facts(engine)
    assert len(rows(engine, tables.waiting_mails)) == 2


def test_a_step_that_breaks_off_is_as_if_it_had_not_begun(
    engine: Engine, book: Rulebook, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(engine, book, "mails", *some_mails())
    arrive(engine, book, "acme", ACME)
    before = facts(engine), rows(engine, tables.waiting_mails), rows(engine, tables.waiting_keys)
    with monkeypatch.context() as broken:
        broken.setattr(batches, "applied", lambda *_: 1 / 0)
        with pytest.raises(TryAgain):
            release(engine, book, RECEIVED)
    after = facts(engine), rows(engine, tables.waiting_mails), rows(engine, tables.waiting_keys)
    assert before == after
    assert sum(one.applied for one in steps(engine, book)) == 8
    assert release(engine, book, RECEIVED) is None


@pytest.mark.parametrize("backfill", [True, False])
def test_steps_after_a_backfill_raise_no_flags_one_by_one(
    engine: Engine, tmp_path: Path, at_once: int, backfill: bool
) -> None:
    rule = "rules: [{id: met, title: Met, severity: low, when: {days_since_contact: known}}]\n"
    book = rulebook(tmp_path, rule)
    arrive(engine, book, "mails", *some_mails())
    arrive(engine, book, "acme", ACME, backfill=backfill)
    steps(engine, book)
    assert flags(engine) == ({} if backfill else {"acme": ["met"]})


def test_an_address_that_only_a_rep_has_releases_nothing(
    engine: Engine, book: Rulebook, at_once: int
) -> None:
    arrive(engine, book, "mails", *(mail(contacts=["sam@ours.example"]) for _ in range(5)))
    rep = event("rep", DAY, account=None, rep="sam", email="sam@ours.example")
    assert not arrive(engine, book, "rep", rep).unreleased
    assert release(engine, book, RECEIVED) is None
    assert len(rows(engine, tables.waiting_mails)) == 5


LONGEST = timedelta(days=30)


def test_what_waits_for_too_long_goes_to_quarantine_with_what_it_has_waited_for(
    engine: Engine, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue, "AT_ONCE", 1)
    mails = [mail(contacts=["x@gmail.com", "dana@acme.example"]), mail(contacts=["y@b.example"])]
    used = event("usage", DAY, account=None, user="lee") | {"tiewatchmember": "lee"}
    arrive(engine, book, "waits", *mails, used)
    assert give_up(engine, LONGEST, RECEIVED + LONGEST) == 0
    assert give_up(engine, LONGEST, RECEIVED + LONGEST + timedelta(seconds=1)) == 3
    for table in (tables.waiting_mails, tables.waiting_keys, tables.waiting_events):
        assert rows(engine, table) == []
    kept = {row["event_id"]: row for row in rows(engine, tables.quarantine)}
    assert kept.keys() == {mails[0]["id"], mails[1]["id"], used["id"]}
    reason = kept[mails[0]["id"]]["problems"]
    assert "waited for 30 days" in reason
    assert 'whose \\"acme.example\\" or \\"x@gmail.com\\" is' in reason
    assert 'account user \\"lee\\"' in kept[used["id"]]["problems"]
    assert json.loads(kept[used["id"]]["body"]) == used


def test_what_has_been_given_up_is_taken_in_again_once_it_is_known_whose_it_is(
    engine: Engine, book: Rulebook
) -> None:
    arrive(engine, book, "waits", mail(contacts=["dana@acme.example"]))
    give_up(engine, LONGEST, RECEIVED + 2 * LONGEST)
    arrive(engine, book, "acme", ACME)
    with reading(engine) as db:
        entries = list(quarantine.kept(db))
    [again] = retry(
        engine, entries, Capture(), RECEIVED, lambda id_, events: arrive(engine, book, id_, *events)
    )
    assert again.taken_in == 1
    assert [row["contact"] for row in rows(engine, tables.tie_days)] == ["dana@acme.example"]


def test_what_counts_for_some_of_its_people_is_not_given_up_nor_what_is_to_be_released(
    engine: Engine, book: Rulebook, at_once: int
) -> None:
    arrive(engine, book, "mails", ACME, mail(contacts=["dana@acme.example", "x@y.example"]))
    assert give_up(engine, LONGEST, RECEIVED + 2 * LONGEST) == 0
    arrive(engine, book, "more", *(mail(contacts=["bo@birch.example"]) for _ in range(5)))
    assert arrive(engine, book, "birch", BIRCH).unreleased
    assert give_up(engine, LONGEST, RECEIVED + 2 * LONGEST) == 0
    assert sum(one.applied for one in steps(engine, book)) == 2


def test_in_a_demo_what_has_waited_is_taken_in_at_the_demos_time(
    engine: Engine, book: Rulebook, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, str]] = []
    monkeypatch.setattr(tasks, "engine", lambda: engine)
    monkeypatch.setattr(tasks, "with_rules_in_force", lambda work: work(book))
    monkeypatch.setattr(
        tasks.release_waiting, "apply_async", lambda headers=None, **_: asked.append(headers or {})
    )
    with writing(engine) as db:
        make_demo(db)
    time = {DEMO_NOW: RECEIVED.isoformat()}
    for some in (some_mails(), [ACME]):
        tasks.ingest_batch.apply((some,), headers=time)
    while asked:
        tasks.release_waiting.apply(headers=asked.pop())
    assert [row["finished_at"] for row in rows(engine, tables.batches)] == [RECEIVED] * 5
    assert len(rows(engine, tables.events)) == 1 + 11
