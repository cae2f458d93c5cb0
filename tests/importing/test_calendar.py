"""Calendars: who met whom, how often and for how long; never about what."""

import io
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.addresses import People
from worker.importing.calendar import TO_COME, read
from worker.importing.skipped import Skipped

OURS = People(internal=frozenset({"us.example"}))
UNTIL = datetime(2026, 4, 10, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")

SAM = "ORGANIZER;CN=Sam:mailto:Sam@us.example"
DANA = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:dana@acme.example"
ONCE = [
    "UID:a1",
    "DTSTART;TZID=Europe/Berlin:20260305T090000",
    "DTEND;TZID=Europe/Berlin:20260305T100000",
]


def calendar(*appointments: list[str], said: str = "VERSION:2.0") -> bytes:
    blocks = [line for one in appointments for line in ("BEGIN:VEVENT", *one, "END:VEVENT")]
    return "\r\n".join(["BEGIN:VCALENDAR", said, *blocks, "END:VCALENDAR", ""]).encode()


def found_in(content: bytes, zone: Any = UTC) -> list[dict[str, Any] | Skipped]:
    return list(read(io.BytesIO(content), OURS, "calendar", zone, UNTIL))


def events(*appointments: list[str], said: str = "VERSION:2.0") -> list[dict[str, Any]]:
    found = found_in(calendar(*appointments, said=said))
    assert all(isinstance(one, dict) for one in found), found
    return [one for one in found if isinstance(one, dict)]


def times(*appointments: list[str]) -> list[str]:
    return [one["time"].removesuffix("+00:00") for one in events(*appointments)]


def test_a_meeting_is_an_interaction_without_its_title():
    room = "ATTENDEE;CUTYPE=ROOM:mailto:room-7@us.example"
    secret = ["SUMMARY:Secret", "DESCRIPTION:Secret", "X-ODD;=broken"]
    alarm = ["BEGIN:VALARM", "ATTENDEE:mailto:alarm@acme.example", "END:VALARM"]
    [event] = events([*ONCE, SAM, DANA, room, *secret, *alarm])
    assert event == {
        "specversion": "1.0",
        "id": "a1/2026-03-05T08:00:00+00:00",
        "source": "calendar",
        "type": "interaction",
        "time": "2026-03-05T08:00:00+00:00",
        "tiewatchpeople": "email",
        "data": {
            "reps": ["sam@us.example"],
            "contacts": ["dana@acme.example"],
            "channel": "meeting",
            "duration_minutes": 60,
        },
    }


def test_a_weekly_meeting_stays_at_its_hour_when_the_clocks_change():
    weekly = [
        *("UID:w", "DTSTART;TZID=Europe/Berlin:20260316T090000", "DURATION:PT30M"),
        *("RRULE:FREQ=WEEKLY;UNTIL=20260407T000000Z", SAM, DANA),
    ]
    assert times(weekly) == [
        *(
            "2026-03-16T08:00:00",
            "2026-03-23T08:00:00",
            "2026-03-30T07:00:00",
            "2026-04-06T07:00:00",
        ),
    ]


def test_a_meeting_that_becomes_a_series_counts_its_first_time_once():
    [before] = events([*ONCE, SAM, DANA])
    weekly = [*ONCE, "RRULE:FREQ=WEEKLY", SAM, DANA]
    after = events(weekly)
    assert (after[0], len(after)) == (before, 6)
    moved = ["UID:a1", "RECURRENCE-ID:20260305T080000Z", "DTSTART:20260306T080000Z", SAM, DANA]
    ids = [one["id"] for one in events(weekly, moved)]
    assert sorted(ids) == sorted(one["id"] for one in after)


def test_a_series_ends_with_the_import_and_has_its_exceptions():
    daily = [
        *("UID:d", "DTSTART:20260401T120000Z", "RRULE:FREQ=DAILY", SAM, DANA),
        "EXDATE:20260402T120000Z,20260403T120000Z",
        "RDATE:20260401T180000Z",
    ]
    moved = ["UID:d", "RECURRENCE-ID:20260404T120000Z", "DTSTART:20260404T150000Z", SAM, DANA]
    off = ["UID:d", "RECURRENCE-ID:20260405T120000Z", "DTSTART:20260405T120000Z", SAM, DANA]
    found = events(daily, moved, [*off, "STATUS:CANCELLED"])
    told = {one["id"]: (one["time"], one["data"].get("status")) for one in found}
    assert told == {
        "d/2026-04-01T12:00:00+00:00": ("2026-04-01T12:00:00+00:00", None),
        "d/2026-04-01T18:00:00+00:00": ("2026-04-01T18:00:00+00:00", None),
        "d/2026-04-04T12:00:00+00:00": ("2026-04-04T15:00:00+00:00", None),
        "d/2026-04-05T12:00:00+00:00": ("2026-04-05T12:00:00+00:00", "cancelled"),
        **{
            f"d/2026-04-0{n}T12:00:00+00:00": (f"2026-04-0{n}T12:00:00+00:00", None)
            for n in (6, 7, 8, 9)
        },
    }


@pytest.mark.parametrize(
    ("lines", "said", "status"),
    [
        ([DANA], "VERSION:2.0", None),
        (["STATUS:TENTATIVE", DANA], "VERSION:2.0", None),
        (["STATUS:CANCELLED", DANA], "VERSION:2.0", "cancelled"),
        ([DANA], "METHOD:CANCEL", "cancelled"),
        ([DANA.replace("ACCEPTED", "DECLINED")], "VERSION:2.0", "declined"),
        ([DANA, "ATTENDEE;PARTSTAT=DECLINED:mailto:Sam@us.example"], "VERSION:2.0", "declined"),
    ],
)
def test_what_was_called_off_or_declined_says_so(lines, said, status):
    [event] = events([*ONCE, SAM, *lines], said=said)
    assert event["data"].get("status") == status


def test_who_has_declined_has_not_been_there():
    lee = "ATTENDEE;PARTSTAT=DECLINED:mailto:lee@acme.example"
    [event] = events([*ONCE, SAM, DANA, lee])
    assert event["data"]["contacts"] == ["dana@acme.example"]


def test_times_without_a_zone_are_those_of_the_calendar_or_else_the_importers():
    floating = ["UID:f", "DTSTART:20260305T090000", SAM, DANA]
    [event] = events(floating, said="X-WR-TIMEZONE:America/New_York")
    assert event["time"] == "2026-03-05T14:00:00+00:00"
    [found] = found_in(calendar(floating), BERLIN)
    assert isinstance(found, dict)
    assert found["time"] == "2026-03-05T08:00:00+00:00"


def test_a_zone_of_the_files_own_is_its_own():
    def with_zone(offset: str) -> bytes:
        zone = [
            *("BEGIN:VTIMEZONE", "TZID:Ours", "BEGIN:STANDARD", "DTSTART:19700101T000000"),
            *(f"TZOFFSETFROM:{offset}", f"TZOFFSETTO:{offset}", "END:STANDARD", "END:VTIMEZONE"),
        ]
        return calendar(["UID:z", "DTSTART;TZID=Ours:20260305T090000", SAM, DANA]).replace(
            b"BEGIN:VEVENT", "\r\n".join([*zone, "BEGIN:VEVENT"]).encode()
        )

    hours = [
        one["time"][11:13]
        for one in found_in(with_zone("+0300") + with_zone("-0400"))
        if isinstance(one, dict)
    ]
    assert hours == ["06", "13"]


def test_a_whole_day_says_nothing_of_how_long_people_met():
    [event] = events(["UID:day", "DTSTART;VALUE=DATE:20260305", SAM, DANA])
    assert event["time"] == "2026-03-05T00:00:00+00:00"
    assert "duration_minutes" not in event["data"]


@pytest.mark.parametrize(
    ("lines", "reason", "spoilt"),
    [
        (["UID:x", "DTSTART:20300101T090000Z", SAM, DANA], TO_COME, False),
        ([*ONCE, SAM], "nobody but people of ours", False),
        ([*ONCE, DANA], "nobody of ours takes part", False),
        (["UID:x", SAM, DANA], "it has no DTSTART", True),
        (["UID:x", "DTSTART:soon", SAM, DANA], "its DTSTART cannot be read", True),
        ([*ONCE, "RRULE:FREQ=SECONDLY", SAM, DANA], "it takes place several times a day", True),
        ([*ONCE, "RRULE:FREQ=NEVER", SAM, DANA], "its ", True),
        (
            [*ONCE, "RRULE:FREQ=DAILY;INTERVAL=0;BYDAY=TU", SAM, DANA],
            "its INTERVAL is not positive",
            True,
        ),
        ([*ONCE, "RRULE:FREQ=DAILY;UNTIL=PT1H", SAM, DANA], "its UNTIL is no date", True),
        (
            ["UID:x", "DTSTART:19000101T090000Z", "RRULE:FREQ=DAILY", SAM, DANA],
            "it takes place more than 5,000 times",
            True,
        ),
    ],
)
def test_what_becomes_no_event_says_why_and_the_rest_goes_on(lines, reason, spoilt):
    skipped, event = found_in(calendar(lines, [*ONCE[1:], "UID:good", SAM, DANA]))
    assert isinstance(skipped, Skipped)
    assert skipped.reason.startswith(reason)
    assert (skipped.spoilt, skipped.line) == (spoilt, 3)
    assert isinstance(event, dict)


@given(st.lists(st.sampled_from(b"\n;:=,/ TZ09"), max_size=60), st.integers(0, 400))
def test_whatever_is_in_a_file_nothing_breaks(odd, place):
    good = calendar([*ONCE, "RRULE:FREQ=WEEKLY;COUNT=3", SAM, DANA])
    found_in(good[:place] + bytes(odd) + good[place:])
