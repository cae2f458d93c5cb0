"""What a conversation's card says, and when it is over."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.alerts import alert
from worker.core.alerts import Alert, AlertReason, OpenFlag
from worker.core.conversations import Standing, card, ended_on, goes_on, latest, worth_beginning
from worker.core.flags import State
from worker.core.rules import Kind, Severity

DAY = alert().on
OPENED, WORSE, RESOLVED = AlertReason.OPENED, AlertReason.WORSE, AlertReason.RESOLVED


def of(rule: str, reason: AlertReason = OPENED, **more: Any) -> Alert:
    return alert(rule=rule, reason=reason, **more)


def test_a_card_has_the_last_alert_of_each_rule_worst_first_and_what_is_over_at_the_end():
    told = [
        of("a", severity=Severity.LOW),
        of("b", severity=Severity.CRITICAL),
        of("c", severity=Severity.MEDIUM),
        of("b", RESOLVED, severity=Severity.CRITICAL),
        of("a", WORSE, severity=Severity.HIGH),
    ]
    assert [(one.rule, one.reason) for one in latest(told)] == [
        ("a", WORSE), ("c", OPENED), ("b", RESOLVED),
    ]  # fmt: skip


def test_a_card_has_a_risk_before_a_chance_whatever_its_severity():
    told = [of("grows", severity=Severity.CRITICAL, kind=Kind.GROWTH), of("small")]
    assert [one.rule for one in latest(told)] == ["small", "grows"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([OPENED, WORSE, RESOLVED]))))
def test_a_card_has_every_rule_once_with_what_was_last_said_of_it(said):
    told = [of(rule, reason) for rule, reason in said]
    found = {one.rule: one.reason for one in latest(told)}
    assert found == dict(said)
    assert len(latest(told)) == len(found)


def test_a_card_says_what_has_become_of_each_flag():
    acknowledged = Standing(7, State.ACKNOWLEDGED, by="Sam Lee", note="on it", assignee="Kim")
    (told,) = card([of("a")], {"a": acknowledged, "b": Standing(8, State.OPEN)}).told
    assert (told.flag, told.state, told.by) == (7, State.ACKNOWLEDGED, "Sam Lee")
    assert (told.note, told.assignee, told.until) == ("on it", "Kim", None)


@pytest.mark.parametrize(
    ("state", "until"), [(State.SNOOZED, DAY), (State.DISMISSED, DAY), (State.OPEN, None)]
)
def test_only_what_is_quiet_has_an_end_to_it(state: State, until: date | None):
    (told,) = card([of("a")], {"a": Standing(7, state, until=DAY)}).told
    assert told.until == until


def test_a_flag_that_is_told_to_be_over_is_over_though_another_one_has_begun_since():
    (told,) = card([of("a", RESOLVED)], {"a": Standing(9, State.OPEN)}).told
    assert told.state is State.RESOLVED


def test_a_flag_that_ended_unsaid_is_not_said_to_be_cleared_by_what_raised_it():
    (told,) = card([of("a")], {"a": Standing(7, State.RESOLVED, resolved_on=DAY)}).told
    assert (told.state, told.alert.why) == (State.RESOLVED, ())


def over(*alerts: Alert, **standings: Standing) -> date | None:
    return ended_on(card(alerts, standings), standings)


def test_a_conversation_is_over_when_its_last_flag_is():
    later = DAY + timedelta(3)
    assert over(of("a")) is None
    assert over(of("a", RESOLVED), of("b")) is None
    assert over(of("a", RESOLVED), of("b", RESOLVED, on=later)) == later
    assert over(of("a"), a=Standing(7, State.RESOLVED, resolved_on=later)) == later
    assert over(of("a"), a=Standing(7, State.SNOOZED)) is None


def test_a_renewal_check_is_over_on_its_day_and_keeps_no_conversation_up():
    check = alert(reason=AlertReason.RENEWAL, rule=None, severity=None)
    assert over(check) == DAY
    assert over(check, of("a")) is None


def test_a_renewal_check_that_waited_lists_what_is_up_by_then():
    flags = tuple(OpenFlag(rule, Severity.HIGH, rule) for rule in "abcd")
    check = alert(reason=AlertReason.RENEWAL, rule=None, severity=None, open_flags=flags)
    standings = {
        "a": Standing(1, State.OPEN),
        "b": Standing(2, State.DISMISSED),
        "c": Standing(3, State.RESOLVED, resolved_on=DAY),
    }
    (told,) = card([check], standings).told
    assert [flag.rule for flag in told.alert.open_flags] == ["a", "d"]


@pytest.mark.parametrize(("days", "goes"), [(0, True), (7, True), (8, False)])
def test_a_conversation_goes_on_for_seven_days(days: int, goes: bool):
    assert goes_on(DAY, DAY + timedelta(days)) is goes
    assert goes_on(None, DAY + timedelta(days))


def test_only_news_is_worth_a_new_card():
    assert not worth_beginning([of("a", RESOLVED)])
    assert worth_beginning([of("a", RESOLVED), of("b", AlertReason.REMINDER)])
