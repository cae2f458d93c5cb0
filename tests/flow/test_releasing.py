"""What has waited is taken in step by step, once, whatever happens between two steps."""

import json
from collections import Counter
from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from tests.flow.test_identity import CLAIMS, DAY, facts, mail, mails, under_ids
from tests.flow.test_members import calls, known, told_plainly
from tests.flow.test_merging import RULES, emptied
from tests.histories import RECEIVED, Raw, arrivals
from tests.pipeline import event, flags, meeting, rows, rulebook
from worker import tasks
from worker.capture.retrying import retry
from worker.celery_app import DEMO_NOW
from worker.core.mapping import Capture
from worker.intake import listening, releasing
from worker.intake.arrivals import Batch, BatchResult
from worker.intake.ingest import TryAgain, ingest, ingest_as_one
from worker.intake.releasing import give_up, release
from worker.rulebooks.rulebook import Rulebook
from worker.store import batches, merges, overdue, quarantine, tables, waiting
from worker.store.batches import Counts
from worker.store.database import reading, writing
from worker.store.event_log import CONFLICT
from worker.store.rebuilding import Rebuilt, rebuild
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
    """What each step takes in, until nothing is left; each must ask for the next."""
    found = []
    while (done := release(engine, book, RECEIVED)) is not None:
        found.append(done.counts)
        with reading(engine) as db:
            assert done.unreleased == (waiting.next_step(db) is not None)
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
    sent = some_mails()
    arrive(engine, book, "mails", *sent)
    birch = arrive(engine, book, "birch", BIRCH)
    assert (birch.counts, birch.unreleased) == (Counts(4, 4), True)  # with itself
    assert steps(engine, book) == [Counts(1, 1)]
    told = arrive(engine, book, "acme", ACME)
    assert (told.counts, told.unreleased) == (Counts(4, 4), True)
    again = arrive(engine, book, "again", *sent)  # before all of them are in
    assert again.counts == Counts(11, 4, duplicates=7)
    assert sum(steps(engine, book), Counts()) == Counts(4, 0, duplicates=4)
    found = facts(engine)
    assert len(rows(engine, tables.waiting_mails)) == 2

    emptied(engine)
    arrive(engine, book, "all", BIRCH, ACME, *sent)
    assert found == facts(engine)


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


def test_what_waits_for_an_account_said_in_history_and_in_passing_is_released_each_in_its_way(
    engine: Engine, tmp_path: Path, at_once: int
) -> None:
    rule = "rules: [{id: met, title: Met, severity: low, when: {days_since_contact: known}}]\n"
    book = rulebook(tmp_path, rule)
    arrive(engine, book, "acme's", *(mail(contacts=["dana@acme.example"]) for _ in range(9)))
    arrive(engine, book, "birch's", *(mail(contacts=["bo@birch.example"]) for _ in range(9)))
    assert arrive(engine, book, "acme", ACME, backfill=True).counts == Counts(4, 4)
    assert arrive(engine, book, "birch", BIRCH).counts == Counts(4, 4)
    assert sum(steps(engine, book), Counts()) == Counts(12, 12)
    assert flags(engine) == {"Birch": ["met"]}


DANA, DAN = (
    event("contact", DAY, contact=contact, emails=["dana@gmail.com"]) for contact in ("dana", "dan")
)


@pytest.mark.parametrize("first_is_history", [True, False])
@pytest.mark.parametrize("waits_for", ["an address", "a user"])
def test_what_is_said_in_history_and_in_passing_too_is_released_as_if_in_passing(
    engine: Engine, tmp_path: Path, at_once: int, first_is_history: bool, waits_for: str
) -> None:
    rule = "rules: [{id: used, title: Used, severity: low, when: {usage_30d: at least 12}}]\n"
    book = rulebook(tmp_path, rule)
    if waits_for == "an address":
        used = event("usage", DAY, account=None, user="dana@gmail.com")
        used |= {"tiewatchpeople": "email"}
        words = [DANA, DAN]
    else:
        used = of_member("", "lee")
        words = [GROUP, GROUP | {"id": "again"}]
    arrive(engine, book, "used", *(used | {"id": f"u{number}"} for number in range(12)))
    for number, word in enumerate(words):
        arrive(engine, book, f"word {number}", word, backfill=first_is_history == (number == 0))
    assert release(engine, book, RECEIVED) is not None
    steps(engine, book)
    assert flags(engine) == {"acme": ["used"]}


