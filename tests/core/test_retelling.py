"""What is told again of a flag that stays open."""

from datetime import date, timedelta

import pytest

from worker.core.alerts import AlertReason
from worker.core.retelling import Heard, again

ON = date(2026, 6, 3)
REMINDER, ESCALATED, OPENED = AlertReason.REMINDER, AlertReason.ESCALATED, AlertReason.OPENED


def ago(days):
    return ON - timedelta(days)


@pytest.mark.parametrize(
    ("heard", "remind_every", "escalate_after", "reasons"),
    [
        (Heard(ago(6), ago(6)), 7, None, []),
        (Heard(ago(7), ago(7)), 7, None, [REMINDER]),
        (Heard(ago(30), ago(6)), 7, None, []),
        (Heard(ago(30), ago(30)), None, None, []),
        (Heard(ago(2), ago(2)), None, 3, []),
        (Heard(ago(3), ago(3)), None, 3, [ESCALATED]),
        (Heard(ago(30), ago(1)), None, 3, [ESCALATED]),
        (Heard(ago(3), ago(3), escalated=True), None, 3, []),
        (Heard(None, ago(9)), None, 3, []),
        (Heard(ago(7), ago(7)), 7, 7, [REMINDER, ESCALATED]),
        (Heard(None, None), 1, 1, []),
        (Heard(None, None, muted=True), None, None, [OPENED]),
        (Heard(ago(2), ago(2), muted=True), 7, None, []),
    ],
)
def test_what_is_told_again_and_when(heard, remind_every, escalate_after, reasons):
    assert list(again(heard, remind_every, escalate_after, ON)) == reasons
