"""What is in quarantine since two accounts claim its people comes in once that is settled."""

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.flow.test_identity import DAY, facts, mail
from tests.flow.test_merging import RULES, emptied
from tests.histories import RECEIVED, Raw
from tests.pipeline import event, flags, rows, rulebook
from worker.intake import listening
from worker.intake.arrivals import Batch, BatchResult
from worker.intake.catching_up import catch_up
from worker.intake.ingest import ingest
from worker.intake.merging import Order, merge_accounts
from worker.intake.releasing import release
from worker.rulebooks.rulebook import Rulebook
from worker.store import quarantine, tables, waiting
from worker.store.batches import Counts
from worker.store.database import writing

ONE_DAY = timedelta(1)
_number = count(1)


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    return rulebook(tmp_path, RULES)


def arrive(engine: Engine, book: Rulebook, *events: Raw) -> BatchResult:
    return ingest(engine, Batch(f"disputes-{next(_number)}", events), book, RECEIVED)


def release_all(engine: Engine, book: Rulebook) -> list[Counts]:
    """What each step takes in, until nothing is left."""
    found = []
    while (done := release(engine, book, RECEIVED)) is not None:
        found.append(done.counts)
    return found


def claimed_by(account: str, *domains: str, days_ago: int = 2) -> Raw:
    return event("account", DAY - days_ago * ONE_DAY, account=account, domains=list(domains))


def both(domain: str) -> list[Raw]:
    return [claimed_by("acme", domain), claimed_by("Birch", domain)]


def ties(engine: Engine) -> set[tuple[str, str]]:
    return {(row["account"], row["contact"]) for row in rows(engine, tables.tie_days)}


def disputed(engine: Engine, book: Rulebook, mails: int = 1) -> list[Raw]:
    """Mails in quarantine: Acme and Birch both claim their domain."""
    arrive(engine, book, *both("acme.example"))
    sent = [mail(contacts=["dana@acme.example"]) for _ in range(mails)]
    assert arrive(engine, book, *sent).counts == Counts(mails, quarantined=mails)
    return sent


def given_up(engine: Engine, book: Rulebook) -> None:
    arrive(engine, book, claimed_by("Birch", days_ago=1))


def named(engine: Engine, book: Rulebook) -> None:
    person = event("contact", DAY, contact="dana", emails=["dana@acme.example"])
    arrive(engine, book, person)


def into_one(engine: Engine, book: Rulebook) -> None:
    merge_accounts(engine, Order("ana", RECEIVED, book), "Birch", "acme")
    release_all(engine, book)


@pytest.mark.parametrize("settle", [given_up, named, into_one])
def test_what_was_disputed_is_taken_in_by_itself_once_that_is_settled(
    engine: Engine, book: Rulebook, settle: Callable[[Engine, Rulebook], None]
) -> None:
    disputed(engine, book)
    settle(engine, book)
    assert [row["account"] for row in rows(engine, tables.tie_days)] == ["acme"]
    assert rows(engine, tables.quarantine) == []
    assert rows(engine, tables.disputes) == []
    assert rows(engine, tables.claimed_keys) == []


def test_what_is_disputed_still_stays_and_says_by_whom(engine: Engine, book: Rulebook) -> None:
    disputed(engine, book)
    [before] = rows(engine, tables.quarantine)
    assert "Birch and acme" in before["problems"]
    arrive(engine, book, claimed_by("Cedar", "acme.example"))
    arrive(engine, book, claimed_by("Birch", days_ago=1))
    [after] = rows(engine, tables.quarantine)
    assert "Cedar and acme" in after["problems"]
    assert after["received_at"] == before["received_at"]
    counts = arrive(engine, book, claimed_by("Cedar", days_ago=1)).counts
    assert counts == Counts(2, 2)  # with the mail
    assert rows(engine, tables.quarantine) == []


