"""Events that name people by their addresses come to what the same events would under ids, whenever
it is said whose domains and addresses they are."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import count, permutations
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

import worker.intake.listening
from tests.flow.test_merging import RULES, emptied, known, take_in
from tests.histories import RECEIVED, Raw, arrivals
from tests.pipeline import event, rows, rulebook
from worker.core.contents import Interaction
from worker.intake.arrivals import Batch, BatchResult
from worker.intake.ingest import ingest
from worker.intake.merging import Order, merge_accounts, merge_contacts, unmerge_account
from worker.rulebooks.rulebook import Rulebook
from worker.store import addressed, merges, rereading, tables, waiting
from worker.store.batches import Counts
from worker.store.database import engine_for, reading
from worker.store.event_log import CONFLICT

PROPERTY = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
DAY = date(2026, 3, 2)

PERSON = {
    "dana@acme.example": ("acme", "dana"),
    "d.ruiz@gmail.com": ("acme", "dana"),
    "kim@eu.acme.example": ("acme", "kim@eu.acme.example"),
    "lee@acme-labs.example": ("acme", "lee@acme-labs.example"),
    "ana@birch.example": ("Birch", "ana"),
    "bo@birch.example": ("Birch", "bo@birch.example"),
}
"""Who an address is in the end."""

REP = {"sam@ours.example": "sam", "zoë@ours.example": "zoë@ours.example"}
CLAIMS = [
    event("account", date(2026, 1, 1), domains=["acme.example", "free.example"]),
    event("account", date(2026, 1, 5), domains=["https://www.acme.example/", "acme-labs.example"]),
    event("account", date(2026, 1, 6), name="Acme"),
    event("account", date(2026, 1, 1), account="Birch", domains=["birch.example"]),
    event("account", date(2026, 1, 9), account="Birch", domains=[]),
    event("contact", date(2026, 1, 2), contact="dana", emails=["Dana@Acme.example"], title="CIO"),
    event(
        *("contact", date(2026, 1, 3)),
        contact="dana",
        emails=["dana+crm@acme.example", "d.ruiz@gmail.com"],
    ),
    event(
        "contact", date(2026, 1, 3), account="Birch", contact="ana", emails=["ana@birch.example"]
    ),
    event("rep", date(2026, 1, 4), account=None, rep="sam", email="Sam@Ours.example"),
]

_number = count(1)


def mail(day: date = DAY, **data: Any) -> Raw:
    """A mail to an account that only its people tell."""
    said = {"channel": "email", "direction": "inbound", "reps": ["sam@ours.example"]} | data
    return event("interaction", day, account=None, **said) | {
        "source": "mail",
        "tiewatchpeople": "email",
    }


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    return rulebook(tmp_path, RULES)


def arrive(engine: Engine, book: Rulebook, *events: Raw) -> BatchResult:
    return ingest(engine, Batch(f"identity-{next(_number)}", events, backfill=True), book, RECEIVED)


def facts(engine: Engine) -> dict[str, Any]:
    """All that is known, without people of whom nothing is but that they were once taken for
    others."""
    return {key: value for key, value in known(engine).items() if key != "workspace"}


@st.composite
def mails(draw: st.DrawFn) -> list[Raw]:
    chance = Random(draw(st.integers(0, 2**32)))
    found = []
    for _ in range(draw(st.integers(1, 8))):
        day = date.fromordinal(DAY.toordinal() - chance.choice([0, 0, 1, 40, 200]))
        people = chance.sample(sorted(PERSON), chance.randint(1, 4))
        copied = [one for one in people[1:] if chance.random() < 0.4]
        found.append(
            mail(
                day,
                channel=chance.choice(["email", "meeting"]),
                reps=chance.sample(sorted(REP), chance.randint(1, 2)),
                contacts=[one for one in people if one not in copied],
                cc=copied or None,
            )
        )
        user = chance.choice(sorted(PERSON))
        used = event("usage", day, account=None, user=user, feature="reports")
        found.append(used | {"tiewatchpeople": "email"})
    return found


def under_ids(raw: Raw) -> list[Raw]:
    """What the event would be had its sender known whom it is about: one for each account."""
    if "tiewatchpeople" not in raw:
        return [raw]
    said = raw["data"]
    people = [*said.get("contacts", ()), *(said.get("cc") or ()), *filter(None, [said.get("user")])]
    found = []
    for account in sorted({PERSON[one][0] for one in people}):

        def of(named: Sequence[str] | None, account: str = account) -> list[str] | None:
            theirs = [one for one in named or () if PERSON[one][0] == account]
            return [PERSON[one][1] for one in theirs] or None

        data = said | {
            "contacts": of(said.get("contacts")) or [],
            "cc": of(said.get("cc")),
            "reps": [REP[one] for one in said.get("reps", ())],
        }
        if raw["type"] == "usage":
            data = said | {"user": PERSON[said["user"]][1]}
        plain = {key: value for key, value in raw.items() if key != "tiewatchpeople"}
        found.append(plain | {"id": f"{raw['id']}@{account}", "subject": account, "data": data})
    return found


@PROPERTY
@given(choice=st.data())
def test_whenever_it_is_said_whose_addresses_are_the_facts_are_those_under_ids(
    engine: Engine, book: Rulebook, choice: st.DataObject
) -> None:
    history = [*CLAIMS, *choice.draw(mails())]
    emptied(engine)
    take_in(engine, book, choice.draw(arrivals(history)))
    found = facts(engine)
    assert rows(engine, tables.waiting_mails) == []
    assert rows(engine, tables.waiting_keys) == []

    emptied(engine)
    take_in(engine, book, [[plain for raw in history for plain in under_ids(raw)]])
    assert found == facts(engine)


def test_a_mail_of_a_domain_that_nobody_claims_waits_and_is_applied_once_it_is_claimed(
    engine: Engine, book: Rulebook
) -> None:
    came = mail(contacts=["dana@eu.acme.example"])
    assert arrive(engine, book, came).counts.received == 0
    assert arrive(engine, book, came).counts.received == 0
    with reading(engine) as db:
        assert waiting.counted(db, 5) == (1, [("eu.acme.example", 1)])
    released = arrive(engine, book, event("account", DAY, domains=["acme.example"]))
    assert released.counts.applied == 2
    assert [row["contact"] for row in rows(engine, tables.tie_days)] == ["dana@eu.acme.example"]
    assert arrive(engine, book, came).counts.duplicates == 1
    with reading(engine) as db:
        assert waiting.counted(db, 5) == (0, [])


def test_free_mail_says_nothing_of_an_account_but_a_contacts_address_does(
    engine: Engine, book: Rulebook
) -> None:
    arrive(engine, book, event("account", DAY, domains=["gmail.com"]))
    arrive(engine, book, mail(contacts=["d.ruiz@gmail.com"]), mail(contacts=["x@gmail.com"]))
    assert rows(engine, tables.tie_days) == []
    arrive(engine, book, event("contact", DAY, contact="dana", emails=["d.ruiz@gmail.com"]))
    assert [row["contact"] for row in rows(engine, tables.tie_days)] == ["dana"]
    with reading(engine) as db:
        assert waiting.counted(db, 5) == (1, [("x@gmail.com", 1)])


def test_a_shared_domain_says_nothing_of_an_account(engine: Engine, book: Rulebook) -> None:
    arrive(engine, book, event("account", DAY, domains=["agency.example"]))
    shared = {"tiewatchshared": "agency.example,other.example"}
    arrive(engine, book, mail(contacts=["x@agency.example"]) | shared)
    assert len(rows(engine, tables.waiting_mails)) == 1


@pytest.mark.parametrize("arrival", [[0, 1, 2], [0, 2, 1]])
def test_of_an_event_with_people_of_no_known_account_the_others_do_not_wait(
    engine: Engine, book: Rulebook, arrival: list[int]
) -> None:
    """And an account that gets them later is as if it had had them all the time."""
    claims = [
        event("account", DAY, domains=["acme.example"]),
        event("account", DAY, domains=["acme.example", "acme-labs.example"]),
    ]
    both = mail(contacts=["dana@acme.example", "lee@acme-labs.example"])
    events = [claims[0], claims[1], both]
    for place in arrival[:2]:
        arrive(engine, book, events[place])
    if arrival[1] == 2:
        assert [row["inbound"] for row in rows(engine, tables.tie_days)] == [100]
    arrive(engine, book, events[arrival[2]])
    assert [row["inbound"] for row in rows(engine, tables.tie_days)] == [71, 71]
    assert rows(engine, tables.waiting_mails) == []


def test_a_domain_claimed_by_two_accounts_puts_its_mails_in_quarantine_with_both_named(
    engine: Engine, book: Rulebook
) -> None:
    arrive(engine, book, event("account", DAY, domains=["acme.example"]))
    arrive(engine, book, mail(contacts=["dana@acme.example"]))
    arrive(engine, book, event("account", DAY, account="Birch", domains=["acme.example"]))
    before = facts(engine)
    refused = arrive(engine, book, mail(contacts=["dana@acme.example"]))
    assert refused.counts.quarantined == 1
    [problem] = refused.rejected[0].problems
    assert "dana@acme.example" in problem
    assert "Birch and acme" in problem
    assert facts(engine) == before  # what was applied before the dispute stays where it was


def test_a_mail_that_has_been_applied_is_a_duplicate_although_its_domain_is_disputed_since(
    engine: Engine, book: Rulebook
) -> None:
    came = mail(contacts=["dana@acme.example"])
    arrive(engine, book, event("account", DAY, domains=["acme.example"]), came)
    arrive(engine, book, event("account", DAY, account="Birch", domains=["acme.example"]))
    assert arrive(engine, book, came).counts == Counts(1, 0, duplicates=1)
    altered = came | {"data": came["data"] | {"direction": "outbound"}}
    [rejected] = arrive(engine, book, altered).rejected
    assert rejected.problems == (CONFLICT,)


def test_of_two_versions_of_a_mail_that_waits_the_first_stands_and_the_other_is_told_so(
    engine: Engine, book: Rulebook
) -> None:
    first = mail(contacts=["dana@acme.example"])
    other = first | {"data": first["data"] | {"contacts": ["lee@birch.example"]}}
    assert arrive(engine, book, first).counts == Counts(waiting=1)
    refused = arrive(engine, book, first | {"traceparent": "x"}, other)
    assert refused.counts == Counts(received=1, quarantined=1, waiting=1)
    assert refused.rejected[0].problems == (CONFLICT,)
    arrive(engine, book, event("account", DAY, account="Birch", domains=["birch.example"]))
    assert rows(engine, tables.tie_days) == []  # nothing of the other version has waited
    refused = arrive(engine, book, other)  # whose people are known by now
    assert refused.rejected[0].problems == (CONFLICT,)
    arrive(engine, book, event("account", DAY, domains=["acme.example"]))
    assert [row["contact"] for row in rows(engine, tables.tie_days)] == ["dana@acme.example"]


def test_two_versions_of_a_mail_in_one_batch_do_not_both_wait(
    engine: Engine, book: Rulebook
) -> None:
    first = mail(contacts=["dana@acme.example"])
    other = first | {"data": first["data"] | {"contacts": ["lee@acme.example"]}}
    refused = arrive(engine, book, first, other)
    assert refused.counts == Counts(received=1, quarantined=1, waiting=1)
    assert refused.rejected[0].index == 1
    arrive(engine, book, event("account", DAY, domains=["acme.example"]))
    assert [row["contact"] for row in rows(engine, tables.tie_days)] == ["dana@acme.example"]


def test_what_two_accounts_dispute_is_settled_by_merging_them(
    engine: Engine, book: Rulebook
) -> None:
    arrive(engine, book, event("account", DAY, domains=["acme.example"]))
    arrive(engine, book, event("account", DAY, account="Birch", domains=["acme.example"]))
    refused = mail(contacts=["dana@acme.example"])
    assert arrive(engine, book, refused).counts.quarantined == 1
    merge_accounts(engine, Order("ana", RECEIVED, book), "acme", "Birch")
    assert arrive(engine, book, refused).counts.applied == 1
    assert [row["account"] for row in rows(engine, tables.tie_days)] == ["Birch"]


@pytest.mark.parametrize("known_as", ["id", "address"])
def test_an_address_first_claimed_under_an_id_that_was_given_up_brings_its_old_mails(
    engine: Engine, book: Rulebook, known_as: str
) -> None:
    order = Order("ana", RECEIVED, book)
    arrive(engine, book, event("account", DAY, domains=["acme.example"]))
    arrive(engine, book, event("account", DAY, account="Birch"))
    arrive(engine, book, mail(contacts=["dana@acme.example"]), event("usage", DAY, user="d"))
    merge_accounts(engine, order, "acme", "Birch")
    if known_as == "address":
        merge_contacts(engine, order, "Birch", "dana@acme.example", "d")
    arrive(engine, book, event("contact", DAY, contact="dana", emails=["dana@acme.example"]))
    ties = [(row["account"], row["contact"]) for row in rows(engine, tables.tie_days)]
    assert ties == [("Birch", "dana")]


def test_a_survey_answered_before_the_address_was_known_is_its_contacts(
    engine: Engine, book: Rulebook
) -> None:
    answered = event("survey", DAY, contact="dana@acme.example", kind="nps", score=3)
    arrive(engine, book, answered | {"tiewatchpeople": "email"})
    arrive(engine, book, event("contact", DAY, contact="dana", emails=["dana@acme.example"]))
    assert [row["contact"] for row in rows(engine, tables.surveys)] == ["dana"]


def test_an_account_that_takes_a_domain_over_gets_its_history(
    engine: Engine, book: Rulebook
) -> None:
    arrive(engine, book, event("account", DAY, domains=["acme.example"]))
    arrive(engine, book, mail(contacts=["dana@acme.example"]))
    arrive(engine, book, event("account", DAY, domains=[]))
    assert [row["account"] for row in rows(engine, tables.tie_days)] == ["acme"]
    arrive(engine, book, event("account", DAY, account="Birch", domains=["acme.example"]))
    assert [row["account"] for row in rows(engine, tables.tie_days)] == ["Birch"]


def test_a_person_goes_from_one_of_a_mails_accounts_to_another_of_them(
    engine: Engine, book: Rulebook
) -> None:
    arrive(engine, book, event("account", DAY, domains=["acme.example"]))
    arrive(engine, book, event("account", DAY, account="Birch", domains=["birch.example"]))
    people = ["zoe@acme.example", "kim@birch.example", "lee@birch.example"]
    arrive(engine, book, mail(contacts=people))
    arrive(engine, book, event("contact", DAY, contact="kim", emails=["kim@birch.example"]))
    ties = rows(engine, tables.tie_days)
    assert [(row["account"], row["contact"], row["inbound"]) for row in ties] == [
        ("Birch", "lee@birch.example", 100),
        ("acme", "kim", 71),
        ("acme", "zoe@acme.example", 71),
    ]


def test_a_history_that_is_read_part_by_part_moves_whole(
    engine: Engine, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rereading, "CHUNK", 3)
    claims = [
        event("account", DAY, domains=["acme.example", "acme-labs.example"]),
        event("account", DAY, account="Birch", domains=["acme.example"]),
    ]
    days = [date.fromordinal(DAY.toordinal() - number) for number in range(10)]
    mails = [mail(one, contacts=["dana@acme.example", "lee@acme-labs.example"]) for one in days]
    arrive(engine, book, claims[0], *mails)
    arrive(engine, book, event("account", DAY, domains=["acme-labs.example"]), claims[1])
    found = facts(engine)
    assert len(rows(engine, tables.shared_events)) == 10
    emptied(engine)
    claims[0]["data"]["domains"] = ["acme-labs.example"]
    arrive(engine, book, *claims, *mails)
    assert found == facts(engine)


def test_a_domain_that_nobody_else_has_claimed_is_given_up_without_anything_being_read_anew(
    engine: Engine, book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The history of a large account takes long to be read, and no batch is at work meanwhile."""
    arrive(engine, book, event("account", DAY, domains=["acme.example"]))
    arrive(engine, book, mail(contacts=["dana@acme.example"]))
    before = facts(engine)
    with monkeypatch.context() as read:
        read.setattr(worker.intake.listening, "rebuild", lambda *_: pytest.fail("read anew"))
        arrive(engine, book, event("account", DAY, domains=[]))
    assert facts(engine) == before


