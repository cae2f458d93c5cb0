"""Who contacts are in the end, by what was said of each."""

from itertools import permutations

import pytest

from tests.histories import RECEIVED, TODAY
from tests.pipeline import event, meeting
from worker.core.events import Event, parse
from worker.core.merges import claims_in, moved, persons


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, {}),
        ({"a": ("1", "b")}, {"a": "b"}),
        ({"a": ("1", "b"), "b": ("2", "c")}, {"a": "c", "b": "c"}),
        ({"a": ("1", "b"), "b": ("2", "a")}, {"a": "b"}),
        ({"a": ("3", "b"), "b": ("1", "c"), "c": ("2", "a")}, {"b": "a", "c": "a"}),
        ({"x": ("9", "a"), "a": ("1", "b"), "b": ("2", "a")}, {"x": "b", "a": "b"}),
        ({"a": ("1", "a")}, {}),
    ],
)
def test_of_statements_in_a_circle_the_latest_is_left_out(said, found):
    for order in permutations(said):
        assert persons({contact: said[contact] for contact in order}) == found


def parsed(raw) -> Event:
    one = parse(raw, RECEIVED)
    assert isinstance(one, Event)
    return one


def test_an_event_of_another_account_names_its_contacts_by_their_new_names():
    people = {"channel": "meeting", "reps": ["sam"], "contacts": ["dana", "lee"], "cc": ["dana"]}
    one = parsed(event("interaction", TODAY, account="old", **people))
    other = moved(one, "acme", {"dana": "dana ruiz"})
    assert other.account == "acme"
    assert (other.data.contacts, other.data.cc) == (["dana ruiz", "lee"], ["dana ruiz"])
    assert other.body == one.body
    assert moved(one, "old", {"kim": "lee"}) is one


def test_of_what_events_say_of_a_contact_the_latest_counts():
    def same(alias: str, contact: str, hour: int) -> Event:
        raw = event("contact", TODAY, contact=contact) | {"tiewatchalias": alias}
        return parsed(raw | {"time": f"{TODAY}T{hour:02}:00:00Z"})

    events = [same("d", "dana", 9), same("d", "dee", 10), same("d", "d", 11)]
    for order in permutations([*events, parsed(meeting(TODAY))]):
        [claim] = claims_in(order).values()
        assert (claim.account, claim.contact, claim.survivor) == ("acme", "d", "dee")


def test_another_name_of_a_contact_must_be_one():
    bad = parse(event("contact", TODAY, contact="dana") | {"tiewatchalias": 7}, RECEIVED)
    assert "'tiewatchalias'" in str(bad)
