"""The date on which the tests run: midnight may pass on the way, and fails none of them."""

import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day

NOW = datetime.now(UTC)
"""When this process began to collect tests."""

TODAY = NOW.date()


def clock() -> datetime:
    """The time of day now, and always of `TODAY`: for `runtime.clock` of this process."""
    now = datetime.now(UTC)
    return now - (now.date() - TODAY)


def todays_date() -> date:
    """The date of processes that a test starts now, who have at least a minute of it left."""
    now = datetime.now(UTC)
    tomorrow = datetime.combine(now.date() + timedelta(1), time_of_day.min, UTC)
    if (left := tomorrow - now) < timedelta(minutes=1):
        time.sleep(left.total_seconds())
    return datetime.now(UTC).date()