@pytest.mark.parametrize("word", ["domain", "member"])
def test_of_an_event_that_waited_and_another_version_that_comes_with_the_word_the_first_stands(
    engine: Engine, book: Rulebook, word: str
) -> None:
    if word == "domain":
        told = event("account", DAY, domains=["acme.example"])
        first = mail(contacts=["dana@acme.example"])
        other = first | {"data": first["data"] | {"contacts": ["lee@acme.example"]}}
    else:
        told = event("contact", DAY, contact="u") | {"tiewatchmember": "u"}
        first = event("usage", DAY, account=None, user="u") | {"tiewatchmember": "u"}
        other = first | {"data": {"user": "u", "count": 9}}
    assert arrive(engine, book, first).counts.waiting == 1
    result = arrive(engine, book, told, other)
    assert [(one.index, one.problems) for one in result.rejected] == [(1, (CONFLICT,))]
    [kept] = [row for row in rows(engine, tables.events) if row["id"] == first["id"]]
    assert json.loads(kept["body"])["data"] == first["data"]


SAID_OF_EITHER = [
    event("contact", date(2026, 1, 7), contact="lee", emails=["lee@acme-labs.example"]),
    event("contact", date(2026, 1, 7), account="Birch", contact="bo", emails=["bo@birch.example"]),
    event("contact", date(2026, 1, 7), account="Birch", contact="k", emails=["k@gmail.com"]),
    event("contact", date(2026, 1, 8), contact="kay", emails=["kim@eu.acme.example"]),
    event("contact", date(2026, 1, 8), account="Birch", contact="kay", emails=["kay@acme.example"]),
]


