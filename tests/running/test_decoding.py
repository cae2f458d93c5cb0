"""How a message's body is read."""

import pytest

from worker.running.decoding import MAX_DEPTH, loads


@pytest.mark.parametrize(("levels", "text"), [(MAX_DEPTH + 1, False), (MAX_DEPTH + 2, True)])
def test_an_event_that_nests_too_deeply_becomes_a_text(levels: int, text: bool) -> None:
    event = "[" * levels + "]" * levels
    arguments, _, _ = loads(f'[[[{event}, {{"id": "]["}}]], {{}}, {{}}]')
    deep, flat = arguments[0]
    assert isinstance(deep, str) is text
    assert flat == {"id": "]["}