def test_a_step_finds_out_alone_at_work_whether_it_is_of_history(
    engine: Engine, tmp_path: Path, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said after it was asked whether anything is left counts for the step."""
    rule = "rules: [{id: used, title: Used, severity: low, when: {usage_30d: at least 8}}]\n"
    book = rulebook(tmp_path, rule)
    arrive(engine, book, "used", *(of_member(f"u{number}", "lee") for number in range(8)))
    arrive(engine, book, "history", GROUP, backfill=True)

    def meanwhile(*given: Any) -> BatchResult:
        arrive(engine, book, "in passing", GROUP | {"id": "again"})
        return ingest(*given)

    monkeypatch.setattr(releasing, "ingest", meanwhile)
    assert release(engine, book, RECEIVED).counts == Counts(2, 2)
    assert flags(engine) == {"acme": ["used"]}


def test_what_is_released_counts_for_the_batch_that_said_whose_it_is(
    engine: Engine, book: Rulebook
) -> None:
    used = [of_member(f"u{number}", "lee") for number in range(2)]
    sent = [mail(contacts=["dana@acme.example"]) for _ in range(3)]
    arrive(engine, book, "waits", *used, *sent, mail(contacts=["bo@birch.example"]))
    given = [
        [of_member("group", "lee", "acme", "account"), meeting(DAY)],
        [meeting(DAY)],
        [ACME],
        [meeting(DAY), meeting(DAY)],
        [BIRCH],
        [meeting(DAY)],
    ]
    batched = [Batch(str(number), events) for number, events in enumerate(given)]
    done = ingest_as_one(engine, batched, book, RECEIVED)
    counts = [one.counts for one in done]
    assert counts == [Counts(n, n) for n in (4, 1, 4, 2, 2, 1)]


def of_member(id_: str, member: str, account: str | None = None, type_: str = "usage") -> Raw:
    data = {"user": member} if type_ == "usage" else {}
    if type_ == "contact":
        data = {"contact": member}
    head = event(type_, DAY, account=account, **data) | {"id": id_, "source": "app"}
    return head | {"tiewatchmember": member}


GROUP = of_member("group", "lee", "acme", "account")
ALIAS = of_member("alias", "lee", None, "contact") | {"tiewatchalias": "device"}


@pytest.mark.parametrize("words", [[GROUP], [ALIAS, GROUP], [GROUP, ALIAS]])
def test_much_that_waits_for_one_user_is_taken_in_step_by_step(
    engine: Engine, book: Rulebook, at_once: int, words: list[Raw]
) -> None:
    user = "lee" if words == [GROUP] else "device"
    used = [of_member(f"u{number}", user) for number in range(8)]
    arrive(engine, book, "used", *used)
    for number, word in enumerate(words):
        last = arrive(engine, book, f"word {number}", word)
    assert (last.counts, last.unreleased) == (Counts(4, 4), True)  # with itself
    arrive(engine, book, "again", *used[4:])
    assert max(one.received for one in steps(engine, book)) == 3
    assert rows(engine, tables.waiting_events) == []
    assert len(rows(engine, tables.events)) == 8 + len(words)
    found = facts(engine)

    emptied(engine)
    arrive(engine, book, "all", *words, *used)
    assert found == facts(engine)


@pytest.mark.parametrize("with_account", [None, "acme"])
def test_of_an_event_that_is_still_to_be_released_another_version_is_refused(
    engine: Engine, book: Rulebook, at_once: int, with_account: str | None
) -> None:
    arrive(engine, book, "used", *(of_member(f"u{number}", "lee") for number in range(8)))
    arrive(engine, book, "group", GROUP)
    [left, *_] = [row["id"] for row in rows(engine, tables.waiting_events)]
    other = of_member(left, "lee", with_account)
    refused = arrive(engine, book, "other", other | {"data": {"user": "lee", "count": 9}})
    assert refused.counts == Counts(1, quarantined=1)
    assert refused.rejected[0].problems == (CONFLICT,)
    steps(engine, book)
    [usage] = rows(engine, tables.usage_days)
    assert usage["count"] == 8


def test_much_that_counts_for_some_of_its_people_is_read_again_step_by_step_its_account_once(
    engine: Engine, book: Rulebook, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [mail(contacts=["dana@acme.example", "bo@birch.example"]) for _ in range(8)]
    arrive(engine, book, "mails", ACME, *both)
    read_anew = Counter[str]()

    def counted(db: Connection, moving: Collection[str], *more: Any, **how: Any) -> Rebuilt:
        read_anew.update(moving)
        return rebuild(db, moving, *more, **how)

    monkeypatch.setattr(listening, "rebuild", counted)
    assert arrive(engine, book, "birch", BIRCH).unreleased
    left = [len(rows(engine, tables.waiting_mails))]
    while release(engine, book, RECEIVED) is not None:
        left.append(len(rows(engine, tables.waiting_mails)))
    assert left == [5, 2, 0]
    assert read_anew["acme"] == 1
    found = facts(engine)

    emptied(engine)
    arrive(engine, book, "all", ACME, BIRCH, *both)
    assert found == facts(engine)


def test_a_mail_that_comes_again_before_it_is_released_waits_on_for_its_other_people(
    engine: Engine, book: Rulebook, at_once: int
) -> None:
    both = [mail(contacts=["dana@acme.example", "bo@birch.example"]) for _ in range(8)]
    arrive(engine, book, "mails", *both)
    arrive(engine, book, "acme", ACME)
    arrive(engine, book, "again", *both)
    steps(engine, book)
    assert len(rows(engine, tables.waiting_mails)) == 8
    arrive(engine, book, "birch", BIRCH)
    steps(engine, book)
    assert len({(row["account"], row["contact"]) for row in rows(engine, tables.tie_days)}) == 2
    assert {row["inbound"] for row in rows(engine, tables.tie_days)} == {800}


def test_what_counts_for_an_account_already_is_read_again_if_more_of_its_people_are_known(
    engine: Engine, book: Rulebook, at_once: int
) -> None:
    """Somebody writes from one address and has the other among those copied."""
    both = mail(contacts=["bo@birch.example", "d.ruiz@gmail.com"], cc=["dana@acme.example"])
    before = [event("usage", DAY, account=None, user="d.ruiz@gmail.com") for _ in range(at_once)]
    waits = [*({**one, "tiewatchpeople": "email"} for one in before), both]
    dana = event("contact", DAY, contact="dana", emails=["dana@acme.example"])
    known = event("contact", DAY, contact="dana", emails=["d.ruiz@gmail.com"])
    ana = event("contact", DAY, account="Birch", contact="ana", emails=["bo@birch.example"])
    arrive(engine, book, "first", ACME, BIRCH, dana, *waits)
    assert arrive(engine, book, "word", known, ana).unreleased
    steps(engine, book)
    found = facts(engine)

    emptied(engine)
    arrive(engine, book, "all", ACME, BIRCH, dana, known, ana, *waits)
    assert found == facts(engine)


def in_steps(engine: Engine, book: Rulebook, batches: list[list[Raw]], chance: Random) -> None:
    """Let batches arrive, with some of the steps between them and the rest at the end."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(waiting, "AT_ONCE", 2)
        for number, events in enumerate(batches):
            arrive(engine, book, f"part {number}", *events, backfill=True)
            if chance.random() < 0.3:
                release(engine, book, RECEIVED)
        steps(engine, book)


PROPERTY = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@PROPERTY
@given(choice=st.data())
def test_mails_that_are_released_while_more_is_said_come_to_what_they_do_under_ids(
    engine: Engine, book: Rulebook, choice: st.DataObject
) -> None:
    history = [*CLAIMS, *choice.draw(mails())]
    emptied(engine)
    chance = Random(choice.draw(st.integers(0, 2**32)))
    in_steps(engine, book, choice.draw(arrivals(history)), chance)
    found = facts(engine)
    assert rows(engine, tables.waiting_keys) == []

    emptied(engine)
    arrive(engine, book, "all", *(one for raw in history for one in under_ids(raw)), backfill=True)
    assert found == facts(engine)


@PROPERTY
@given(choice=st.data())
def test_users_events_that_are_released_while_more_is_said_are_of_their_latest_group(
    engine: Engine, book: Rulebook, choice: st.DataObject
) -> None:
    events = choice.draw(calls())
    emptied(engine)
    chance = Random(choice.draw(st.integers(0, 2**32)))
    in_steps(engine, book, choice.draw(arrivals(events)), chance)
    found = known(engine)

    emptied(engine)
    arrive(engine, book, "all", *told_plainly(events), backfill=True)
    assert found == known(engine)


def test_an_account_is_read_anew_once_more_if_more_is_said_between_two_steps(
    engine: Engine, book: Rulebook, at_once: int
) -> None:
    people = ["dana@acme.example", "bo@birch.example", "kim@cedar.example"]
    sent = [mail(contacts=people) for _ in range(8)]
    cedar = event("account", DAY - ONE_DAY, account="Cedar", domains=["cedar.example"])
    for number, events in enumerate([[ACME, *sent], [BIRCH], [cedar]]):
        arrive(engine, book, f"{number}", *events)
    steps(engine, book)
    found = {row["account"]: row["inbound"] for row in rows(engine, tables.tie_days)}
    assert found == {"acme": 800, "Birch": 800, "Cedar": 800}


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
    sent = [mail(contacts=["x@gmail.com", "dana@acme.example"]), mail(contacts=["y@b.example"])]
    used = event("usage", DAY, account=None, user="lee") | {"tiewatchmember": "lee"}
    arrive(engine, book, "waits", *sent, used)
    assert give_up(engine, LONGEST, RECEIVED + LONGEST) == 0
    assert give_up(engine, LONGEST, RECEIVED + LONGEST + timedelta(seconds=1)) == 3
    for table in (tables.waiting_mails, tables.waiting_keys, tables.waiting_events):
        assert rows(engine, table) == []
    kept = {row["event_id"]: row for row in rows(engine, tables.quarantine)}
    assert kept.keys() == {sent[0]["id"], sent[1]["id"], used["id"]}
    reason = kept[sent[0]["id"]]["problems"]
    assert "waited for 30 days" in reason
    assert 'whose \\"acme.example\\" or \\"x@gmail.com\\" is' in reason
    assert 'account user \\"lee\\"' in kept[used["id"]]["problems"]
    assert json.loads(kept[used["id"]]["body"]) == used


def test_nothing_is_given_up_while_others_are_at_work_for_long(
    postgresql_engine: Engine, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releasing, "PATIENCE", 1)
    arrive(postgresql_engine, book, "waits", mail(contacts=["y@b.example"]))
    late = RECEIVED + 2 * LONGEST
    with writing(postgresql_engine) as db:
        merges.take_turn(db, alone=True)
        assert give_up(postgresql_engine, LONGEST, late) == 0
    assert give_up(postgresql_engine, LONGEST, late) == 1


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
