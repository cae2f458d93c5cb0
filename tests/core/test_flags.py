"""Flags: how holds count, what moves a flag, and what leaves it alone."""

from datetime import date, timedelta
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.flags import Flag, Holds, State, resolve, step
from worker.core.rules import Severity

HIGH, MEDIUM = Severity.HIGH, Severity.MEDIUM
D = date(2026, 2, 27)
"""A hold that starts here ends in the next month."""

TRUE, FALSE, UNKNOWN = True, False, None

Evaluations = list[tuple[date, bool | None]]


def day(number: int) -> date:
    return D + timedelta(number)


def after(holds: Holds, *evaluations: tuple[int, bool | None]) -> Flag | None:
    """The flag after these (day, outcome)."""
    flag = None
    for number, outcome in evaluations:
        flag = step(flag, outcome, HIGH, holds, day(number))
        if flag and flag.state is State.RESOLVED and (number, outcome) != evaluations[-1]:
            flag = None
    return flag


def state(holds: Holds, *evaluations: tuple[int, bool | None]) -> str | None:
    flag = after(holds, *evaluations)
    return flag and str(flag.state)


def test_without_a_hold_a_true_rule_opens_its_flag_at_once():
    assert after(Holds(), (0, TRUE)) == Flag(State.OPEN, HIGH, D, opened_on=D)


@pytest.mark.parametrize(
    ("evaluated", "expected"),
    [
        ([0], "pending"),
        ([0, 1], "pending"),
        ([0, 2], "open"),
        ([0, 1, 2], "open"),
        ([0, 9], "open"),
        ([0, 0, 0], "pending"),
    ],
)
def test_a_rule_first_true_on_d_opens_at_the_first_true_evaluation_on_or_after_d_plus_its_hold(
    evaluated, expected
):
    assert state(Holds(open_after=2), *((number, TRUE) for number in evaluated)) == expected


def test_a_flag_opens_on_the_date_of_that_evaluation_and_remembers_when_the_rule_became_true():
    flag = after(Holds(open_after=2), (0, TRUE), (5, TRUE))
    assert flag == Flag(State.OPEN, HIGH, first_true_on=D, opened_on=day(5))


def test_a_false_in_between_starts_the_hold_anew():
    hold = Holds(open_after=2)
    assert state(hold, (0, TRUE), (1, FALSE)) is None
    assert state(hold, (0, TRUE), (1, FALSE), (1, TRUE), (2, TRUE)) == "pending"
    assert state(hold, (0, TRUE), (1, FALSE), (1, TRUE), (3, TRUE)) == "open"


@pytest.mark.parametrize(
    ("evaluated", "expected"),
    [
        ([4], "open"),
        ([4, 6], "open"),
        ([4, 7], "resolved"),
        ([4, 5, 6, 7], "resolved"),
        ([4, 30], "resolved"),
    ],
)
def test_keep_open_for_mirrors_the_hold(evaluated, expected):
    keep = Holds(resolve_after=3)
    assert state(keep, (0, TRUE), *((number, FALSE) for number in evaluated)) == expected


def test_a_true_in_between_keeps_the_flag_open_and_starts_its_clearing_anew():
    keep = Holds(resolve_after=3)
    assert state(keep, (0, TRUE), (4, FALSE), (6, TRUE), (7, FALSE), (9, FALSE)) == "open"
    assert state(keep, (0, TRUE), (4, FALSE), (6, TRUE), (7, FALSE), (10, FALSE)) == "resolved"


def test_a_flag_says_when_it_was_resolved():
    flag = after(Holds(resolve_after=3), (0, TRUE), (4, FALSE), (8, FALSE))
    assert flag == Flag(State.RESOLVED, HIGH, D, day(4), opened_on=D, resolved_on=day(8))


@pytest.mark.parametrize(
    "flag",
    [
        None,
        Flag(State.PENDING, HIGH, D),
        Flag(State.OPEN, HIGH, D, opened_on=D),
        Flag(State.OPEN, HIGH, D, first_false_on=day(2), opened_on=D),
    ],
)
def test_unknown_moves_neither_the_state_nor_a_clock_nor_the_severity(flag):
    assert step(flag, UNKNOWN, MEDIUM, Holds(1, 1), day(30)) == flag


