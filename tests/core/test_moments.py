"""Times as products and spreadsheets write them; what can be read in two ways is asked about."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.moments import Unclear, Writing, as_date, as_time

BERLIN = Writing(ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("written", "time", "day"),
    [
        ("2026-01-05 10:22", "2026-01-05T10:22:00+01:00", "2026-01-05"),
        ("2026-07-05 10:22:33.5", "2026-07-05T10:22:33.500000+02:00", "2026-07-05"),
        ("2026-1-5 4:30", "2026-01-05T04:30:00+01:00", "2026-01-05"),
        ("5.1.2026 09:30", "2026-01-05T09:30:00+01:00", "2026-01-05"),
        ("13/1/2026, 1:05 PM", "2026-01-13T13:05:00+01:00", "2026-01-13"),
        ("1/13/2026 12:05 am", "2026-01-13T00:05:00+01:00", "2026-01-13"),
        ("2026-01-05T10:00:00.000+0000", "2026-01-05T10:00:00+00:00", "2026-01-05"),
        ("2026-01-05 23:30:00 UTC", "2026-01-05T23:30:00+00:00", "2026-01-05"),
        ("1767654000000", "2026-01-05T23:00:00+00:00", "2026-01-05"),
        (1767654000, "2026-01-05T23:00:00+00:00", "2026-01-05"),
        ("2026-01-05", "2026-01-05T00:00:00+00:00", "2026-01-05"),
        ("31.12.2026", "2026-12-31T00:00:00+00:00", "2026-12-31"),
        ("20260105", "2026-01-05T00:00:00+00:00", "2026-01-05"),
    ],
)
def test_times_are_read_as_they_are_written(written, time, day):
    assert BERLIN.as_time(written) == time
    assert BERLIN.as_date(written) == day


@pytest.mark.parametrize("written", ["soon", "", "2026-13-05 10:00", "31/31/2026", True, None, []])
def test_what_is_no_time_stays_as_it_is(written):
    assert BERLIN.as_time(written) == written
    assert BERLIN.as_date(written) == written


def test_a_time_without_a_zone_is_asked_about_but_a_day_is_not():
    nowhere = Writing(None)
    with pytest.raises(Unclear, match="--timezone"):
        nowhere.as_time("2026-01-05 10:22")
    assert nowhere.as_time("2026-01-05") == "2026-01-05T00:00:00+00:00"
    assert nowhere.as_date("2026-01-05 10:22") == "2026-01-05"
    assert nowhere.as_time("2026-01-05 10:22 UTC") == "2026-01-05T10:22:00+00:00"


def test_a_day_and_a_month_that_could_be_each_other_are_asked_about():
    with pytest.raises(Unclear, match="--day-first or --month-first"):
        BERLIN.as_date("5/1/2026")
    assert Writing(UTC, day_first=True).as_date("5/1/2026") == "2026-01-05"
    assert Writing(UTC, day_first=False).as_date("5/1/2026") == "2026-05-01"


@pytest.mark.parametrize("written", ["46112", "46112.5", 46112, 46112.25])
def test_a_spreadsheets_own_number_of_a_day_is_asked_about(written):
    for read in (BERLIN.as_date, BERLIN.as_time):
        with pytest.raises(Unclear, match="give its column the format of a date"):
            read(written)
    assert as_date(written) == as_time(written) == written


@pytest.mark.parametrize("written", ["86399", 99_999_999, "12345678.5", -(10**9), "2026"])
def test_a_number_that_no_clock_has_shown_is_no_time(written):
    assert BERLIN.as_time(written) == written
    assert BERLIN.as_date(written) == written


def test_where_nobody_can_be_asked_what_is_unclear_stays_as_it_is():
    assert as_date("5/1/2026") == as_time("5/1/2026") == "5/1/2026"
    assert as_date("5.1.2026") == "2026-01-05"


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.booleans(), st.sampled_from("-/."))
def test_a_written_day_is_the_day_whatever_the_order(day, day_first, mark):
    first, second = (day.day, day.month) if day_first or mark == "." else (day.month, day.day)
    writing = Writing(None, day_first)
    if not day_first and mark != "." and first > 12:
        return
    if day_first and second > 12:
        return
    assert writing.as_date(f"{first}{mark}{second}{mark}{day.year}") == day.isoformat()


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)))
def test_seconds_and_milliseconds_are_the_same_instant(moment):
    seconds = int(moment.replace(tzinfo=UTC).timestamp())
    if abs(seconds) < 10**9:
        return
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    for written in (seconds, str(seconds), seconds * 1000, str(seconds * 1000)):
        assert datetime.fromisoformat(Writing(None).as_time(written)) == expected