@st.composite
def mails_of_either(draw: st.DrawFn) -> list[Raw]:
    """Some say whose they are, by the one id or the other."""
    chance = Random(draw(st.integers(0, 2**32)))
    more = [mail(contacts=["kay@acme.example"]), mail(contacts=["k@gmail.com"])]
    return [
        one | ({"subject": subject} if subject else {})
        for one in [*draw(mails()), *more]
        for subject in [chance.choice([None, None, "acme", "Birch"])]
    ]


@PROPERTY
@given(choice=st.data())
def test_after_a_merge_addresses_are_of_whom_they_were_under_one_id(
    engine: Engine, book: Rulebook, choice: st.DataObject
) -> None:
    told = [*CLAIMS, *SAID_OF_EITHER, *choice.draw(mails_of_either())]
    emptied(engine)
    arriving = choice.draw(st.permutations(told))
    place = choice.draw(st.integers(0, len(told)))
    both = [event("account", date(2026, 1, 1), account=one, name=one) for one in ("acme", "Birch")]
    take_in(engine, book, [both, *([one] for one in arriving[:place])])
    order = Order("ana", RECEIVED, book)
    merge_accounts(engine, order, "Birch", "acme")
    take_in(engine, book, [[one] for one in arriving[place:]])
    merged = facts(engine)
    unmerge_account(engine, order, "Birch")
    undone = facts(engine)

    emptied(engine)
    take_in(engine, book, [[*both, *told]])
    assert undone == facts(engine)
    emptied(engine)
    under_one = [one | {"subject": "acme"} if one.get("subject") else one for one in [*both, *told]]
    take_in(engine, book, [under_one])
    assert merged == facts(engine)