def test_the_clocks_go_on_while_the_outcome_is_unknown():
    holds = Holds(open_after=2, resolve_after=3)
    assert state(holds, (0, TRUE), (1, UNKNOWN), (2, TRUE)) == "open"
    opened = [(0, TRUE), (2, TRUE)]
    assert state(holds, *opened, (4, FALSE), (5, UNKNOWN), (7, FALSE)) == "resolved"


def test_a_day_of_unknown_neither_opens_a_flag_that_is_due_nor_resolves_one():
    holds = Holds(open_after=2, resolve_after=2)
    assert state(holds, (0, TRUE), (2, UNKNOWN)) == "pending"
    assert state(holds, (0, TRUE), (2, TRUE), (3, FALSE), (9, UNKNOWN)) == "open"


def test_a_false_rule_without_a_flag_leaves_none():
    assert step(None, FALSE, HIGH, Holds(), D) is None


@pytest.mark.parametrize("live", [State.OPEN, State.ACKNOWLEDGED, State.SNOOZED])
def test_a_live_flag_takes_the_severity_that_its_rule_has_now(live):
    flag = Flag(live, MEDIUM, D, opened_on=D)
    assert step(flag, TRUE, HIGH, Holds(), day(1)) == flag._replace(severity=HIGH)


@pytest.mark.parametrize("live", [State.ACKNOWLEDGED, State.SNOOZED])
def test_a_flag_that_a_person_has_looked_at_stays_so_and_still_resolves_by_itself(live):
    flag = Flag(live, HIGH, D, opened_on=D)
    assert step(flag, TRUE, HIGH, Holds(), day(1)) == flag
    resolved = step(flag, FALSE, HIGH, Holds(), day(1))
    assert resolved is not None
    assert resolved.state is State.RESOLVED


def test_a_rule_that_no_longer_applies_resolves_its_flag_and_drops_one_nobody_heard_of():
    opened = Flag(State.OPEN, HIGH, D, opened_on=D)
    assert resolve(opened, day(1)) == opened._replace(state=State.RESOLVED, resolved_on=day(1))
    assert resolve(Flag(State.PENDING, HIGH, D), day(1)) is None


@pytest.mark.parametrize(
    ("holds", "before", "outcome"),
    [
        (Holds(open_after=2), [(5, TRUE)], TRUE),
        (Holds(resolve_after=2), [(0, TRUE), (5, FALSE)], FALSE),
    ],
)
def test_a_date_before_a_running_clock_moves_its_start_back(holds, before, outcome):
    moved = [*before, (3, outcome)]
    was = state(holds, *moved)
    assert state(holds, *moved, (4, outcome)) == was
    assert state(holds, *moved, (5, outcome)) == {TRUE: "open", FALSE: "resolved"}[outcome]


# The definition once more, read backwards from each evaluation over everything before it.


def by_definition(history: Evaluations, hold: int, keep: int) -> list[tuple[str, date | None]]:
    """(state, opened on) after each evaluation: pending is "waits", no flag is "none"."""
    found: list[tuple[str, date | None]] = []
    is_open, opened_on = False, None
    for place, (on, outcome) in enumerate(history):
        known = [one for one in history[: place + 1] if one[1] is not None]
        run = list(takewhile(lambda one, last=outcome: one[1] is last, reversed(known)))
        if outcome is True and not is_open and (on - run[-1][0]).days >= hold:
            is_open, opened_on = True, on
        if outcome is False and is_open and (on - run[-1][0]).days >= keep:
            is_open, opened_on = False, None
        waits = not is_open and bool(known) and known[-1][1] is True
        found.append(("open" if is_open else "waits" if waits else "none", opened_on))
    return found


@given(
    steps=st.lists(st.tuples(st.integers(0, 3), st.sampled_from([TRUE, TRUE, FALSE, UNKNOWN]))),
    hold=st.integers(0, 5),
    keep=st.integers(0, 5),
)
def test_holds_are_as_defined_whatever_the_outcomes_and_whichever_days_are_evaluated(
    steps, hold, keep
):
    on, history = D, []
    for days, outcome in steps:
        on += timedelta(days)
        history.append((on, outcome))
    flag, found = None, []
    for on, outcome in history:
        flag = step(flag, outcome, HIGH, Holds(hold, keep), on)
        if flag and flag.state is State.RESOLVED:
            flag = None
        names = {State.OPEN: "open", State.PENDING: "waits"}
        found.append((names[flag.state] if flag else "none", flag.opened_on if flag else None))
    assert found == by_definition(history, hold, keep)
