"""Ids of what a mapping of one's own makes of rows: kept when the mapping grows."""

from itertools import permutations
from typing import Any

import pytest

from tests.importing.files import CHANGED, NOW
from worker.core.mapping import Import
from worker.core.moments import Writing
from worker.importing.files import File
from worker.importing.records import Record
from worker.importing.taking import Taken, take
from worker.rulefiles import load_capture

LOGINS = "{type: usage, feature: logins, count: $.Logins}"
REPORTS = "{type: usage, feature: reports, count: $.Reports}"
NPS = "{type: survey, kind: nps, score: $.Score}"
MET = "{type: interaction, channel: meeting, reps: $.By, contacts: $.Met}"
CALLED = "{type: interaction, channel: call, reps: $.By, contacts: $.Met}"
SEATS = "{type: subscription, subscription: main, status: changed, seats: $.Seats}"
ROW = {"no": "7", "day": "2026-05-01", "logins": "3", "reports": "4", "score": "9", "by": "sam",
       "met": "dana", "seats": "40", "edited": "2026-05-02T10:00:00Z"}  # fmt: skip


@pytest.fixture
def became(tmp_path):
    """What a row becomes with a mapping that has these events."""

    def made(*shapes: str, **changed: str) -> Taken:
        file = tmp_path / "own.yaml"
        file.write_text(
            "imports: {own: {id: $.No, time: $.Day, changed: $.Edited, subject: acme, "
            f"events: [{', '.join(shapes)}]}}}}\n"
        )
        mapping: Import = load_capture(file).imports["own"]
        return take(
            Record(2, ROW | changed), File("a.csv", mapping, "own", Writing(), CHANGED), NOW
        )

    return made


@pytest.fixture
def events(became):
    """Its events by id; it must have no problem."""

    def made(*shapes: str, **changed: str) -> dict[str, Any]:
        taken = became(*shapes, **changed)
        assert taken.faults == ()
        return {event["id"]: event for event in taken.events}

    return made


def test_an_event_that_is_put_before_others_leaves_them_as_they_are(events):
    before = events(LOGINS, MET, SEATS)
    after = events(NPS, REPORTS, LOGINS, SEATS, MET)
    assert before.items() <= after.items()
    assert after.keys() - before.keys() == {"own/7/survey/nps", "own/7/usage/reports"}


def test_of_what_happens_once_a_corrected_row_is_no_second_event(events):
    assert events(LOGINS, MET).keys() == events(LOGINS, MET, logins="5", met="lee").keys()


def test_of_what_can_be_said_anew_the_later_change_has_the_greater_id(events):
    versions = [
        max(events(SEATS, seats=str(seats), edited=f"2026-05-{day:02}T10:00:00+02:00"))
        for day, seats in ((2, 40), (3, 10), (4, 40), (11, 7))
    ]
    assert versions == sorted(set(versions))


def test_two_interactions_of_a_row_have_ids_by_name_in_whatever_order_they_are(events):
    second = CALLED.replace("{", "{id: after it, ", 1)
    dated = CALLED.replace("{", "{id: $.Day, ", 1)
    every = [events(*some) for some in permutations([MET, second, dated])]
    assert all(one == every[0] for one in every)
    assert sorted(every[0]) == [
        *("own/7/interaction", "own/7/interaction/2026-05-01", "own/7/interaction/after it")
    ]
    assert events(MET).items() <= every[0].items()


def test_two_interactions_of_a_row_that_only_their_order_tells_apart_are_a_problem_of_it(
    became, events
):
    met, called = (
        MET.replace("}", ", when: {$.No: 7}}"),
        CALLED.replace("}", ", when: {$.By: sam}}"),
    )
    taken = became(LOGINS, met, called)
    [fault] = taken.faults
    assert fault.problem.startswith("more than one interaction comes out of it, and nothing tells")
    assert (taken.events, taken.refused.id) == ((), "own/7")
    assert events(met, called, by="ann") == events(MET, by="ann")
