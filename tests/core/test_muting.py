"""What nobody need hear."""

from datetime import date, timedelta

import pytest

from tests.alerts import alert
from worker.core.alerts import AlertReason
from worker.core.flags import State
from worker.core.muting import Mute, Setting, mute
from worker.core.rules import Severity

TODAY = date(2026, 6, 3)
LOW = {"severity": Severity.LOW}
HELD = Setting(hold_until=TODAY)
RESOLVED = {"reason": AlertReason.RESOLVED}


@pytest.mark.parametrize(
    ("of", "setting", "why"),
    [
        ({}, Setting(state=State.OPEN), None),
        ({}, HELD, Mute.ON_HOLD),
        ({}, Setting(hold_until=TODAY - timedelta(days=1)), None),
        ({"lifecycle": "churned"}, Setting(), Mute.CHURNED),
        ({"lifecycle": "active"}, Setting(), None),
        (LOW, Setting(critical=True), Mute.CRITICAL),
        ({}, Setting(critical=True), None),
        (LOW | {"reason": AlertReason.REMINDER}, Setting(critical=True), Mute.CRITICAL),
        ({}, Setting(state=State.SNOOZED), Mute.SNOOZED),
        ({"reason": AlertReason.REMINDER}, Setting(state=State.DISMISSED), Mute.DISMISSED),
        ({"reason": AlertReason.WORSE}, Setting(state=State.ACKNOWLEDGED), None),
        ({"reason": AlertReason.REMINDER}, Setting(state=State.RESOLVED), Mute.OVER),
        ({"reason": AlertReason.WORSE}, Setting(overtaken=True), Mute.OVERTAKEN),
        ({"reason": AlertReason.ASSIGNED}, Setting(overtaken=True), None),
        (RESOLVED, HELD, Mute.ON_HOLD),
        (RESOLVED | LOW, Setting(critical=True, state=State.RESOLVED), None),
        ({"reason": AlertReason.ASSIGNED}, HELD, None),
        ({"reason": AlertReason.RULES, "severity": None}, HELD, None),
    ],
)  # fmt: skip
def test_what_mutes_an_alert(of, setting, why):
    assert mute(alert(**of), setting, TODAY) is why
