"""Whose account a user's events are of: the user's latest group's, whatever arrives first."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from tests.flow.test_any_order import outcome
from tests.flow.test_merging import RULES, emptied, take_in
from tests.histories import ACCOUNTS, RECEIVED, Raw, arrivals
from tests.pipeline import rows, rulebook
from worker.intake.arrivals import Batch
from worker.intake.ingest import ingest
from worker.rulebooks.rulebook import Rulebook
from worker.store import tables
from worker.store.batches import Counts
from worker.store.database import engine_for
from worker.store.event_log import CONFLICT


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    return rulebook(tmp_path, RULES)


def said(id_: str, day: int, member: str, type_: str, data: Raw, account: str | None = None) -> Raw:
    head = {"id": id_, "source": "app", "type": type_, "time": f"2026-03-{day:02}T10:00:00Z"}
    subject = {"subject": account} if account else {}
    return head | subject | {"tiewatchmember": member, "data": data}


@st.composite
def calls(draw: st.DrawFn) -> list[Raw]:
    """What a product sends of three users who change groups now and then, and turn out to be one
    another; and what somebody else sends of contacts of these names."""
    chance = Random(draw(st.integers(0, 2**32)))
    found = []
    for number in range(draw(st.integers(1, 25))):
        member, day, account = chance.choice(USERS), chance.randint(1, 9), None
        kind, data = chance.choice(
            [
                ("usage", {"user": member, "feature": chance.choice(["a", "b"]), "count": 2}),
                ("contact", {"contact": member, "title": chance.choice(["CIO", "Analyst"])}),
                ("survey", {"kind": "nps", "score": 9, "contact": member}),
                ("account", {}),
                ("alias", {}),
                ("meeting", {"channel": "meeting", "reps": ["sam"], "contacts": [member, "zoe"]}),
            ]
        )
        if kind in ("account", "meeting") or chance.random() < 0.2:
            account = chance.choice(ACCOUNTS)
        alias = {}
        if kind == "alias":
            before, member = chance.choice(SAME)
            kind, data, alias = "contact", {"contact": member}, {"tiewatchalias": before}
        raw = said(f"{number * 7919 % 1009}", day, member, kind, data, account) | alias
        if kind == "meeting":
            raw |= {"type": "interaction", "source": "crm"}
            del raw["tiewatchmember"]
        found.append(raw)
    return found


USERS = ["ana", "Kim", "lee"]
SAME = [("ana", "Kim"), ("Kim", "lee"), ("ana", "lee")]


def in_order(events: list[Raw]) -> list[Raw]:
    return sorted(events, key=lambda event: (event["time"], event["id"]))


def who_is_who(events: list[Raw]) -> dict[str, frozenset[str]]:
    """By member, all who are the same."""
    classes = {member: frozenset({member}) for member in USERS}
    for event in events:
        if "tiewatchalias" in event:
            one = classes[event["tiewatchalias"]] | classes[event["tiewatchmember"]]
            classes |= dict.fromkeys(one, one)
    return classes


def latest_groups(events: list[Raw]) -> dict[str, str]:
    """By member, the account of the latest group that it or another name of it was put into."""
    classes, accounts = who_is_who(events), {}
    for event in in_order(events):
        if "tiewatchmember" in event and "subject" in event:
            accounts |= dict.fromkeys(classes[event["tiewatchmember"]], event["subject"])
    return accounts


def told_plainly(events: list[Raw]) -> list[Raw]:
    """The same events, each sent for the account and the contacts that it is about; without those
    of which nobody has said whose they are."""
    accounts = latest_groups(events)
    found = [
        {"subject": accounts[event["tiewatchmember"]]} | event
        if "tiewatchmember" in event
        else event
        for event in events
        if event.get("tiewatchmember") in accounts or "subject" in event
    ]
    survivors = {
        (event["subject"], event["tiewatchalias"]): event["tiewatchmember"]
        for event in in_order(found)
        if "tiewatchalias" in event
    }

    def person(account: str, contact: str) -> str:
        survivor = survivors.get((account, contact))
        return contact if survivor is None else person(account, survivor)

    plain = []
    for event in found:
        account, data = event["subject"], dict(event["data"])
        for field in ("user", "contact"):
            if field in data:
                data[field] = person(account, data[field])
        if "contacts" in data:
            data["contacts"] = [person(account, one) for one in data["contacts"]]
        kept = {k: v for k, v in event.items() if k not in ("tiewatchmember", "tiewatchalias")}
        plain.append(kept | {"data": data})
    return plain


def known(engine: Engine) -> dict[str, Any]:
    with engine.connect() as db:
        return outcome(db)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.data())
def test_in_any_order_a_users_events_are_of_the_users_latest_group_and_of_one_contact(
    engine: Engine, book: Rulebook, choice: st.DataObject
) -> None:
    events = choice.draw(calls())
    emptied(engine)
    take_in(engine, book, choice.draw(arrivals(events)))
    found = known(engine)

    plain = told_plainly(events)
    logged = {row["id"]: row["account"] for row in rows(engine, tables.events)}
    assert logged == {event["id"]: event["subject"] for event in plain}
    emptied(engine)
    take_in(engine, book, [plain])
    assert found == known(engine)


LIKE_A_DICTIONARY = """
CREATE SCHEMA dictionary;
CREATE FUNCTION dictionary.is_later(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN pg_collation_for($1) = '"C"' THEN $1 OPERATOR(pg_catalog.>) $2
        ELSE lower($1) OPERATOR(pg_catalog.>) lower($2) END
$$;
CREATE OPERATOR dictionary.> (LEFTARG = text, RIGHTARG = text, FUNCTION = dictionary.is_later);
"""
"""Lets texts that are not told to compare by character do so as in a language's dictionaries. The
server of the tests has no collation that does."""


@pytest.fixture(params=["dictionary", "sqlite"])
def any_language_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A database whose language sorts `a` before `B`, and one that knows no language."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_engine")
        return
    url = make_url(request.getfixturevalue("postgresql_url"))
    with create_engine(url, poolclass=NullPool).begin() as db:
        db.execute(text(LIKE_A_DICTIONARY))
        db.execute(
            text(f"ALTER DATABASE {url.database} SET search_path = dictionary, pg_catalog, public")
        )
    engine = engine_for(url.render_as_string(hide_password=False))
    yield engine
    engine.dispose()


@pytest.mark.parametrize("batches", [[[0, 1]], [[0], [1]], [[1], [0]]])
@pytest.mark.parametrize(
    ("earlier", "later"),
    [(("B1", "2026-03-01"), ("a1", "2026-03-01")), (("1", "1969-02-01"), ("2", "1969-03-01"))],
    ids=["by id", "before 1970"],
)
def test_of_two_groups_the_later_counts_in_any_batches_whatever_the_databases_language(
    any_language_engine: Engine,
    book: Rulebook,
    earlier: tuple[str, str],
    later: tuple[str, str],
    batches: list[list[int]],
) -> None:
    groups = [
        said(id_, 1, "lee", "account", {}, account) | {"time": f"{day}T10:00:00Z"}
        for account, (id_, day) in (("beta", earlier), ("acme", later))
    ]
    take_in(any_language_engine, book, [[groups[place] for place in one] for one in batches])
    assert [row["account"] for row in rows(any_language_engine, tables.members)] == ["acme"]


def test_what_an_event_says_of_contacts_goes_with_it_to_another_account(
    sqlite_engine: Engine, book: Rulebook
) -> None:
    """An older statement about the same contact is in force again where the later one was."""
    older = said("1", 1, "Kim", "contact", {"contact": "Kim"}, "acme")
    later = said("2", 3, "lee", "contact", {"contact": "lee"})
    group = said("3", 2, "lee", "account", {}, "acme"), said("4", 4, "lee", "account", {}, "Birch")
    met = said("5", 5, "zoe", "usage", {"user": "ana"}, "acme")
    same = {"tiewatchalias": "ana"}
    take_in(sqlite_engine, book, [[met], [older | same], [group[0], later | same]])
    assert users(sqlite_engine) == {"lee"}
    take_in(sqlite_engine, book, [[group[1]]])
    assert users(sqlite_engine) == {"Kim"}


def test_of_two_versions_of_an_event_that_waits_the_first_stands_and_the_other_is_told_so(
    engine: Engine, book: Rulebook
) -> None:
    first = said("1", 1, "lee", "usage", {"user": "lee", "feature": "a"})
    other = said("1", 1, "lee", "usage", {"user": "lee", "feature": "b"})
    broken = said("2", 1, "lee", "usage", {"user": 5})
    refused = ingest(engine, Batch("1", [first, other, broken]), book, RECEIVED)
    assert refused.counts == Counts(received=2, quarantined=2, waiting=1)
    assert [one.index for one in refused.rejected] == [1, 2]
    assert refused.rejected[0].problems == (CONFLICT,)
    again = ingest(engine, Batch("2", [first, other]), book, RECEIVED)
    assert again.counts == Counts(received=1, quarantined=1, waiting=1)
    take_in(engine, book, [[said("3", 1, "lee", "account", {}, "acme")]])
    assert [row["feature"] for row in rows(engine, tables.feature_days)] == ["a"]


def users(engine: Engine) -> set[str]:
    return {row["contact"] for row in rows(engine, tables.feature_days)}


ADDRESS = {
    "ana@free.example": "ana",
    "a.r@gmail.com": "ana",
    "kim@free.example": "Kim",
    "lee@free.example": "lee",
}
"""Whose an address is, once the product has said so."""


@st.composite
def calls_and_mails(draw: st.DrawFn) -> list[Raw]:
    """What a product sends of users who change groups and have addresses, and mails to those."""
    chance = Random(draw(st.integers(0, 2**32)))
    found = []
    for number in range(chance.randint(4, 16)):
        id_, day, address = f"{number * 7919 % 1009}", chance.randint(1, 9), chance.choice(MAILED)
        user = ADDRESS[address]
        match chance.choice(["group", "group", "identify", "identify", "alias", "mail", "mail"]):
            case "group":
                found.append(said(id_, day, user, "account", {}, chance.choice(ACCOUNTS)))
            case "identify":
                emails = [one for one in MAILED if ADDRESS[one] == user and chance.random() < 0.7]
                data = {"contact": user, "emails": emails, "title": chance.choice(["CIO", "Chef"])}
                found.append(said(id_, day, user, "contact", data))
            case "alias":
                same = said(id_, day, "Kim", "contact", {"contact": "Kim"})
                found.append(same | {"tiewatchalias": "ana"})
            case _:
                others = chance.sample(MAILED, chance.randint(0, 2))
                people = {"reps": ["sam"], "contacts": sorted({address, *others})}
                mail = said(id_, day, "", "interaction", {"channel": "meeting"} | people)
                del mail["tiewatchmember"]
                found.append(mail | {"source": "mail", "tiewatchpeople": "email"})
    return found


MAILED = sorted(ADDRESS)


def told_by_ids(events: list[Raw]) -> list[Raw]:
    """The same events, each mail for the accounts and contacts of its people that are known."""
    groups = latest_groups(events)
    named = {one for event in events for one in event["data"].get("emails", ())}
    users = {one: user for one, user in ADDRESS.items() if one in named and user in groups}
    plain = []
    for event in events:
        if "tiewatchpeople" not in event:
            plain.append(event)
            continue
        people = [users[one] for one in event["data"]["contacts"] if one in users]
        head = {name: value for name, value in event.items() if name != "tiewatchpeople"}
        for account in sorted({groups[one] for one in people}):
            theirs = [one for one in people if groups[one] == account]
            of_it = {"id": f"{head['id']}@{account}", "subject": account}
            plain.append(head | of_it | {"data": head["data"] | {"contacts": theirs}})
    return told_plainly(plain)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.data())
def test_in_any_order_mails_to_a_user_are_of_the_users_latest_group(
    engine: Engine, book: Rulebook, choice: st.DataObject
) -> None:
    events = choice.draw(calls_and_mails())
    emptied(engine)
    take_in(engine, book, choice.draw(arrivals(events)))
    found = known(engine)

    emptied(engine)
    take_in(engine, book, [told_by_ids(events)])
    assert found == known(engine)


@pytest.mark.parametrize("mails_come", ["before the change", "after it", "before anything"])
def test_a_user_who_changes_groups_takes_addresses_and_mails_along(
    engine: Engine, book: Rulebook, mails_come: str
) -> None:
    identify = said("1", 1, "lee", "contact", {"contact": "lee", "emails": ["lee@gmail.com"]})
    groups = said("2", 2, "lee", "account", {}, "acme"), said("3", 3, "lee", "account", {}, "Birch")
    people = {"reps": ["sam"], "contacts": ["lee@gmail.com"]}
    mail = said("4", 4, "", "interaction", {"channel": "meeting"} | people)
    mail |= {"source": "mail", "tiewatchpeople": "email"}
    del mail["tiewatchmember"]
    arriving = [[identify, groups[0]], [groups[1]]]
    arriving.insert(["before anything", "before the change", "after it"].index(mails_come), [mail])
    take_in(engine, book, arriving)
    found = {(row["account"], row["contact"]) for row in rows(engine, tables.tie_days)}
    assert found == {("Birch", "lee")}
    held = {(row["key"], row["account"]) for row in rows(engine, tables.holdings)}
    assert held == {("lee@gmail.com", "Birch")}
