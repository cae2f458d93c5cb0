"""One delivery in a while is enough, if each alert is followed by one."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from worker.delivering.bell import PAUSE, Bell

gaps = st.lists(st.floats(0, 3 * PAUSE), min_size=1, max_size=60)


@given(gaps)
def test_after_every_ring_a_delivery_begins_and_within_the_pause(waits: list[float]) -> None:
    bell, now, begins, rings = Bell(), 0.0, [], []
    for wait in waits:
        now += wait
        rings.append(now)
        delay = bell.delay(now)
        if delay is not None:
            begins.append(now + delay)
    for ring in rings:
        assert any(ring <= begin <= ring + PAUSE + 1e-9 for begin in begins)
    assert all(later - one >= PAUSE - 1e-9 for one, later in pairwise(begins))


def test_a_lone_alert_is_delivered_at_once() -> None:
    assert Bell().delay(100.0) == 0


def test_a_ring_that_was_not_heard_is_not_relied_on() -> None:
    bell = Bell()
    bell.delay(1.0)
    bell.delay(1.01)
    bell.unheard()
    assert bell.delay(1.02) == 0
