"""What is too much to be read anew with the batch that says so is read by itself; then all is as if
it had been known all along."""

import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from tests.flow.test_identity import mail
from tests.flow.test_members import (
    calls,
    calls_and_mails,
    in_order,
    known,
    said,
    told_by_ids,
    told_plainly,
)
from tests.flow.test_merging import RULES, emptied, take_in
from tests.histories import RECEIVED, TODAY, Raw
from tests.pipeline import event, flags, rows, rulebook
from worker.intake import listening
from worker.intake.arrivals import Batch
from worker.intake.catching_up import catch_up
from worker.intake.ingest import TryAgain, ingest
from worker.rulebooks.rulebook import OtherRules, Rulebook
from worker.store import batches, behind, merges, rereading, rule_sets, tables
from worker.store.database import engine_for, reading, writing

USED_LATELY = (
    "rules: [{id: used, title: U, severity: low, when: {days_since_usage: under 99 days}}]\n"
)

PROPERTY = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    return rulebook(tmp_path, RULES)


def at_most(monkeypatch: pytest.MonkeyPatch, events: int) -> None:
    """Let so many be read anew with a batch: few enough for accounts to be too large."""
    monkeypatch.setattr(listening, "REREAD_AT_ONCE", events)


def caught_up(engine: Engine, book: Rulebook) -> int:
    """How many accounts have been made anew, until none is behind."""
    number = 0
    while catch_up(engine, book, RECEIVED) is not None:
        number += 1
    return number


def late(engine: Engine) -> list[tuple[str, bool]]:
    with reading(engine) as db:
        return behind.listed(db)


def uses(engine: Engine) -> dict[str, int]:
    return {row["account"]: row["count"] for row in rows(engine, tables.usage_days)}


def group(id_: str, day: int, member: str, account: str) -> Raw:
    return said(id_, day, member, "account", {}, account)


def used(id_: str, member: str) -> Raw:
    return said(id_, 5, member, "usage", {"user": member, "feature": "a"})


def is_eventful(events: list[Raw]) -> bool:
    return len(events) > 9 and sum("subject" in one for one in events) > 3


@PROPERTY
@given(choice=st.data())
def test_users_of_large_accounts_come_to_the_same_whenever_those_are_made_anew(
    engine: Engine, book: Rulebook, monkeypatch: pytest.MonkeyPatch, choice: st.DataObject
) -> None:
    at_most(monkeypatch, choice.draw(st.integers(0, 4)))
    mailed = choice.draw(st.booleans())
    events = choice.draw((calls_and_mails() if mailed else calls()).filter(is_eventful))
    emptied(engine)
    in_time = choice.draw(st.booleans())
    for one in in_order(events) if in_time else choice.draw(st.permutations(events)):
        take_in(engine, book, [[one]])
        if choice.draw(st.integers(0, 4)) == 0:
            catch_up(engine, book, RECEIVED)
    caught_up(engine, book)
    found = known(engine)

    emptied(engine)
    take_in(engine, book, [told_by_ids(events) if mailed else told_plainly(events)])
    assert found == known(engine)


