"""Quiet times, by the recipients' clocks: over changes of those clocks above all."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from worker.core.quiet import QuietTimes, instant, next_morning, released

ZONES = ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland"]
NIGHT = QuietTimes((time(18), time(8)))
WEEKEND = QuietTimes(None, (5, 6))
EIGHT = time(8)


def at(text, zone="UTC"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def shown(moment, zone):
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M%z}"


# The clocks of 2026: New York changes on 8 March and 1 November, Berlin on 29 March and 25 October,
# Auckland on 5 April and 27 September; Kolkata never does.
@pytest.mark.parametrize(
    ("zone", "evening", "free"),
    [
        ("America/New_York", "2026-03-07T19:00", "2026-03-08 08:00-0400"),
        ("America/New_York", "2026-10-31T19:00", "2026-11-01 08:00-0500"),
        ("Europe/Berlin", "2026-03-28T19:00", "2026-03-29 08:00+0200"),
        ("Europe/Berlin", "2026-10-24T19:00", "2026-10-25 08:00+0100"),
        ("Asia/Kolkata", "2026-03-28T19:00", "2026-03-29 08:00+0530"),
        ("Asia/Kolkata", "2026-10-31T19:00", "2026-11-01 08:00+0530"),
        ("Pacific/Auckland", "2026-04-04T19:00", "2026-04-05 08:00+1200"),
        ("Pacific/Auckland", "2026-09-26T19:00", "2026-09-27 08:00+1300"),
    ],
)  # fmt: skip
def test_a_night_over_a_change_of_the_clocks_ends_at_8_by_the_new_time(zone, evening, free):
    moment = at(evening, zone)
    assert shown(released(moment, NIGHT, ZoneInfo(zone)), zone) == free


@pytest.mark.parametrize(
    ("zone", "hours", "asleep", "free"),
    [
        # The hour in which the quiet time would end does not exist: it ends when it is skipped.
        ("America/New_York", ("22:00", "02:30"), "2026-03-08T01:00", "2026-03-08 03:00-0400"),
        ("Europe/Berlin", ("22:00", "02:30"), "2026-03-29T01:00", "2026-03-29 03:00+0200"),
        ("Pacific/Auckland", ("22:00", "02:30"), "2026-09-27T01:00", "2026-09-27 03:00+1300"),
        # It comes twice: it ends with the second one.
        ("America/New_York", ("22:00", "01:30"), "2026-11-01T01:00", "2026-11-01 01:30-0500"),
        ("Europe/Berlin", ("22:00", "02:30"), "2026-10-25T02:00", "2026-10-25 02:30+0100"),
        ("Pacific/Auckland", ("22:00", "02:30"), "2026-04-05T02:00", "2026-04-05 02:30+1200"),
    ],
)  # fmt: skip
def test_an_end_that_the_clocks_skip_or_show_twice(zone, hours, asleep, free):
    quiet = QuietTimes(tuple(map(time.fromisoformat, hours)))
    assert shown(released(at(asleep, zone), quiet, ZoneInfo(zone)), zone) == free


def test_a_weekend_ends_at_midnight_and_runs_into_a_quiet_night():
    berlin = ZoneInfo("Europe/Berlin")
    saturday = at("2026-03-28T12:00", "Europe/Berlin")
    assert shown(released(saturday, WEEKEND, berlin), "Europe/Berlin") == "2026-03-30 00:00+0200"
    both = QuietTimes(NIGHT.hours, WEEKEND.days)
    assert shown(released(saturday, both, berlin), "Europe/Berlin") == "2026-03-30 08:00+0200"


def test_a_day_is_over_with_the_first_of_two_midnights():
    # In Havana the clocks go from 1:00 back to 0:00 on 1 November, a Sunday.
    saturdays = QuietTimes(None, (5,))
    free = released(at("2026-10-31T12:00", "America/Havana"), saturdays, ZoneInfo("America/Havana"))
    assert shown(free, "America/Havana") == "2026-11-01 00:00-0400"


def test_it_is_the_recipients_weekend_not_that_of_utc():
    sunday_evening = at("2026-06-07T20:00")
    assert released(sunday_evening, WEEKEND, ZoneInfo("Pacific/Auckland")) == sunday_evening
    friday_night = at("2026-06-05T22:00")
    assert released(friday_night, WEEKEND, ZoneInfo("America/New_York")) == friday_night
    assert released(friday_night, WEEKEND, ZoneInfo("Asia/Kolkata")) == at("2026-06-07T18:30")


@pytest.mark.parametrize(
    ("moment", "quiet"), [("17:59", False), ("18:00", True), ("07:59", True), ("08:00", False)]
)
def test_quiet_hours_hold_from_their_first_minute_to_before_their_last(moment, quiet):
    now = at(f"2026-06-03T{moment}")
    assert (released(now, NIGHT, UTC) > now) is quiet


def test_quiet_hours_within_a_day_are_of_that_day():
    lunch = QuietTimes((time(12), time(13)))
    assert released(at("2026-06-03T12:30"), lunch, UTC) == at("2026-06-03T13:00")
    assert released(at("2026-06-03T23:30"), lunch, UTC) == at("2026-06-03T23:30")


clocks = st.times().map(lambda at: at.replace(second=0, microsecond=0))
hours = st.none() | st.tuples(clocks, clocks).filter(lambda pair: pair[0] != pair[1])
quiets = st.builds(QuietTimes, hours, st.sets(st.integers(0, 6), max_size=6).map(sorted).map(tuple))
zones = st.sampled_from(ZONES).map(ZoneInfo)
CHANGES = [date(2026, 3, 8), date(2026, 11, 1), date(2026, 3, 29), date(2026, 10, 25)]
CHANGES += [date(2026, 4, 5), date(2026, 9, 27)]
near_changes = st.tuples(st.sampled_from(CHANGES), st.integers(-4 * 1440, 4 * 1440)).map(
    lambda near: datetime.combine(near[0], time(), UTC) + timedelta(minutes=near[1])
)
any_time = st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))
moments = near_changes | any_time


def is_quiet(moment, quiet, zone):
    """By the clock on the recipient's wall."""
    wall = moment.astimezone(zone)
    if wall.weekday() in quiet.days:
        return True
    if quiet.hours is None:
        return False
    start, end = quiet.hours
    now = wall.time()
    return start <= now < end if start < end else now >= start or now < end


