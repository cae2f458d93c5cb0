"""Merged accounts and contacts are what the same events sent under one id would be; undone, what
they would be had they never been merged."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.flow.test_any_order import outcome
from tests.histories import ACCOUNTS, CONTACTS, RECEIVED, TODAY, Raw, any_history, arrivals
from tests.pipeline import alerts, at, event, flags, meeting, rows, rulebook
from tests.pipeline import take_in as take_in_on
from worker.core.alerts import AlertReason
from worker.intake.arrivals import Batch
from worker.intake.ingest import ingest
from worker.intake.merging import (
    Order,
    merge_accounts,
    merge_contacts,
    unmerge_account,
    unmerge_contact,
)
from worker.rulebooks.rulebook import Rulebook, read_rulebook
from worker.store import tables
from worker.store.database import engine_for, writing
from worker.store.merges import MergeRefused
from worker.store.rebuilding import STATS

RULES = "rules: [{id: used, title: Used, severity: low, when: {usage_30d: at least 1}}]\n"
DAY = timedelta(1)
FEATURES = tables.feature_days
PROPERTY = settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])

Names = Callable[[str | None, str], str]
"""What a contact of an account is called instead."""


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    return rulebook(tmp_path, RULES)


@pytest.fixture
def order(book: Rulebook) -> Order:
    return Order("ana", RECEIVED, book)


def emptied(engine: Engine) -> None:
    with writing(engine) as db:
        for table in reversed(tables.metadata.sorted_tables):
            if table is not tables.workspace:
                db.execute(table.delete())
        db.execute(tables.workspace.update().values(first_interaction_day=None))


_number = count(1)


def take_in(engine: Engine, book: Rulebook, batches: list[list[Raw]]) -> None:
    """Each batch under an id that none has had: one that has is taken for a repeat, and passed
    over."""
    for batch in batches:
        one = Batch(f"batch {next(_number)}", batch, backfill=True)
        done = ingest(engine, one, book, RECEIVED)
        assert not done.rejected
        assert done.parked is None


def known(engine: Engine) -> dict[str, Any]:
    with engine.connect() as db:
        return outcome(db)


def told_otherwise(history: list[Raw], accounts: dict[str, str], names: Names) -> list[Raw]:
    """The same events, sent under other ids."""

    def of(raw: Raw) -> Raw:
        account, data = raw.get("subject"), dict(raw["data"])
        for field in ("contacts", "cc"):
            if data.get(field):
                data[field] = [names(account, one) for one in data[field]]
        for field in ("user", "contact"):
            if data.get(field):
                data[field] = names(account, data[field])
        subject = {} if account is None else {"subject": accounts.get(account, account)}
        return raw | subject | {"data": data}

    return [of(raw) for raw in history]


def same_name(account: str | None, contact: str) -> str:
    return contact


def cut(choice: st.DataObject) -> tuple[list[Raw], list[Raw], list[Raw]]:
    """A history, and its events as they arrive before and after a merge."""
    history = choice.draw(any_history)
    place = choice.draw(st.integers(0, len(history)))
    return history, history[:place], history[place:]


EVERYBODY = [
    {"id": f"{account}/{contact}", "source": "names", "type": "contact", "subject": account}
    | {"time": "2020-01-01T00:00:00Z", "data": {"contact": contact}}
    for account in ACCOUNTS
    for contact in CONTACTS
]
"""All whom the tests merge exist from the beginning."""


@PROPERTY
@given(choice=st.data())
def test_merged_accounts_are_what_the_same_events_of_one_account_are(
    engine: Engine, book: Rulebook, order: Order, choice: st.DataObject
) -> None:
    history, before, after = cut(choice)
    emptied(engine)
    take_in(engine, book, [EVERYBODY, *choice.draw(arrivals(before))])
    merge_accounts(engine, order, "Birch", "acme")
    take_in(engine, book, choice.draw(arrivals(after)))
    merged = known(engine)

    unmerge_account(engine, order, "Birch")
    undone = known(engine)

    emptied(engine)
    take_in(engine, book, [EVERYBODY, history])
    assert undone == known(engine)
    emptied(engine)
    take_in(engine, book, [told_otherwise(EVERYBODY + history, {"Birch": "acme"}, same_name)])
    assert merged == known(engine)


@PROPERTY
@given(choice=st.data())
def test_merged_contacts_are_what_the_same_events_of_one_contact_are(
    engine: Engine, book: Rulebook, order: Order, choice: st.DataObject
) -> None:
    history, before, after = cut(choice)
    emptied(engine)
    take_in(engine, book, [EVERYBODY, *choice.draw(arrivals(before))])
    merge_contacts(engine, order, "acme", "Kim", "dana")
    merge_contacts(engine, order, "acme", "dana", "lee")
    take_in(engine, book, choice.draw(arrivals(after)))
    merged = known(engine)

    unmerge_contact(engine, order, "acme", "dana")
    half = known(engine)
    unmerge_contact(engine, order, "acme", "Kim")
    undone = known(engine)

    def one(*many: str, into: str) -> Names:
        return lambda account, contact: into if account == "acme" and contact in many else contact

    for found, names in (
        (merged, one("Kim", "dana", into="lee")),
        (half, one("Kim", into="dana")),
        (undone, same_name),
    ):
        emptied(engine)
        take_in(engine, book, [told_otherwise(EVERYBODY + history, {}, names)])
        assert found == known(engine)


MERGES = [
    ("Birch", "acme"),
    ("ço", "Birch"),
    ("ço", "acme"),
    ("acme", "Kim", "dana"),
    ("acme", "lee", "Kim"),
    ("Birch", "dana", "lee"),
    ("Birch", "lee", "Ömer"),
]


@PROPERTY
@given(choice=st.data())
def test_whatever_is_merged_and_undone_in_any_order_leaves_no_trace(
    engine: Engine, book: Rulebook, order: Order, choice: st.DataObject
) -> None:
    history, before, after = cut(choice)
    emptied(engine)
    take_in(engine, book, [EVERYBODY, *choice.draw(arrivals(before))])
    made = []
    for one in choice.draw(st.permutations(MERGES)):
        with suppress(MergeRefused):
            merge = merge_accounts if len(one) == 2 else merge_contacts
            merge(engine, order, *one)
            made.append(one)
    take_in(engine, book, choice.draw(arrivals(after)))
    for *of, _ in choice.draw(st.permutations(made)):
        undo = unmerge_account if len(of) == 1 else unmerge_contact
        undo(engine, order, *of)
    undone = known(engine)

    emptied(engine)
    take_in(engine, book, [EVERYBODY, history])
    assert undone == known(engine)


SILENCE = """
rules:
  - id: silence
    title: "No contact for {days_since_contact}"
    severity: medium
    when: {days_since_contact: over 5 days}
  - id: alone
    title: "{known_execs} executives"
    severity: high
    when: {known_execs: fewer than 2}
