"""What makes an event valid, what is read into it, and how every problem of a bad one is named."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from worker.core.contents import Account, Contact, Interaction, Subscription, Usage
from worker.core.events import Event, Quarantined, parse, same_content

RECEIVED = datetime(2026, 3, 10, 12, tzinfo=UTC)

MEETING = {"channel": "meeting", "reps": ["sam"], "contacts": ["dana"]}

LEAST: dict[str, dict[str, Any]] = {
    "interaction": MEETING,
    "usage": {},
    "account": {},
    "contact": {"contact": "dana"},
    "rep": {"rep": "sam"},
    "subscription": {"subscription": "s1", "status": "started"},
    "survey": {"kind": "nps", "score": 9},
    "ticket": {"ticket": "t1", "status": "opened"},
    "outcome": {"goal": "g1"},
}
"""The least that an event of each type must say."""

MOST: dict[str, dict[str, Any]] = {
    "interaction": {
        "channel": "email",
        "direction": "inbound",
        "reps": ["sam", "ana"],
        "contacts": ["dana"],
        "cc": ["lee"],
        "duration_minutes": 30.5,
        "status": "held",
        "automatic": "bulk",
        "thread": "t",
    },
    "usage": {"user": "dana", "feature": "export", "count": 3, "minutes": 2.5},
    "account": {
        "name": "Acme",
        "segment": "smb",
        "owner": "sam",
        "seats": 10,
        "mrr": 99.5,
        "currency": "EUR",
        "renewal_date": "2026-12-31",
        "lifecycle": "onboarding",
        "domains": ["acme.example"],
        "timezone": "Europe/Paris",
        "parent": "acme-group",
        "region": "emea",
    },
    "contact": {
        "contact": "dana",
        "name": "Dana",
        "title": "CIO",
        "level": "c_level",
        "role": "economic_buyer",
        "function": "it",
        "emails": ["d@acme.example"],
        "left": False,
    },
    "rep": {
        "rep": "sam",
        "name": "Sam",
        "email": "s@vendor.example",
        "slack_user": "U1",
        "timezone": "UTC",
        "manager": "ana",
        "left": True,
    },
    "subscription": {
        "subscription": "s1",
        "status": "renewed",
        "plan": "pro",
        "mrr": 10,
        "seats": 5,
        "term_start": "2026-01-01",
        "term_end": "2027-01-01",
    },
    "survey": {"kind": "csat", "score": 5, "contact": "dana"},
    "ticket": {
        "ticket": "t1",
        "status": "escalated",
        "priority": "p1",
        "defect": True,
        "topic": "export",
    },
    "outcome": {
        "goal": "g1",
        "target": 100,
        "value": 40,
        "progress": 40,
        "cost": 1.5,
        "benefit": 3,
        "achieved": False,
    },
}


def raw(kind: str = "interaction", data: Any = None, **envelope: Any) -> dict[str, Any]:
    event = {
        "id": "4711",
        "source": "crm",
        "type": kind,
        "time": "2026-03-09T09:30:00Z",
        "subject": "acme",
        "data": LEAST[kind] if data is None else data,
    }
    return event | envelope


def read(event: object) -> Event:
    found = parse(event, RECEIVED)
    assert isinstance(found, Event), found
    return found


def problems(event: object) -> tuple[str, ...]:
    found = parse(event, RECEIVED)
    assert isinstance(found, Quarantined), found
    return found.problems


def without(event: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in names}


# What is good


@pytest.mark.parametrize("kind", LEAST)
def test_every_type_is_read_with_the_least_and_with_all_it_can_say(kind: str) -> None:
    assert read(raw(kind)).type == kind
    found = read(raw(kind, MOST[kind]))
    assert type(found.data).__name__.lower() == kind
    assert json.loads(found.body) == raw(kind, MOST[kind])


@pytest.mark.parametrize("kind", LEAST)
def test_null_is_taken_for_every_optional_field(kind: str) -> None:
    nulls = dict.fromkeys(without(MOST[kind], *LEAST[kind])) | LEAST[kind]
    read(raw(kind, nulls))


def test_an_event_belongs_to_the_account_of_its_subject_and_a_rep_event_to_none() -> None:
    assert read(raw()).account == "acme"
    assert read(without(raw("rep"), "subject")).account is None
    assert read(raw("rep")).account is None


def test_specversion_may_be_absent_or_1_0() -> None:
    read(raw(specversion="1.0"))
    assert len(problems(raw(specversion="0.3"))) == 1


def test_unknown_keys_are_kept_in_the_body_and_ignored() -> None:
    event = raw(data=MEETING | {"mood": "fine"}, traceparent="00-1", datacontenttype="text/json")
    found = read(event)
    assert json.loads(found.body) == event
    assert found.data == read(raw()).data


@pytest.mark.parametrize("channel", ["meeting", "call", "other"])
def test_meetings_and_calls_are_mutual_unless_they_say_otherwise(channel: str) -> None:
    for said, way in ((None, "mutual"), ("inbound", "inbound"), ("outbound", "outbound")):
        data = read(raw(data=MEETING | {"channel": channel, "direction": said})).data
        assert isinstance(data, Interaction)
        assert data.way == way
    assert isinstance(unsaid := read(raw(data=MEETING | {"channel": channel})).data, Interaction)
    assert unsaid.way == "mutual"


def test_an_interaction_may_name_its_contacts_in_cc_alone() -> None:
    read(raw(data=MEETING | {"contacts": [], "cc": ["lee"]}))


@pytest.mark.parametrize("written", [10, 10.0])
def test_whole_numbers_may_be_written_as_floats(written: float) -> None:
    account = read(raw("account", {"seats": written})).data
    assert isinstance(account, Account)
    assert (account.seats, type(account.seats)) == (10, int)
    usage = read(raw("usage", {"count": written})).data
    assert isinstance(usage, Usage)
    assert (usage.count, type(usage.count)) == (10, int)
    subscription = read(raw("subscription", LEAST["subscription"] | {"seats": written})).data
    assert isinstance(subscription, Subscription)
    assert subscription.seats == 10


def test_absent_and_null_are_told_apart_in_attributes() -> None:
    said = read(raw("contact", {"contact": "dana", "title": None})).data
    unsaid = read(raw("contact", {"contact": "dana"})).data
    assert isinstance(said, Contact)
    assert isinstance(unsaid, Contact)
    assert said.title is None
    assert unsaid.title is not None


def test_ids_of_other_alphabets_are_kept_as_they_are() -> None:
    found = read(raw(id="ё/1 ", subject="ço é", data=MEETING | {"contacts": ["Ömer"]}))
    assert (found.id, found.account) == ("ё/1 ", "ço é")


# Time


@pytest.mark.parametrize(
    ("time", "utc", "day"),
    [
        ("2026-03-09T23:59:59Z", "2026-03-09T23:59:59+00:00", "2026-03-09"),
        ("2026-03-09T23:30:00-01:00", "2026-03-10T00:30:00+00:00", "2026-03-10"),
        ("2026-03-10T00:30:00+01:00", "2026-03-09T23:30:00+00:00", "2026-03-09"),
        ("2026-03-10T05:44:59+05:45", "2026-03-09T23:59:59+00:00", "2026-03-09"),
        ("2026-03-09t09:30:00z", "2026-03-09T09:30:00+00:00", "2026-03-09"),
        ("2026-03-09T09:30:00.25Z", "2026-03-09T09:30:00.250000+00:00", "2026-03-09"),
        ("2026-03-09T09:30:00-00:00", "2026-03-09T09:30:00+00:00", "2026-03-09"),
        ("1998-01-02T16:43:56Z", "1998-01-02T16:43:56+00:00", "1998-01-02"),
    ],
)
def test_time_is_an_instant_and_its_day_the_utc_date(time: str, utc: str, day: str) -> None:
    found = read(raw(time=time))
    assert found.time == datetime.fromisoformat(utc)
    assert found.time.utcoffset() == timedelta()
    assert found.day == datetime.fromisoformat(day).toordinal()


@pytest.mark.parametrize("digits", ["9999999", "999999999"])
def test_a_finer_fraction_than_microseconds_does_not_carry_an_event_into_the_next_day(
    digits: str,
) -> None:
    found = read(raw(time=f"2026-03-09T23:59:59.{digits}Z"))
    assert found.day == datetime(2026, 3, 9).toordinal()


@pytest.mark.parametrize(
    ("time", "good"),
    [
        ("2026-03-11T12:00:00Z", True),
        ("2026-03-11T14:00:00+02:00", True),
        ("2026-03-11T12:00:00.000001Z", False),
        ("2026-03-11T11:59:59-00:01", False),
        ("3000-01-01T00:00:00Z", False),
        ("9999-12-31T23:59:59Z", False),
    ],
)
def test_time_may_be_24_hours_ahead_of_receipt_and_no_more(time: str, good: bool) -> None:
    if good:
        read(raw(time=time))
    else:
        assert problems(raw(time=time)) == (
            f"'time' \"{time}\" is more than 24 hours ahead of its receipt",
        )


@pytest.mark.parametrize("time", ["2026-03-09T09:30:00", "2026-03-09T09:30:00.5"])
def test_a_time_without_an_offset_is_told_to_have_one(time: str) -> None:
    (problem,) = problems(raw(time=time))
    assert "'time'" in problem
    assert "offset" in problem


@pytest.mark.parametrize(
    "time",
    [
        "",
        "yesterday",
        "2026-03-09",
        "09:30:00Z",
        "03/09/2026",
        "2026-02-30T00:00:00Z",
        "2026-03-09T25:00:00Z",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:00:00-05:00",
        1_773_000_000,
        1.5,
        None,
        True,
        {},
        ["2026-03-09T09:30:00Z"],
    ],
)
def test_what_is_no_time_is_one_problem_of_time(time: object) -> None:
    (problem,) = problems(raw(time=time))
    assert "'time'" in problem


# What is missing


@pytest.mark.parametrize("name", ["id", "source", "type", "time", "data"])
def test_every_field_of_the_envelope_is_required(name: str) -> None:
    (problem,) = problems(without(raw("account"), name))
    assert problem == f"'{name}' is missing"


@pytest.mark.parametrize("kind", [kind for kind in LEAST if kind != "rep"])
def test_a_subject_is_required_but_for_a_rep(kind: str) -> None:
    for event in (without(raw(kind), "subject"), raw(kind, subject=None)):
        (problem,) = problems(event)
        assert problem.startswith("'subject' is missing")
    (problem,) = problems(raw(kind, subject=""))
    assert "'subject'" in problem


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, least in LEAST.items() for name in least]
)
def test_every_required_field_of_a_type_is_named_when_missing_or_null(kind: str, name: str) -> None:
    assert problems(raw(kind, without(LEAST[kind], name))) == (f"'{name}' is missing",)
    (problem,) = problems(raw(kind, LEAST[kind] | {name: None}))
    assert problem.startswith(f"'{name}' must be")


@pytest.mark.parametrize(("channel", "named"), [("email", "an email"), ("chat", "a chat")])
def test_email_and_chat_must_say_their_direction(channel: str, named: str) -> None:
    for data in (MEETING | {"channel": channel}, MEETING | {"channel": channel, "direction": None}):
        assert problems(raw(data=data)) == (
            f"'direction' is missing: {named} must say inbound or outbound",
        )
        read(raw(data=data | {"direction": "inbound"}))


def test_an_interaction_names_a_rep_and_a_contact() -> None:
    assert len(problems(raw(data=MEETING | {"reps": []}))) == 1
    assert len(problems(raw(data=MEETING | {"contacts": []}))) == 1
    assert len(problems(raw(data=MEETING | {"contacts": [], "cc": []}))) == 1
    assert len(problems(raw(data=MEETING | {"contacts": [], "reps": []}))) == 2


# What is wrong


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("interaction", "channel", "fax"),
        ("interaction", "direction", "both"),
        ("interaction", "reps", "sam"),
        ("interaction", "reps", [7]),
        ("interaction", "reps", [""]),
        ("interaction", "reps", [None]),
        ("interaction", "contacts", {"dana": 1}),
        ("interaction", "cc", "lee"),
        ("interaction", "duration_minutes", "60"),
        ("interaction", "duration_minutes", -1),
        ("interaction", "status", "done"),
        ("interaction", "automatic", True),
        ("usage", "user", 7),
        ("usage", "user", ""),
        ("usage", "count", 0),
        ("usage", "count", -1),
        ("usage", "count", 1.5),
        ("usage", "count", "3"),
        ("usage", "count", True),
        ("usage", "minutes", "5"),
        ("account", "seats", -1),
        ("account", "seats", 10.5),
        ("account", "seats", "10"),
        ("account", "mrr", "1,200"),
        ("account", "renewal_date", "31.12.2026"),
        ("account", "renewal_date", "2026-02-30"),
        ("account", "renewal_date", 20261231),
        ("account", "lifecycle", "dormant"),
        ("account", "owner", ["sam"]),
        ("account", "domains", "acme.example"),
        ("contact", "contact", ""),
        ("contact", "level", "ceo"),
        ("contact", "role", "boss"),
        ("contact", "left", "yes"),
        ("contact", "left", 1),
        ("contact", "emails", "d@acme.example"),
        ("rep", "rep", 7),
        ("rep", "left", "no"),
        ("rep", "manager", ""),
        ("subscription", "subscription", 1),
        ("subscription", "status", "paused"),
        ("subscription", "seats", 1.5),
        ("subscription", "term_start", "soon"),
        ("subscription", "term_end", "2026-13-01"),
        ("survey", "kind", "ces"),
        ("ticket", "ticket", 1),
        ("ticket", "status", "closed"),
        ("ticket", "defect", "true"),
        ("outcome", "goal", ""),
        ("outcome", "progress", 101),
        ("outcome", "progress", -1),
        ("outcome", "achieved", "yes"),
    ],
)
def test_a_field_of_the_wrong_kind_is_the_one_problem_named(
    kind: str, name: str, value: object
) -> None:
    (problem,) = problems(raw(kind, LEAST[kind] | {name: value}))
    assert problem.startswith(f"'{name}' must be ")


@pytest.mark.parametrize(
    ("kind", "score", "good"),
    [
        ("nps", 0, True),
        ("nps", 10, True),
        ("nps", -1, False),
        ("nps", 11, False),
        ("nps", "9", False),
        ("nps", "positive", False),
        ("csat", 1, True),
        ("csat", 5, True),
        ("csat", 0, False),
        ("csat", 6, False),
        ("perception", "positive", True),
        ("perception", "neutral", True),
        ("perception", "negative", True),
        ("perception", "good", False),
        ("perception", 1, False),
    ],
)
def test_the_score_of_a_survey_fits_its_kind(kind: str, score: object, good: bool) -> None:
    event = raw("survey", {"kind": kind, "score": score})
    if good:
        read(event)
    else:
        (problem,) = problems(event)
        assert problem.startswith("'score' must be")


@pytest.mark.parametrize("kind", ["meeting", "Interaction", ""])
def test_an_unknown_type_is_told_which_there_are(kind: str) -> None:
    (problem,) = problems(raw() | {"type": kind})
    assert problem.startswith(f'unknown type "{kind}"')
    assert all(known in problem for known in LEAST)


def test_all_problems_of_an_event_are_named_at_once() -> None:
    found = problems(
        {
            "id": 7,
            "type": "interaction",
            "time": "2026-03-09T09:30:00",
            "specversion": "2.0",
            "data": {
                "channel": "email",
                "reps": [],
                "contacts": "dana",
                "duration_minutes": -5,
                "status": "done",
            },
        }
    )
    named = [problem.split("'")[1] for problem in found]
    assert sorted(named) == [
        "contacts",
        "direction",
        "duration_minutes",
        "id",
        "reps",
        "source",
        "specversion",
        "status",
        "subject",
        "time",
    ]


def test_a_future_time_is_named_beside_the_other_problems() -> None:
    found = problems(raw("usage", {"count": 0}, time="3000-01-01T00:00:00Z"))
    assert len(found) == 2


@pytest.mark.parametrize("event", [None, 7, [], [{}], True, 1.5])
def test_what_is_no_object_is_said_to_be_none(event: object) -> None:
    (problem,) = problems(event)
    assert problem.startswith("an event is a JSON object")


@pytest.mark.parametrize("line", ['{"id": "1"', "not json", "", "{'id': 1}", "[" * 100_000])
def test_text_that_is_not_json_is_said_to_be_none(line: str) -> None:
    (problem,) = problems(line)
    assert problem.startswith("not valid JSON")


@pytest.mark.parametrize("data", [None, 7, "x", [], True])
def test_data_must_be_an_object(data: object) -> None:
    (problem,) = problems(raw("account") | {"data": data})
    assert problem.startswith("'data' must be")


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
def test_characters_that_no_database_stores_are_a_problem_wherever_they_are(text: str) -> None:
    for event in (
        raw(id=text),
        raw(time=text),
        raw(subject=text),
        raw("account", {"name": text}),
        raw(data=MEETING | {"contacts": [text]}),
    ):
        assert len(problems(event)) == 1
    read(raw("account", {"name": "𝒜cme \\u0000"}))  # a real pair, and no NUL but words about one


def test_an_event_of_many_megabytes_is_refused_with_its_size_and_the_limit() -> None:
    found = problems(raw("account", {"note": "x" * 10_000_000}))
    assert any("262,144" in problem for problem in found)
    assert all(len(problem) < 200 for problem in found)


def test_a_quarantined_event_is_kept_whole_and_says_who_it_is_and_what_to_do() -> None:
    event = raw(data={"channel": "email", "reps": ["sam"], "contacts": ["dana"]})
    found = parse(event, RECEIVED)
    assert isinstance(found, Quarantined)
    assert json.loads(found.body) == event
    assert (found.source, found.id) == ("crm", "4711")
    assert str(found) == (
        "quarantined crm/4711: 'direction' is missing: an email must say inbound or outbound"
    )


def test_a_quarantined_event_may_have_no_name() -> None:
    found = parse({}, RECEIVED)
    assert isinstance(found, Quarantined)
    assert str(found).startswith("quarantined ?/?: ")


# Sent twice


def body(**changes: Any) -> str:
    return read(raw(**changes)).body


def test_the_same_event_sent_again_has_the_same_content() -> None:
    again = json.dumps(raw(), indent=1, sort_keys=True)
    assert same_content(body(), again)
    assert same_content(body(), body(traceparent="00-2"))
    assert same_content(body(), body(time="2026-03-09T10:30:00+01:00"))


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Birch"},
        {"time": "2026-03-09T09:30:01Z"},
        {"data": MEETING | {"contacts": ["lee"]}},
        {"data": MEETING | {"status": "cancelled"}},
        {"tiewatchalias": "lee@acme.example"},
    ],
)
def test_an_event_that_differs_in_what_is_read_has_other_content(changes: dict[str, Any]) -> None:
    assert not same_content(body(), body(**changes))