@given(moments, quiets, zones)
def test_nothing_is_released_in_quiet_times_by_the_wall_clock(moment, quiet, zone):
    free = released(moment, quiet, zone)
    assert free >= moment
    assert not is_quiet(free, quiet, zone)
    assert released(free, quiet, zone) == free


@given(near_changes, quiets, zones)
def test_nothing_is_held_longer_than_the_wall_clock_is_quiet(moment, quiet, zone):
    """But for the hour that the clocks show twice: it is quiet from its first to its last."""
    free = released(moment, quiet, zone)
    held = int((free - moment) / timedelta(minutes=15))
    for step in range(min(held, 300)):
        then = moment + timedelta(minutes=15) * step
        hour = timedelta(hours=1)
        assert any(is_quiet(then + shift, quiet, zone) for shift in (-hour, 0 * hour, hour))


@given(moments, quiets, zones, clocks)
def test_there_is_one_morning_a_local_day_at_most_and_none_in_quiet_times(
    moment, quiet, zone, hour
):
    a_day = datetime.combine(date(2026, 6, 3), hour, UTC)
    # rules/slack.yaml refuses a digest that would leave in quiet hours.
    assume(not is_quiet(a_day, QuietTimes(quiet.hours), UTC))
    day, due = next_morning(moment, hour, quiet, zone)
    assert due >= moment
    assert due.astimezone(zone).date() == day
    assert day.weekday() not in quiet.days
    assert not is_quiet(due, quiet, zone)
    assert next_morning(due, hour, quiet, zone) == (day, due)
    later_day, later = next_morning(due + timedelta(seconds=1), hour, quiet, zone)
    assert later_day > day
    assert later > due


@given(st.lists(moments, min_size=2), quiets, zones)
def test_days_and_their_mornings_come_in_order_and_belong_together(times, quiet, zone):
    quiet = QuietTimes(None, quiet.days)
    mornings = [next_morning(moment, EIGHT, quiet, zone) for moment in sorted(times)]
    assert mornings == sorted(mornings)
    assert len(dict(mornings)) == len(set(mornings))


@given(moments, zones)
def test_a_week_without_quiet_days_has_seven_mornings(moment, zone):
    found, now = [], moment
    for _ in range(7):
        day, due = next_morning(now, EIGHT, QuietTimes(), zone)
        found.append(day)
        now = due + timedelta(seconds=1)
    assert found == [found[0] + timedelta(days) for days in range(7)]


def test_a_midnight_that_the_clocks_skip_is_the_first_moment_of_the_day():
    beirut = ZoneInfo("Asia/Beirut")
    assert shown(instant(date(2026, 3, 29), time(), beirut), "Asia/Beirut") == (
        "2026-03-29 01:00+0300"
    )