def test_a_second_dispute_over_an_event_is_waited_for_too(engine: Engine, book: Rulebook) -> None:
    arrive(engine, book, claimed_by("acme", "a.example"), claimed_by("Birch", "a.example"))
    arrive(engine, book, mail(contacts=["dana@a.example", "lee@b.example"]))
    arrive(engine, book, claimed_by("acme", "a.example", "b.example", days_ago=1))
    arrive(engine, book, claimed_by("Cedar", "b.example"))
    arrive(engine, book, claimed_by("Birch", days_ago=1))
    assert rows(engine, tables.tie_days) == []
    arrive(engine, book, claimed_by("Cedar", days_ago=1))
    assert [row["contact"] for row in rows(engine, tables.tie_days)] == [
        "dana@a.example",
        "lee@b.example",
    ]


@pytest.mark.parametrize("settle", [given_up, into_one])
def test_what_counts_for_others_already_counts_for_the_disputed_too_once_that_is_settled(
    engine: Engine, book: Rulebook, settle: Callable[[Engine, Rulebook], None]
) -> None:
    arrive(engine, book, claimed_by("Cedar", "c.example"))
    arrive(engine, book, mail(contacts=["kim@c.example", "dana@acme.example"]))
    arrive(engine, book, claimed_by("acme", "acme.example"), claimed_by("Birch", "acme.example"))
    assert ties(engine) == {("Cedar", "kim@c.example")}
    settle(engine, book)
    assert ties(engine) == {("Cedar", "kim@c.example"), ("acme", "dana@acme.example")}
    assert rows(engine, tables.dispute_accounts) == []