def test_accounts_that_are_merged_have_their_common_mails_once(
    engine: Engine, book: Rulebook
) -> None:
    arrive(engine, book, event("account", DAY, domains=["acme.example"]))
    arrive(engine, book, event("account", DAY, account="Birch", domains=["birch.example"]))
    arrive(engine, book, mail(contacts=["dana@acme.example", "bo@birch.example"]))
    assert [row["inbound"] for row in rows(engine, tables.tie_days)] == [100, 100]
    merge_accounts(engine, Order("ana", RECEIVED, book), "Birch", "acme")
    found = [(row["account"], row["inbound"]) for row in rows(engine, tables.tie_days)]
    assert found == [("acme", 71), ("acme", 71)]
    assert rows(engine, tables.shared_events) == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_contacts_new_address_makes_one_person_of_two(
    engine: Engine, book: Rulebook, order: Sequence[int]
) -> None:
    events = [
        event("contact", DAY, contact="dana", title="CIO", emails=["dana@acme.example"]),
        mail(contacts=["Dana <DANA+x@acme.example>"]) | {"subject": "acme"},
        event("usage", DAY, user="dana"),
    ]
    for place in order:
        arrive(engine, book, events[place])
    assert [row["contact"] for row in rows(engine, tables.contacts)] == ["dana"]