def test_a_word_of_today_about_an_account_that_history_has_left_behind_is_not_taken_for_history(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_most(monkeypatch, 0)
    book = rulebook(tmp_path, USED_LATELY)
    of_both = [group("1", 1, "ana", "acme"), group("2", 1, "bo", "acme")]
    take_in(sqlite_engine, book, [[*of_both, used("3", "ana"), used("4", "bo")]])
    take_in(sqlite_engine, book, [[group("5", 2, "ana", "Birch")]])
    assert late(sqlite_engine) == [("acme", True)]
    before_its_turn = merges.take_turn

    def another_comes_first(db: Connection, *how: Any) -> None:
        before_its_turn(db, *how)
        with monkeypatch.context() as turn:
            turn.setattr(merges, "take_turn", before_its_turn)
            behind.note(db, ["acme"], (), False, RECEIVED)

    monkeypatch.setattr(merges, "take_turn", another_comes_first)
    assert caught_up(sqlite_engine, book) == 1
    assert flags(sqlite_engine) == {"Birch": ["used"], "acme": ["used"]}


@pytest.mark.parametrize("most", [0, 100])
def test_flags_that_lose_their_ground_to_history_end(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    at_most(monkeypatch, most)
    book = rulebook(tmp_path, USED_LATELY)
    ingest(engine, Batch("1", [group("1", 1, "ana", "acme"), used("2", "ana")]), book, RECEIVED)
    assert flags(engine) == {"acme": ["used"]}
    take_in(engine, book, [[group("3", 2, "ana", "Birch")]])
    caught_up(engine, book)
    assert flags(engine) == {}


def test_a_large_account_that_loses_a_mail_to_a_small_one_is_made_anew_by_itself(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_most(monkeypatch, 6)
    rule = "rules: [{id: slow, title: S, severity: low, when: {response_hours: over 1 hour}}]\n"
    book = rulebook(tmp_path, rule)
    day = TODAY - timedelta(9)
    large = [event("usage", day, account="Large", user="lee", feature="a") for _ in range(5)]
    domains = [
        event("account", day, account=name, domains=[domain])
        for name, domain in (("Large", "l.example"), ("small", "s.example"))
    ]
    people = ["dana@l.example", "kim@s.example"]
    asked = mail(day, contacts=people)
    answered = mail(day + timedelta(1), contacts=people, direction="outbound")
    ingest(engine, Batch("1", [*large, *domains, asked, answered]), book, RECEIVED)
    assert flags(engine) == {"Large": ["slow"], "small": ["slow"]}
    hers = event("contact", day, account="small", contact="dana", emails=["dana@l.example"])
    assert ingest(engine, Batch("2", [hers]), book, RECEIVED).behind
    assert late(engine) == [("Large", False)]
    assert {row["account"] for row in rows(engine, tables.tie_days)} == {"Large", "small"}
    assert flags(engine) == {"Large": ["slow"], "small": ["slow"]}
    assert caught_up(engine, book) == 1
    assert flags(engine) == {"small": ["slow"]}
    assert uses(engine) == {"Large": 5}


def test_mails_that_are_of_others_too_count_for_how_large_an_account_is(
    engine: Engine, book: Rulebook
) -> None:
    domains = [event("account", TODAY, account=a, domains=[f"{a}.example"]) for a in ("a", "b")]
    shared = [mail(TODAY, contacts=["dana@a.example", "kim@b.example"]) for _ in range(5)]
    take_in(engine, book, [domains, shared])
    with reading(engine) as db:
        assert rereading.sizes_of(db, ["a", "b", "c"], 100) == {"a": 6, "b": 6, "c": 0}
        assert rereading.sizes_of(db, ["b"], 3) == {"b": 3}


def test_until_it_is_made_anew_a_large_account_is_as_if_nobody_had_said_it(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_most(monkeypatch, 2)
    book = rulebook(tmp_path, USED_LATELY)
    events = [group("1", 1, "ana", "acme"), used("2", "ana"), used("3", "ana")]
    ingest(engine, Batch("1", events), book, RECEIVED)
    told = ingest(
        engine, Batch("2", [group("4", 2, "ana", "Birch"), used("5", "ana")]), book, RECEIVED
    )
    assert told.behind
    assert late(engine) == [("acme", False)]
    assert uses(engine) == {"acme": 2, "Birch": 1}
    assert flags(engine) == {"Birch": ["used"], "acme": ["used"]}
    done = catch_up(engine, book, RECEIVED)
    assert done is not None
    assert not done.behind
    assert uses(engine) == {"Birch": 3}
    assert flags(engine) == {"Birch": ["used"]}
    assert catch_up(engine, book, RECEIVED) is None


def test_a_user_who_comes_to_a_large_account_counts_there_when_it_has_been_made_anew(
    sqlite_engine: Engine, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_most(monkeypatch, 3)
    large = [group("1", 1, "lee", "acme"), *(used(f"l{number}", "lee") for number in range(5))]
    take_in(sqlite_engine, book, [large, [group("2", 1, "ana", "Birch"), used("3", "ana")]])
    take_in(sqlite_engine, book, [[group("4", 2, "ana", "acme")]])
    assert late(sqlite_engine) == [("acme", True)]
    assert uses(sqlite_engine) == {"acme": 5}
    assert caught_up(sqlite_engine, book) == 1
    assert uses(sqlite_engine) == {"acme": 6}


@pytest.mark.parametrize("events", [0, listening.REREAD_AT_ONCE])
def test_a_user_whose_address_is_in_dispute_meanwhile_takes_mails_along_when_it_is_settled(
    engine: Engine, book: Rulebook, monkeypatch: pytest.MonkeyPatch, events: int
) -> None:
    at_most(monkeypatch, events)
    address = ["ana@free.example"]
    identify = said("2", 4, "ana", "contact", {"contact": "ana", "emails": address})
    take_in(engine, book, [[group("1", 1, "ana", "large"), identify]])
    take_in(engine, book, [[mail(contacts=address)], [group("4", 2, "ana", "small")]])
    for day, emails in ((5, address), (6, [])):
        claim = said(
            f"claim {day}", day, "", "contact", {"contact": "t", "emails": emails}, "third"
        )
        del claim["tiewatchmember"]
        take_in(engine, book, [[claim]])
        caught_up(engine, book)
    assert [row["account"] for row in rows(engine, tables.tie_days)] == ["small"]


def test_addresses_go_along_with_a_user_who_goes_on_before_the_first_account_is_made_anew(
    engine: Engine, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_most(monkeypatch, 0)
    people = {"channel": "meeting", "reps": ["sam"], "contacts": ["ana@free.example"]}
    mail = said("5", 1, "", "interaction", people) | {"tiewatchpeople": "email", "source": "mail"}
    del mail["tiewatchmember"]
    identify = said("2", 4, "ana", "contact", {"contact": "ana", "emails": people["contacts"]})
    accounts = ["\u00e7o", "acme", "Birch"]
    groups = [group(f"g{day}", day, "ana", account) for day, account in enumerate(accounts, 1)]
    take_in(engine, book, [[groups[0], identify], [groups[1]], [mail], [groups[2]]])
    assert caught_up(engine, book) > 1
    assert {(row["account"], row["contact"]) for row in rows(engine, tables.ties)} == {
        ("Birch", "ana")
    }


def test_a_step_that_breaks_off_is_begun_again(
    engine: Engine, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_most(monkeypatch, 0)
    take_in(engine, book, [[group("1", 1, "ana", "acme"), used("2", "ana")]])
    take_in(engine, book, [[group("3", 2, "ana", "Birch")]])
    before = known(engine), late(engine)
    with monkeypatch.context() as broken:
        broken.setattr(batches, "applied", lambda *_: 1 / 0)
        with pytest.raises(TryAgain):
            catch_up(engine, book, RECEIVED)
    assert (known(engine), late(engine)) == before
    assert caught_up(engine, book) == 1
    assert uses(engine) == {"Birch": 1}


def test_any_number_of_accounts_can_be_made_anew_at_once(
    postgresql_engine: Engine, book: Rulebook
) -> None:
    shared = mail(TODAY, contacts=["dana@a.example", "kim@b.example"])
    domains = [event("account", TODAY, account=a, domains=[f"{a}.example"]) for a in ("a", "b")]
    take_in(postgresql_engine, book, [[*domains, shared]])
    many = {f"account {number}" for number in range(33_000)}  # two to a parameter are too many
    with reading(postgresql_engine) as db:
        for accounts in ({"b"}, {"a", "b"}):
            found = [one for part in rereading.of_accounts(db, accounts | many) for one in part]
            assert len(found) == len(accounts) + 1


def test_that_other_rules_are_in_force_is_found_out_before_a_large_account_is_read(
    sqlite_engine: Engine, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_most(monkeypatch, 0)
    take_in(sqlite_engine, book, [[group("1", 1, "ana", "acme")], [group("2", 2, "ana", "Birch")]])
    with writing(sqlite_engine) as db:
        rule_sets.put_in_force(db, "others", {}, RECEIVED)
    monkeypatch.setattr(listening, "rebuild", lambda *_, **__: 1 / 0)
    with pytest.raises(OtherRules):
        catch_up(sqlite_engine, book, RECEIVED)


def test_nobody_begins_what_somebody_is_at(
    postgresql_url: str, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_for(postgresql_url)
    at_most(monkeypatch, 0)
    take_in(engine, book, [[group("1", 1, "ana", "acme")], [group("2", 2, "ana", "Birch")]])
    with reading(engine) as db:
        assert behind.begin(db)
        assert catch_up(engine, book, RECEIVED) is None
    assert caught_up(engine, book) == 1
    engine.dispose()


def test_who_waits_for_long_meanwhile_is_not_parked_for_it(
    postgresql_url: str, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_for(postgresql_url)
    monkeypatch.setattr(merges, "PATIENCE", 1)
    batch = Batch("waits", [group("1", 1, "ana", "acme"), used("2", "ana")])
    with writing(engine) as db:
        merges.take_turn(db, alone=True)
        for _ in range(3):
            with pytest.raises(TryAgain, match="takes long"):
                ingest(engine, batch, book, RECEIVED, again=True)
    (row,) = rows(engine, tables.batches)
    assert (row["state"], row["starts"]) == ("started", 1)
    assert ingest(engine, batch, book, RECEIVED, again=True).counts.applied == 2
    engine.dispose()


def test_ten_times_the_history_does_not_take_twice_the_memory_to_be_read_anew(
    engine: Engine, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rereading, "CHUNK", 100)
    at_most(monkeypatch, 0)
    peaks = []
    for account, number in (("acme", 600), ("Birch", 6_000)):
        events = [used(f"{account}{one}", account) for one in range(number)]
        take_in(engine, book, [[group(f"1{account}", 1, account, account), *events]])
        take_in(engine, book, [[group(f"2{account}", 2, account, "elsewhere")]])
        tracemalloc.start()
        assert catch_up(engine, book, RECEIVED) is not None
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]
