"""Ids of what a mapping of one's own makes of rows: kept when the mapping grows."""

from typing import Any

import pytest

from tests.importing.files import CHANGED, NOW
from worker.core.mapping import Import
from worker.core.moments import Writing
from worker.importing.files import File
from worker.importing.records import Record
from worker.importing.taking import take
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
def events(tmp_path):
    """What a row becomes, by id, with a mapping that has these events."""

    def made(*shapes: str, **changed: str) -> dict[str, Any]:
        file = tmp_path / "own.yaml"
        file.write_text(
            "imports: {own: {id: $.No, time: $.Day, changed: $.Edited, subject: acme, "
            f"events: [{', '.join(shapes)}]}}}}\n"
        )
        mapping: Import = load_capture(file).imports["own"]
        taken = take(
            Record(2, ROW | changed), File("a.csv", mapping, "own", Writing(), CHANGED), NOW
        )
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


def test_two_interactions_of_a_row_are_numbered(events):
    assert list(events(MET, CALLED)) == ["own/7/interaction", "own/7/interaction/2"]