"""


def two_accounts(engine: Engine, book: Rulebook) -> None:
    """Birch has been silent for six days, acme has not; each has one executive."""
    people = [("acme", "dana", TODAY - DAY), ("birch", "lee", TODAY - 6 * DAY)]
    for account, contact, day in people:
        given = event("contact", day, account=account, contact=contact, title="CIO")
        take_in_on(engine, book, TODAY, given, meeting(day, contact, account=account))


def test_flags_of_a_merged_account_are_resolved_and_the_survivors_evaluated(
    engine: Engine, tmp_path: Path
) -> None:
    book = rulebook(tmp_path, SILENCE)
    two_accounts(engine, book)
    assert flags(engine) == {"acme": ["alone"], "birch": ["alone", "silence"]}
    done = merge_accounts(engine, Order("ana", at(TODAY, 15), book), "birch", "acme")
    assert (done.opened, done.resolved) == (0, 3)
    assert flags(engine) == {}
    told = [alert for alert in alerts(engine) if alert.reason is AlertReason.RESOLVED]
    assert [(one.account, one.rule, one.why) for one in told] == [
        ("birch", "alone", ("the account has been merged into acme",)),
        ("birch", "silence", ("the account has been merged into acme",)),
        ("acme", "alone", ("known executives: 2 (at least 2)",)),
    ]


def test_an_undone_merge_takes_up_the_flags_as_people_had_left_them(
    engine: Engine, tmp_path: Path
) -> None:
    book = rulebook(tmp_path, SILENCE)
    two_accounts(engine, book)
    with writing(engine) as db:
        of = tables.flags.c
        silence = tables.flags.update().where(of.account == "birch", of.rule == "silence")
        db.execute(silence.values(state="snoozed", quiet_until=TODAY + 9 * DAY, quiet_facts="{}"))
    before = [row for row in rows(engine, tables.flags) if row["account"] == "birch"]
    merge_accounts(engine, Order("ana", at(TODAY, 15), book), "birch", "acme")
    done = unmerge_account(engine, Order("ana", at(TODAY, 16), book), "birch")
    assert (done.opened, done.reopened) == (1, 2)
    assert [row for row in rows(engine, tables.flags) if row["account"] == "birch"] == before
    assert flags(engine, "open", "snoozed")["acme"] == ["alone"]
    last = [(row["from_state"], row["to_state"]) for row in rows(engine, tables.flag_history)][-3:]
    assert ("resolved", "snoozed") in last


def test_webhooks_are_told_of_flags_that_an_undone_merge_takes_up(
    engine: Engine, tmp_path: Path
) -> None:
    rulebook(tmp_path, SILENCE)
    webhooks = "webhooks: {crm: {url: https://crm.example/, flags: all}}"
    (tmp_path / "rules" / "webhooks.yaml").write_text(webhooks)
    book = read_rulebook(tmp_path / "rules")
    two_accounts(engine, book)
    with writing(engine) as db:
        of = tables.flags.c
        alone = tables.flags.update().where(of.account == "birch", of.rule == "alone")
        db.execute(alone.values(state="acknowledged"))
    merge_accounts(engine, Order("ana", at(TODAY, 15), book), "birch", "acme")
    before = len(rows(engine, tables.webhook_messages))
    unmerge_account(engine, Order("ana", at(TODAY, 16), book), "birch")
    told = [json.loads(row["body"]) for row in rows(engine, tables.webhook_messages)[before:]]
    said = [(one["type"], one["data"]["account"], one["data"]["rule"]) for one in told]
    assert said == [
        ("flag.acknowledged", "birch", "alone"),
        ("flag.reopened", "birch", "silence"),
        ("flag.opened", "acme", "alone"),
    ]
    silence = told[1]["data"]
    assert (silence["state"], silence["previous_state"]) == ("open", "resolved")
    assert silence["reasons"] == ["last contact: 6 days ago (over 5 days)"]


def test_merges_while_batches_come_in_lose_nothing_and_count_nothing_twice(
    postgresql_url: str, tmp_path: Path
) -> None:
    engine, book = engine_for(postgresql_url), rulebook(tmp_path, RULES)
    given_up = [f"acme-{number}" for number in range(12)]
    order = Order("ana", at(TODAY, 15), book)

    def used(user: str) -> list[Raw]:
        of = {"user": user, "feature": "a"}
        return [event("usage", TODAY, account=one, **of) for one in ("acme", *given_up)]

    take_in_on(engine, book, TODAY, *used("kim"), *used("lee"))
    over = Event()

    def send() -> int:
        for number in count():
            take_in_on(engine, book, TODAY, *used("kim"), *used(f"u{number}"))
            if over.is_set():
                return number + 1
        return 0

    with ThreadPoolExecutor(3) as pool:
        senders = [pool.submit(send) for _ in range(3)]
        for account in given_up:
            merge_accounts(engine, order, account, "acme")
        merge_contacts(engine, order, "acme", "kim", "lee")
        unmerge_account(engine, order, "acme-0")
        over.set()
        batches = sum(sender.result() for sender in senders)
    of_each = 2 * batches + 2
    found = {row["account"]: row["count"] for row in rows(engine, tables.usage_days)}
    assert found == {"acme": 12 * of_each, "acme-0": of_each}
    logged = Counter(row["account"] for row in rows(engine, tables.events))
    assert logged == found
    uses = {(row["account"], row["contact"]): row["uses"] for row in rows(engine, FEATURES)}
    assert uses["acme", "lee"] == 12 * (batches + 2)
    assert uses["acme-0", "kim"] == batches + 1
    assert ("acme", "kim") not in uses
    engine.dispose()


def test_what_a_person_has_undone_no_event_does_again(engine: Engine, tmp_path: Path) -> None:
    book = rulebook(tmp_path, RULES)
    order = Order("ana", at(TODAY, 15), book)

    def said() -> Raw:
        return event("contact", TODAY, contact="dana") | {"tiewatchalias": "d"}

    take_in_on(engine, book, TODAY, meeting(TODAY, "d"), meeting(TODAY), said())
    assert contacts(engine) == {"dana"}
    unmerge_contact(engine, order, "acme", "d")
    assert contacts(engine) == {"d", "dana"}
    take_in_on(engine, book, TODAY, said())
    assert contacts(engine) == {"d", "dana"}
    merge_contacts(engine, order, "acme", "d", "dana")
    assert contacts(engine) == {"dana"}


def contacts(engine: Engine) -> set[str]:
    return {row["contact"] for row in rows(engine, tables.ties)}


def test_every_table_about_accounts_is_made_anew_or_known_not_to_be() -> None:
    of_accounts = {one.name for one in tables.metadata.sorted_tables if "account" in one.c}
    assert of_accounts - set(STATS) - {"accounts"} == {
        *("events", "shared_events", "members", "account_merges", "contact_merges"),
        "accounts_behind",
        *("holders", "holdings", "webhook_messages", "webhook_facts"),
        *("flags", "account_holds", "outbox", "messages", "conversations"),
        *("webhook_messages", "webhook_facts"),
        *("reread_accounts", "dispute_accounts"),
    }