def test_who_names_nobody_is_told_so(engine: Engine, book: Rulebook) -> None:
    used = event("usage", DAY, account=None, feature="x") | {"tiewatchpeople": "email"}
    [rejected] = arrive(engine, book, used).rejected
    assert "names no contact" in rejected.problems[0]
    [rejected] = arrive(engine, book, mail(contacts=["dana"])).rejected
    assert '"dana" is no e-mail address' in rejected.problems[0]


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_a_reps_address_is_the_rep_whenever_that_is_said(
    engine: Engine, book: Rulebook, order: Sequence[int]
) -> None:
    events = [
        mail(contacts=["dana@acme.example"]) | {"subject": "acme"},
        event("rep", DAY, account=None, rep="sam", email="Sam@Ours.example"),
    ]
    for place in order:
        arrive(engine, book, events[place])
    assert [row["rep"] for row in rows(engine, tables.tie_days)] == ["sam"]
    assert [row["rep"] for row in rows(engine, tables.reps)] == ["sam"]


def test_a_replay_reads_the_log_as_it_is_read_today(engine: Engine, book: Rulebook) -> None:
    arrive(engine, book, *CLAIMS, mail(contacts=["dana@acme.example"], cc=["bo@birch.example"]))
    with reading(engine) as db:
        found = [one for one in rereading.everything(db, RECEIVED) if one.type == "interaction"]
    told = {one.account: one.data for one in found}
    assert told.keys() == {"acme", "Birch"}
    assert isinstance(told["acme"], Interaction)
    assert isinstance(told["Birch"], Interaction)
    assert (told["acme"].contacts, told["acme"].cc) == (["dana"], [])
    assert (told["Birch"].contacts, told["Birch"].cc) == ([], ["bo@birch.example"])
    assert told["acme"].reps == ["sam"]


