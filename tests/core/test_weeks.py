"""A manager's week."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.accounts import Account
from worker.core.flags import State
from worker.core.rules import Severity
from worker.core.weeks import Raised, is_empty, summary, week_due

MONDAY = date(2026, 6, 8)
HIGH, LOW = Severity.HIGH, Severity.LOW


def raised(id_, account, opened_on, state=State.OPEN, severity=HIGH, resolved_on=None):
    return Raised(id_, account, f"r{id_}", severity, state, f"t{id_}", opened_on, resolved_on)


ACCOUNTS = {
    "acme": Account(id="acme", owner="sam", name="Acme", mrr=500.0, currency="EUR"),
    "big": Account(id="big", owner="kim", name="Big", mrr=9_000.0, currency="EUR"),
    "usd": Account(id="usd", owner="sam", mrr=100.0, currency="USD"),
    "other": Account(id="other", owner="zoe", name="Other", mrr=1e6, currency="EUR"),
    "none": Account(id="none", owner="sam", name="None"),
}


def day(number):
    return date(2026, 6, number)


def test_a_week_has_what_is_new_what_is_over_and_what_nobody_took_up():
    flags = [
        raised(1, "acme", day(1)),
        raised(2, "big", day(7), severity=LOW),
        raised(3, "acme", day(8)),  # the day of the summary is of the next week
        raised(4, "big", date(2026, 5, 1), State.RESOLVED, resolved_on=day(3)),
        raised(5, "big", date(2026, 5, 31), State.ACKNOWLEDGED),
        raised(6, "usd", date(2026, 5, 1), State.SNOOZED, Severity.CRITICAL),
        raised(7, "other", day(2)),
        raised(8, "none", day(2), State.DISMISSED),
        raised(9, "acme", day(1), State.RESOLVED, resolved_on=date(2026, 5, 31)),
    ]
    week = summary(MONDAY, {"sam", "kim"}, flags, ACCOUNTS, ["Lonely"])
    assert (week.first, week.last) == (day(1), day(7))
    assert (week.new, week.resolved) == (4, 1)
    assert [line.flag for line in week.unacknowledged] == [2, 1]
    assert week.at_risk == {"EUR": 9_500.0, "USD": 100.0}
    assert week.unowned == ("Lonely",)
    assert not is_empty(week)
    assert is_empty(summary(MONDAY, {"nobody"}, flags, ACCOUNTS, []))


@pytest.mark.parametrize(
    ("zone", "now", "due"),
    [
        ("Europe/Berlin", "2026-03-30T05:59", "2026-03-23 07:00"),
        ("Europe/Berlin", "2026-03-30T06:00", "2026-03-30 06:00"),  # the clocks changed on Sunday
        ("America/New_York", "2026-03-09T12:00", "2026-03-09 12:00"),
        ("Asia/Kolkata", "2026-03-09T02:30", "2026-03-09 02:30"),
        ("Pacific/Auckland", "2026-04-05T20:00", "2026-04-05 20:00"),
        ("Pacific/Auckland", "2026-04-05T19:59", "2026-03-29 19:00"),
    ],
)
def test_a_week_is_due_on_a_local_morning(zone, now, due):
    moment = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo("UTC"))
    _, at = week_due(moment, 0, time(8), ZoneInfo(zone))
    assert f"{at:%Y-%m-%d %H:%M}" == due


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(ZoneInfo("UTC"))),
    st.integers(0, 6),
    st.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland"]),
)
def test_a_week_is_due_once_a_week_whenever_one_asks(now, weekday, name):
    zone = ZoneInfo(name)
    on, at = week_due(now, weekday, time(8), zone)
    assert at <= now
    assert now - at < timedelta(days=7, hours=2)
    assert on.weekday() == weekday
    assert week_due(at, weekday, time(8), zone) == (on, at)
    before, _ = week_due(at - timedelta(seconds=1), weekday, time(8), zone)
    assert before == on - timedelta(days=7)
