"""Stats kept in memory do not depend on when they are read: what is kept of a read is a cache.

That they are those of the tables is shown in tests/flow.
"""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.histories import ACCOUNTS, TODAY, any_history, arrivals, parsed
from worker.core.additions import additions
from worker.core.events import Event
from worker.core.memory import Memory
from worker.core.stats import AccountStats

DATES = [TODAY + timedelta(days) for days in (-366, -91, -60, -30, -1, 0, 1, 30)]
HALF_LIVES = (30, 60)


def stats(memory: Memory, on: date, half_life: int) -> dict[str, AccountStats]:
    """Of every account, with its people and ties in order of name."""
    found = {}
    for account in ACCOUNTS:
        if memory.knows(account):
            one = found[account] = memory.stats(account, on.toordinal(), half_life)
            one.contacts.sort()
            one.ties.sort()
            one.mails.sort()
            one.goals.sort(key=str)
            one.tickets.courses.sort(key=str)
    return found


@given(choice=st.data())
def test_reading_between_events_changes_nothing(choice: st.DataObject) -> None:
    read, seen = Memory(), set[tuple[str, str]]()
    so_far: list[Event] = []
    for batch in choice.draw(arrivals(choice.draw(any_history))):
        fresh = []
        for event in parsed(batch):
            if (event.source, event.id) not in seen:
                seen.add((event.source, event.id))
                fresh.append(event)
        so_far += fresh
        read.add(additions(fresh))
        unread = Memory()
        unread.add(additions(so_far))
        on, half_life = (
            choice.draw(st.sampled_from(DATES)),
            choice.draw(st.sampled_from(HALF_LIVES)),
        )
        assert stats(read, on, half_life) == stats(unread, on, half_life)
    assert set(read.accounts) <= set(ACCOUNTS)


def test_a_day_that_comes_late_counts_like_one_that_came_in_time() -> None:
    (first, second, third) = parsed(
        [
            {
                "id": str(days),
                "source": "crm",
                "type": "interaction",
                "subject": "acme",
                "time": f"{TODAY - timedelta(days)}T09:00:00Z",
                "data": {"channel": "meeting", "reps": ["sam"], "contacts": ["dana"]},
            }
            for days in (30, 20, 10)
        ]
    )
    in_time, late = Memory(), Memory()
    for event in (first, second, third):
        in_time.add(additions([event]))
    for event in (first, third, second):
        late.add(additions([event]))
        stats(late, TODAY, 60)
    assert stats(late, TODAY, 60) == stats(in_time, TODAY, 60)
    (tie,) = stats(late, TODAY, 60)["acme"].ties
    assert tie.state.active_days == 3
