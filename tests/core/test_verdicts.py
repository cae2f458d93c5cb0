"""How often a rule was right, by the verdict of those who got its alerts."""

import pytest

from worker.core.verdicts import Tally, verdict

YES = Tally("acknowledge", None, 3)
LATER = Tally("snooze", "1_week", 5)
WRONG = Tally("not_a_risk", "wrong_data", 1)
RULE = Tally("not_a_risk", "rule_is_wrong", 1)
KNOWN = Tally("not_a_risk", "known_and_handled", 2)


@pytest.mark.parametrize(
    ("tallies", "right", "wrong", "precision"),
    [
        ([], 0, 0, None),
        ([LATER], 0, 0, None),
        ([YES], 3, 0, 100.0),
        ([WRONG], 0, 1, 0.0),
        ([YES, WRONG], 3, 1, 75.0),
        ([KNOWN, WRONG], 2, 1, 66.7),
        ([YES, LATER, WRONG, RULE, KNOWN], 5, 2, 71.4),
    ],
)
def test_acknowledged_and_known_flags_were_right_and_other_dismissed_ones_wrong(
    tallies, right, wrong, precision
):
    found = verdict(tallies, 4)
    assert (found.right, found.wrong, found.precision) == (right, wrong, precision)
    assert found.unanswered == 4


def test_dismissals_are_told_with_their_reasons():
    found = verdict([WRONG, KNOWN, Tally("not_a_risk", None, 1)], 0)
    assert found.dismissed == {"known_and_handled": 2, "no reason given": 1, "wrong_data": 1}
