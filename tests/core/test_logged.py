"""What is read back from the log is what was read when it came in."""

import json

import pytest
from hypothesis import given

from tests.histories import RECEIVED, TODAY, Raw, any_history
from tests.pipeline import event
from worker.core.events import ALIAS, MEMBER, Event, parse
from worker.core.logged import envelope_of, read

ODD = [
    event("usage", TODAY, user="dana", count=3.0) | {"note": "half a pair: \ud83d"},
    event("usage", TODAY, user="dana") | {"trace": {"deep": ["\udc00"]}},
    event("contact", TODAY, contact="dana", title=None) | {ALIAS: "d", "x": 1e300},
    event("rep", TODAY, rep="sam", left=False) | {"subject": "acme"},
    event("survey", TODAY, kind="perception", score="positive", contact=None),
    event("outcome", TODAY, goal="g", target=10, value="four", progress=99),
]


def as_came(raw: Raw) -> Event:
    found = parse(raw, RECEIVED)
    assert isinstance(found, Event)
    return found


def as_logged(came: Event) -> Event:
    envelope, content = read(came.body, came.type, came.time)
    return envelope.event(came.body, came.time, envelope.subject, content)


@given(history=any_history)
def test_an_event_in_the_log_is_read_as_it_was_when_it_came(history: list[Raw]) -> None:
    came = [as_came(raw) for raw in history]
    assert [repr(as_logged(one)) for one in came] == [repr(one) for one in came]


@pytest.mark.parametrize("raw", ODD)
def test_so_is_one_with_numbers_and_text_that_are_out_of_the_ordinary(raw: Raw) -> None:
    assert repr(as_logged(as_came(raw))) == repr(as_came(raw))


@pytest.mark.parametrize(
    ("more", "of_a_member", "by_email"),
    [
        ({}, False, False),
        ({MEMBER: "u1", "subject": ""}, True, False),
        ({MEMBER: "u1"}, False, False),
        ({"tiewatchpeople": "email"}, False, True),
        ({"tiewatchpeople": "email", MEMBER: "u1"}, False, False),
        ({"tiewatchpeople": "id", "note": "\ud83d"}, False, False),
    ],
)
def test_an_envelope_says_who_is_to_say_whose_the_event_is(
    more: Raw, of_a_member: bool, by_email: bool
) -> None:
    envelope = envelope_of(json.dumps(event("usage", TODAY, user="d@acme.test") | more))
    assert (envelope.leaves_it_to_members, envelope.names_by_email) == (of_a_member, by_email)
