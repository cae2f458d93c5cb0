"""What a button or menu carries comes back as what it meant."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.slack.actions import PATTERN, Action, Pressed, chosen, option_value, pressed, value

ids = st.text(min_size=1, max_size=200)


@given(st.sampled_from(Action), ids)
def test_what_is_pressed_is_the_action_and_its_subject(action: Action, subject: str):
    assert pressed(value(action, subject)) == Pressed(action, subject)


def test_a_button_names_its_flag():
    assert pressed(value(Action.SNOOZE, 12)).flag == 12


@pytest.mark.parametrize("carried", ["", "snooze", "snooze/", "sneeze/12", "/12", "SNOOZE/12"])
def test_a_value_that_is_none_of_ours_is_refused(carried: str):
    with pytest.raises(ValueError, match="not a value of a tiewatch button"):
        pressed(carried)


@pytest.mark.parametrize("subject", ["acme", "1.5", "-1", "٣", " 12"])
def test_what_is_no_number_is_no_flag(subject: str):
    with pytest.raises(ValueError, match="names no flag"):
        _ = Pressed(Action.SNOOZE, subject).flag


def test_every_action_id_is_one_that_the_listeners_take():
    assert all(re.match(PATTERN, action.id) for action in Action)


@given(st.lists(ids, min_size=1, unique=True))
def test_an_option_stands_for_one_id_whatever_its_length(all_: list[str]):
    assert [chosen(option_value(one), all_) for one in all_] == all_
    assert all(len(option_value(one).encode("utf-16-le")) <= 300 for one in all_)


def test_an_id_that_looks_like_a_digest_is_not_taken_for_the_one_it_is_of():
    long = "x" * 200
    assert option_value(option_value(long)) != option_value(long)
    assert chosen(option_value("nobody"), [long]) is None