def test_a_mail_and_the_word_whose_it_is_do_not_miss_each_other(
    postgresql_url: str, book: Rulebook
) -> None:
    engine = engine_for(postgresql_url)
    came = mail(contacts=["dana@acme.example"])
    with ThreadPoolExecutor(1) as beside:
        with engine.begin() as db:
            merges.take_turn(db, alone=False)
            addressed.settle(db, [came], {}, RECEIVED, alone=False)
            word = event("account", DAY, domains=["acme.example"])
            told = beside.submit(arrive, engine, book, word)
            with pytest.raises(TimeoutError):
                told.result(timeout=0.5)  # it waits until the mail is seen to wait
        assert told.result().counts.applied == 2
    assert rows(engine, tables.waiting_mails) == []
    engine.dispose()


ODD: list[Any] = [
    *(None, "", 0, True, [], {}, [None], [["a@b.example"]], "a@b.example", "A+x@B.example"),
    *("@", "a@b", "x@gmail.com", "\x00", "\ud800a@b.example", "a\x00@b.example", "b.example"),
    *(["a@b.example"] * 3, "a" * 400 + "@b.example", "acme", "dana"),
]


def odd_event(chance: Random) -> Any:
    """Something that may be an event, with addresses and what is none everywhere."""
    if chance.random() < 0.05:
        return chance.choice(ODD)
    kind = chance.choice(["interaction", "usage", "contact", "rep", "account", "survey", None, []])
    fitting: list[Any] = [["a@b.example"], ["sam@ours.example"], "call", "inbound", "nps", 5]
    names = ("reps", "contacts", "cc", "user", "contact", "emails", "domains", "email", "rep")
    fields = (*names, "channel", "direction", "kind", "score")
    data = {name: chance.choice(ODD + fitting) for name in fields if chance.random() < 0.6}
    head = {"id": str(next(_number)), "source": "s", "time": f"{DAY}T00:00:00Z", "type": kind}
    attributes = ("subject", "tiewatchpeople", "tiewatchshared", "tiewatchmember")
    said = {name: chance.choice(ODD) for name in attributes if chance.random() < 0.3}
    by_email = {"tiewatchpeople": "email"} if chance.random() < 0.5 else {}
    return head | said | by_email | {"data": data}


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_events_say_of_people_their_batch_goes_through(
    engine: Engine, book: Rulebook, seed: int
) -> None:
    chance = Random(seed)
    for _ in range(25):
        sent = json.loads(json.dumps([odd_event(chance) for _ in range(20)]))
        counts = arrive(engine, book, *sent).counts
        assert counts.received == counts.applied + counts.duplicates + counts.quarantined