def test_a_merge_that_settles_a_dispute_has_the_rules_of_all_whom_it_concerns_evaluated(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    when = "when: {days_since_contact: under 999 days}"
    book = rulebook(tmp_path, f"rules: [{{id: met, title: Met, severity: low, {when}}}]\n")
    arrive(sqlite_engine, book, claimed_by("Cedar", "c.example"))
    arrive(sqlite_engine, book, mail(contacts=["kim@c.example"]))
    arrive(sqlite_engine, book, claimed_by("Cedar"), *both("c.example"))
    assert flags(sqlite_engine) == {"Cedar": ["met"]}
    into_one(sqlite_engine, book)
    assert flags(sqlite_engine) == {"acme": ["met"]}


@pytest.mark.parametrize("first", ["acme", "Dora"])
def test_a_dispute_that_arises_between_others_is_settled_in_any_order(
    engine: Engine, book: Rulebook, first: str
) -> None:
    arrive(engine, book, claimed_by("Cedar", "c.example"), claimed_by("acme", "a.example"))
    arrive(engine, book, mail(contacts=["kim@c.example", "dana@a.example"]))
    arrive(engine, book, claimed_by("Birch", "a.example"), claimed_by("Dora", "a.example"))
    for account in sorted(["acme", "Dora"], key=lambda one: one != first):
        arrive(engine, book, claimed_by(account, days_ago=1))
    assert ties(engine) == {("Cedar", "kim@c.example"), ("Birch", "dana@a.example")}


def test_much_that_was_disputed_is_taken_in_step_by_step(
    engine: Engine, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "AT_ONCE", 3)
    disputed(engine, book, mails=8)
    told = arrive(engine, book, claimed_by("Birch", days_ago=1))
    assert (told.counts, told.unreleased) == (Counts(4, 4), True)
    assert release_all(engine, book) == [Counts(3, 3), Counts(2, 2)]
    assert [row["inbound"] for row in rows(engine, tables.tie_days)] == [800]


def test_much_that_stays_disputed_is_looked_at_once_for_each_word(
    engine: Engine, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "AT_ONCE", 3)
    disputed(engine, book, mails=8)
    assert arrive(engine, book, claimed_by("Cedar", "acme.example")).unreleased
    assert release_all(engine, book) == [Counts(), Counts()]
    assert len(rows(engine, tables.quarantine)) == 8


def test_what_was_looked_at_is_so_again_if_it_is_settled_between_two_steps(
    engine: Engine, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "AT_ONCE", 3)
    disputed(engine, book, mails=8)
    arrive(engine, book, claimed_by("Cedar", "acme.example"))
    arrive(engine, book, claimed_by("Cedar", days_ago=1), claimed_by("Birch", days_ago=1))
    release_all(engine, book)
    assert rows(engine, tables.quarantine) == []


def test_what_was_dropped_from_quarantine_does_not_come_back(
    engine: Engine, book: Rulebook
) -> None:
    disputed(engine, book)
    with writing(engine) as db:
        quarantine.remove(db, [row["digest"] for row in rows(engine, tables.quarantine)])
    given_up(engine, book)
    assert rows(engine, tables.tie_days) == []
    assert rows(engine, tables.disputes) == []


def test_of_two_versions_in_dispute_the_first_comes_in_and_the_other_stays_with_its_reason(
    engine: Engine, book: Rulebook
) -> None:
    [first] = disputed(engine, book)
    later = first | {"data": first["data"] | {"contacts": ["lee@acme.example"]}}
    ingest(engine, Batch("later", [later]), book, RECEIVED + timedelta(seconds=1))
    given_up(engine, book)
    assert [row["contact"] for row in rows(engine, tables.tie_days)] == ["dana@acme.example"]
    [left] = rows(engine, tables.quarantine)
    assert json.loads(left["body"])["data"]["contacts"] == ["lee@acme.example"]
    assert "conflicting duplicate" in left["problems"]


def test_what_comes_in_after_a_dispute_raises_flags(engine: Engine, tmp_path: Path) -> None:
    when = "when: {days_since_contact: under 999 days}"
    rule = f"rules: [{{id: met, title: Met, severity: low, {when}}}]\n"
    book = rulebook(tmp_path, rule)
    disputed(engine, book)
    given_up(engine, book)
    assert flags(engine) == {"acme": ["met"]}


ACCOUNTS = ["acme", "Birch", "Cedar", "Dora"]
PEOPLE = ["dana@a.example", "lee@a.example", "kim@b.example", "zoe@eu.b.example"]


@st.composite
def quarrels(draw: st.DrawFn) -> tuple[list[Raw], list[Raw]]:
    """Claims of two domains by four accounts, mails between them, and how it is settled last."""
    chance = Random(draw(st.integers(0, 2**32)))
    told: list[Raw] = []
    for number in range(chance.randint(2, 9)):
        domains = chance.sample(["a.example", "b.example", "eu.b.example"], chance.randint(0, 2))
        account = chance.choice(ACCOUNTS)
        told.append(claimed_by(account, *domains, days_ago=20 - number))
        if chance.random() < 0.4:
            emails = chance.sample(PEOPLE, 1)
            told.append(event("contact", DAY, account=account, contact="p", emails=emails))
        people = chance.sample(PEOPLE, chance.randint(1, 3))
        told.append(mail(DAY - number * ONE_DAY, contacts=people))
    last = [
        claimed_by("acme", "a.example", days_ago=1),
        claimed_by("Birch", "b.example", days_ago=1),
        claimed_by("Cedar", days_ago=1),
        claimed_by("Dora", days_ago=1),
        *(
            event("contact", DAY + ONE_DAY, account=account, contact="p", emails=[])
            for account in ACCOUNTS
        ),
    ]
    return told, last


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.data())
def test_in_any_order_what_is_settled_in_the_end_comes_to_what_it_does_when_that_comes_first(
    engine: Engine, book: Rulebook, choice: st.DataObject
) -> None:
    told, last = choice.draw(quarrels())
    arriving = choice.draw(st.permutations([*told, *last]))
    steps_after = choice.draw(st.sets(st.integers(0, len(arriving))))
    reread_at_once = choice.draw(st.sampled_from([0, listening.REREAD_AT_ONCE]))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(waiting, "AT_ONCE", 2)
        patched.setattr(listening, "REREAD_AT_ONCE", reread_at_once)
        emptied(engine)
        for place, one in enumerate(arriving):
            arrive(engine, book, one)
            if place in steps_after:
                catch_up(engine, book, RECEIVED)
                release(engine, book, RECEIVED)
        while catch_up(engine, book, RECEIVED):
            pass
        release_all(engine, book)
        while catch_up(engine, book, RECEIVED):
            pass
    found = facts(engine)
    left = [row["event_id"] for row in rows(engine, tables.quarantine)]

    emptied(engine)
    arrive(engine, book, *last, *(one for one in told if one["type"] != "interaction"))
    arrive(engine, book, *(one for one in told if one["type"] == "interaction"))
    assert left == [row["event_id"] for row in rows(engine, tables.quarantine)]
    assert found == facts(engine)
