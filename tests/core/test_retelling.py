"""What is told again of a flag that stays open."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from worker.core.alerts import AlertReason
from worker.core.retelling import Heard, again

ON = date(2026, 6, 3)
REMINDER, ESCALATED, OPENED = AlertReason.REMINDER, AlertReason.ESCALATED, AlertReason.OPENED


def ago(days):
    return ON - timedelta(days)


def got(days, hour=12):
    """When somebody got the first message: so many days ago, UTC."""
    return datetime.combine(ago(days), time(hour), UTC)


@pytest.mark.parametrize(
    ("heard", "remind_every", "escalate_after", "reasons"),
    [
        (Heard(got(6), ago(6)), 7, None, []),
        (Heard(got(7), ago(7)), 7, None, [REMINDER]),
        (Heard(got(30), ago(6)), 7, None, []),
        (Heard(got(30), ago(30)), None, None, []),
        (Heard(got(2), ago(2)), None, 3, []),
        (Heard(got(3), ago(3)), None, 3, [ESCALATED]),
        (Heard(got(30), ago(1)), None, 3, [ESCALATED]),
        (Heard(got(3), ago(3), escalated=True), None, 3, []),
        (Heard(None, ago(9)), None, 3, []),
        (Heard(got(7), ago(7)), 7, 7, [REMINDER, ESCALATED]),
        (Heard(None, None), 1, 1, []),
        (Heard(None, None, muted=True), None, None, [OPENED]),
        (Heard(got(2), ago(2), muted=True), 7, None, []),
    ],
)
def test_what_is_told_again_and_when(heard, remind_every, escalate_after, reasons):
    assert list(again(heard, remind_every, escalate_after, ON)) == reasons


@pytest.mark.parametrize(
    ("first", "quiet_days", "on", "escalated"),
    [
        ("2026-06-05T12:00", (5, 6), "2026-06-09", False),  # a Friday: Monday and Tuesday count
        ("2026-06-05T12:00", (5, 6), "2026-06-10", True),
        ("2026-06-05T12:00", (), "2026-06-08", True),
        ("2026-06-06T12:00", (5, 6), "2026-06-09", False),  # on the weekend, let through
        ("2026-06-06T12:00", (5, 6), "2026-06-10", True),
        ("2026-06-05T12:00", (4, 5, 6), "2026-06-22", True),
        ("2026-06-05T12:00", (0, 1, 2, 3, 4, 5), "2026-06-20", False),  # Sundays only: two
        ("2026-06-05T12:00", (0, 1, 2, 3, 4, 5), "2026-06-21", True),
    ],
)
def test_only_working_days_count_until_a_manager_hears_of_it(first, quiet_days, on, escalated):
    heard = Heard(datetime.fromisoformat(first).replace(tzinfo=UTC), ago(9))
    told = list(again(heard, None, 3, date.fromisoformat(on), UTC, quiet_days))
    assert told == ([ESCALATED] if escalated else [])


def test_the_day_on_which_somebody_got_it_is_one_of_their_own_clock():
    evening = Heard(got(3, hour=20), ago(3))  # the next morning in Auckland
    assert list(again(evening, None, 3, ON, UTC)) == [ESCALATED]
    assert list(again(evening, None, 3, ON, ZoneInfo("Pacific/Auckland"))) == []
