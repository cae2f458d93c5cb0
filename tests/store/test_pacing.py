"""Turns of channels, kept in the database for all processes."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from worker.store import pacing
from worker.store.database import writing

NOW = datetime(2026, 2, 18, 6, tzinfo=UTC)
APART = timedelta(seconds=1)


def turns(engine: Engine, *seconds: float, apart: timedelta = APART) -> list[bool]:
    """Whether it was the channel's turn at each of these times."""
    found = []
    for one in seconds:
        with writing(engine) as db:
            found.append(pacing.turn(db, "C1", NOW + timedelta(seconds=one), apart))
    return found


def test_a_first_message_leaves_at_once_and_the_next_a_second_later(engine):
    assert turns(engine, 0, 0.5, 0.99, 1, 1.5, 2) == [True, False, False, True, False, True]


def test_a_turn_taken_late_does_not_move_those_after_it(engine):
    assert turns(engine, 0, 1.4, 2.1, 3.7, 4) == [True, True, True, True, True]
    assert turns(engine, 4.9, 5) == [False, True]


def test_after_a_silence_messages_are_a_second_apart_again(engine):
    assert turns(engine, 0, 60, 60.5, 60.99, 61) == [True, True, False, False, True]


def test_no_ten_messages_take_less_than_their_time(engine):
    sent = []
    at = 0.0
    while len(sent) < 100:
        at += 0.07
        if turns(engine, at) == [True]:
            sent.append(at)
    for first, last in zip(sent, sent[10:], strict=False):
        assert last - first >= 10 - pacing.LATE


def test_channels_have_turns_of_their_own_and_none_without_a_pace(engine):
    assert turns(engine, 0, 0) == [True, False]
    with writing(engine) as db:
        assert pacing.turn(db, "C2", NOW, APART)
    assert turns(engine, 0, 0, 0, apart=timedelta(0)) == [True, True, True]


def test_of_all_who_would_come_back_at_a_time_only_one_does(engine):
    with writing(engine) as db:
        assert pacing.claim(db, NOW + APART, NOW)
        assert not pacing.claim(db, NOW + APART, NOW)
        assert not pacing.claim(db, NOW + 2 * APART, NOW)
        assert pacing.claim(db, NOW + APART / 2, NOW)
        assert pacing.claim(db, NOW + 2 * APART, NOW + APART)
