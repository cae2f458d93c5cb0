"""Which moves of a flag someone should hear of, and why."""

from datetime import date, timedelta

import msgspec
import pytest

from worker.core.alerts import Alert, AlertReason, reason_for
from worker.core.flags import Flag, State
from worker.core.rules import Severity

D = date(2026, 2, 27)
PENDING = Flag(State.PENDING, Severity.MEDIUM, D)
OPEN = Flag(State.OPEN, Severity.MEDIUM, D, opened_on=D)
RESOLVED = OPEN._replace(state=State.RESOLVED, resolved_on=D)


@pytest.mark.parametrize("before", [None, PENDING])
def test_a_flag_that_opens_is_told(before):
    assert reason_for(before, OPEN, None) is AlertReason.OPENED


def test_nobody_hears_of_a_hold_that_has_only_begun():
    assert reason_for(None, PENDING, None) is None
    assert reason_for(PENDING, PENDING._replace(severity=Severity.CRITICAL), None) is None


@pytest.mark.parametrize(
    ("days", "reason"),
    [(0, AlertReason.REOPENED), (7, AlertReason.REOPENED), (8, AlertReason.OPENED)],
)
@pytest.mark.parametrize("before", [None, PENDING])
def test_a_flag_that_comes_back_within_7_days_is_the_same_story(before, days, reason):
    assert reason_for(before, OPEN, D - timedelta(days)) is reason


def test_what_counts_is_when_the_flag_opens_not_when_its_hold_began():
    opened_late = OPEN._replace(opened_on=D + timedelta(8))
    assert reason_for(PENDING, opened_late, D) is AlertReason.OPENED


@pytest.mark.parametrize("live", [State.OPEN, State.ACKNOWLEDGED, State.SNOOZED])
def test_who_was_told_of_a_flag_is_told_of_its_end(live):
    assert reason_for(OPEN._replace(state=live), RESOLVED, None) is AlertReason.RESOLVED


def test_nobody_hears_of_the_end_of_what_nobody_heard_of():
    assert reason_for(PENDING, RESOLVED, None) is None


@pytest.mark.parametrize(
    ("severity", "reason"),
    [
        (Severity.LOW, None),
        (Severity.MEDIUM, None),
        (Severity.HIGH, AlertReason.WORSE),
        (Severity.CRITICAL, AlertReason.WORSE),
    ],
)
def test_a_severity_that_rises_is_told_and_one_that_falls_is_not(severity, reason):
    assert reason_for(OPEN, OPEN._replace(severity=severity), None) is reason


def test_a_flag_that_starts_to_clear_is_no_news():
    assert reason_for(OPEN, OPEN._replace(first_false_on=D), None) is None


def test_an_alert_from_before_there_were_playbooks_is_read():
    row = b'{"reason": "opened", "account": "acme", "on": "2026-02-27", "title": "t"}'
    assert msgspec.json.decode(row, type=Alert).playbook is None
