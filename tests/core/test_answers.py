"""Answers to a flag: what each makes of it, how long it lasts, and what wakes it before."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.alerts import AlertReason, reason_for
from worker.core.answers import (
    DISMISSED_FOR,
    Acknowledge,
    Answer,
    Assign,
    Dismiss,
    NotARisk,
    Refused,
    Snooze,
    SnoozeFor,
    answered,
    resumed,
)
from worker.core.conditions import Compare, Comparison
from worker.core.facts import FACTS
from worker.core.flags import HEARD_OF, QUIET, Flag, State, judge, resolve
from worker.core.rules import CompiledRule, Rule, Severity, rule_set
from worker.core.units import NEVER, Value
from worker.core.worsening import Limit, limits_of

D = date(2026, 2, 27)
OPEN = Flag(State.OPEN, Severity.HIGH, D, opened_on=D)
HOLDS = Compare("days_since_exec_contact", Comparison.OVER, (15,))


def day(number: int) -> date:
    return D + timedelta(number)


def facts(**known: Value) -> dict[str, Value]:
    """These facts, all others unknown; the last contact with an executive was 22 days ago."""
    return dict.fromkeys(FACTS) | {"days_since_exec_contact": 22} | known


def rule(severity: Severity = Severity.HIGH, keep: int = 0) -> CompiledRule:
    one = Rule("silence", "Quiet", severity, HOLDS, keep_open_for=keep)
    return rule_set([one], []).compiled[0]


def answer(answer: Answer, flag: Flag = OPEN, on: date = D, **known: Value) -> Flag:
    now = facts(**known)
    return answered(flag, answer, now, limits_of(HOLDS, now, {}), on)


def snoozed(span: SnoozeFor, until: date | None = None, **known: Value) -> Flag:
    return answer(Snooze(span, until), **known)


def after(flag: Flag, number: int, quiet_days: Value = None, **more: Value) -> Flag | None:
    """The flag after an evaluation so many days later; silence goes on unless given."""
    days = 22 + number if quiet_days is None else quiet_days
    return judge(rule(), flag, facts(days_since_exec_contact=days, **more), day(number)).after


def state(flag: Flag | None) -> str | None:
    return flag and str(flag.state)


def test_a_flag_that_is_acknowledged_stays_so_until_its_rule_no_longer_holds():
    flag = answer(Acknowledge())
    assert flag == OPEN._replace(state=State.ACKNOWLEDGED)
    assert after(flag, 200) == flag
    assert state(after(flag, 200, 3)) == "resolved"


@pytest.mark.parametrize(
    ("span", "until", "wakes"),
    [
        (SnoozeFor.DAY, None, 1),
        (SnoozeFor.WEEK, None, 7),
        (SnoozeFor.DATE, day(40), 40),
        (SnoozeFor.RENEWAL, None, 30),
    ],
)
def test_a_snooze_ends_on_its_day_and_not_before(span, until, wakes):
    flag = snoozed(span, until, days_to_renewal=30)
    assert after(flag, wakes - 1) == flag
    assert after(flag, wakes) == OPEN
    assert after(flag, wakes + 5) == OPEN


def test_a_snooze_until_the_next_exec_contact_lasts_for_as_long_as_there_is_none():
    flag = snoozed(SnoozeFor.EXEC_CONTACT)
    assert after(flag, 300) == flag


@pytest.mark.parametrize(("ago", "awake"), [(30, False), (11, False), (10, True), (0, True)])
def test_what_ends_it_is_contact_since_the_day_of_the_snooze_not_one_that_is_told_of_late(
    ago, awake
):
    flag = snoozed(SnoozeFor.EXEC_CONTACT)
    always = rule_set([Rule("r", "t", Severity.HIGH, Compare("mrr", Comparison.OVER, (1,)))], [])
    verdict = judge(always.compiled[0], flag, facts(days_since_exec_contact=ago, mrr=9), day(10))
    assert state(verdict.after) == ("open" if awake else "snoozed")


def test_contact_earlier_on_the_day_of_the_snooze_is_not_the_next_one():
    flag = snoozed(SnoozeFor.EXEC_CONTACT, days_since_exec_contact=0)
    assert flag.quiet is not None
    assert flag.quiet.exec_contact_from == day(1)


@pytest.mark.parametrize("last", [NEVER, None, 10**7])
def test_an_account_that_never_met_an_executive_can_wait_for_the_first_contact(last):
    flag = snoozed(SnoozeFor.EXEC_CONTACT, days_since_exec_contact=last)
    assert flag.quiet is not None
    assert flag.quiet.exec_contact_from == D


@pytest.mark.parametrize("until", [None, D, day(-1), day(367)])
def test_a_snooze_to_a_date_needs_one_that_is_ahead_and_within_a_year(until):
    with pytest.raises(Refused, match=r"date|ahead|year"):
        snoozed(SnoozeFor.DATE, until)
    assert snoozed(SnoozeFor.DATE, day(366)).quiet


@pytest.mark.parametrize("days", [None, 0, -4])
def test_there_is_no_snooze_until_a_renewal_that_is_not_ahead(days):
    with pytest.raises(Refused, match="No renewal lies ahead"):
        snoozed(SnoozeFor.RENEWAL, days_to_renewal=days)


def dismissed(**known: Value) -> Flag:
    return answer(Dismiss(NotARisk.KNOWN), **known)


@pytest.mark.parametrize(("days", "awake"), [(22, False), (32, False), (33, True), (NEVER, True)])
def test_a_dismissed_flag_is_back_once_the_silence_is_half_as_long_again(days, awake):
    assert state(after(dismissed(), 1, days)) == ("open" if awake else "dismissed")


def test_a_dismissed_flag_is_back_after_a_quarter_whatever_the_facts():
    flag = dismissed()
    ends = DISMISSED_FOR.days
    assert after(flag, ends - 1, 22) == flag
    assert after(flag, ends, 22) == OPEN


def test_a_dismissed_flag_is_back_when_its_rule_is_called_more_severe():
    flag = dismissed()
    verdict = judge(rule(Severity.CRITICAL), flag, facts(), day(1))
    assert verdict.after == OPEN._replace(severity=Severity.CRITICAL)
    assert judge(rule(Severity.LOW), flag, facts(), day(1)).after == flag._replace(
        severity=Severity.LOW
    )


@pytest.mark.parametrize("quiet", [snoozed(SnoozeFor.DAY), dismissed()])
def test_a_quiet_flag_stays_quiet_while_its_rule_does_not_hold_or_that_is_unknown(quiet):
    unknown = facts(days_since_exec_contact=None)
    assert judge(rule(), quiet, unknown, day(200)).after == quiet
    clearing = judge(rule(keep=5), quiet, facts(days_since_exec_contact=1), day(200)).after
    assert clearing == quiet._replace(first_false_on=day(200))
    assert judge(rule(keep=5), clearing, facts(), day(203)).after == OPEN


@pytest.mark.parametrize(
    ("flag", "reason"),
    [
        (OPEN, AlertReason.RESOLVED),
        (answer(Acknowledge()), AlertReason.RESOLVED),
        (snoozed(SnoozeFor.WEEK), AlertReason.RESOLVED),
        (dismissed(), None),
    ],
)
def test_a_dismissed_flag_ends_without_a_word_and_any_other_with_one(flag, reason):
    ended = resolve(flag, day(3))
    assert ended is not None
    assert ended._replace(quiet=None) == OPEN._replace(state=State.RESOLVED, resolved_on=day(3))
    assert reason_for(flag, ended, None) is reason


@pytest.mark.parametrize(
    ("days", "silence", "state"),
    [(1, 6, "dismissed"), (7, 32, "dismissed"), (7, 33, "open"), (8, 6, "open")],
)
def test_a_dismissed_flag_that_ends_and_comes_back_within_7_days_is_dismissed_still(
    days, silence, state
):
    ended = resolve(dismissed()._replace(assignee="kim"), D)
    opened = OPEN._replace(opened_on=day(days))
    again = resumed(opened, ended, facts(days_since_exec_contact=silence))
    assert str(again.state) == state
    assert again.assignee == ("kim" if days <= 7 else None)


def test_a_flag_that_comes_back_more_severe_is_open():
    ended = resolve(dismissed(), D)
    worse = OPEN._replace(severity=Severity.CRITICAL, opened_on=day(1))
    assert resumed(worse, ended, facts()) == worse


@pytest.mark.parametrize("before", [OPEN, answer(Acknowledge()), snoozed(SnoozeFor.WEEK)])
def test_only_a_dismissal_outlives_its_flag(before):
    opened = OPEN._replace(opened_on=day(1))
    assert resumed(opened, resolve(before, D), facts()) == opened
    assert resumed(opened, None, facts()) == opened


@pytest.mark.parametrize(
    ("flag", "reason"),
    [(snoozed(SnoozeFor.WEEK), AlertReason.AWAKE), (dismissed(), AlertReason.BACK)],
)
def test_a_flag_that_wakes_is_told_of_again_and_why(flag, reason):
    woken = after(flag, 100)
    assert woken == OPEN
    assert reason_for(flag, woken, D) is reason


def test_a_snoozed_flag_that_gets_more_severe_is_told_as_worse():
    worse = judge(rule(Severity.CRITICAL), snoozed(SnoozeFor.WEEK), facts(), day(1)).after
    assert worse is not None
    assert reason_for(snoozed(SnoozeFor.WEEK), worse, None) is AlertReason.WORSE


@pytest.mark.parametrize("before", [OPEN, answer(Acknowledge()), dismissed()])
def test_a_flag_given_to_someone_is_open_for_them_until_they_answer(before):
    given_ = answer(Assign("kim"), before)
    assert given_ == OPEN._replace(assignee="kim")
    assert answer(Acknowledge(), given_).assignee == "kim"
    assert after(answer(Snooze(SnoozeFor.DAY), given_), 1) == given_


def test_to_give_a_flag_to_whom_it_is_given_already_leaves_what_they_answered():
    acknowledged = answer(Acknowledge(), answer(Assign("kim")))
    assert answer(Assign("kim"), acknowledged) == acknowledged


@pytest.mark.parametrize("state", [State.PENDING, State.RESOLVED])
@pytest.mark.parametrize("given", [Acknowledge(), Dismiss(NotARisk.KNOWN), Assign("kim")])
def test_there_is_nothing_to_answer_to_a_flag_that_is_over_or_not_open_yet(state, given):
    with pytest.raises(Refused, match="no longer open"):
        answer(given, OPEN._replace(state=state))


@pytest.mark.parametrize(
    ("comparison", "fact", "value", "limit"),
    [
        (Comparison.OVER, "days_since_exec_contact", 22, (True, 33)),
        (Comparison.AT_LEAST, "days_since_exec_contact", 4, (True, 11)),
        (Comparison.UNDER, "strong_exec_ties", 2, (False, 1)),
        (Comparison.UNDER, "strong_exec_ties", 1, (False, 0)),
        (Comparison.UNDER, "strong_exec_ties", 0, None),
        (Comparison.AT_MOST, "licences_used", 40, (False, 20)),
        (Comparison.UNDER, "adoption", 60.0, (False, 30.0)),
        (Comparison.AT_MOST, "usage_change", -12.0, (False, -22.0)),
        (Comparison.AT_MOST, "usage_change", -30.0, (False, -45.0)),
        (Comparison.OVER, "days_since_exec_contact", NEVER, None),
        (Comparison.BETWEEN, "days_to_renewal", 30, None),
        (Comparison.IS, "strong_exec_ties", 0, None),
    ],
)
def test_materially_worse_is_half_as_bad_again_and_more_than_chance(comparison, fact, value, limit):
    top = 10_000 if comparison in (Comparison.UNDER, Comparison.AT_MOST) else 0
    operands = {Comparison.BETWEEN: (0, 90), Comparison.IS: (0,)}.get(comparison, (top,))
    now = facts(**{fact: value})
    found = limits_of(Compare(fact, comparison, operands), now, {})
    assert found == (() if limit is None else (Limit(fact, *limit),))


ANSWERS = st.one_of(
    st.just(Acknowledge()),
    st.builds(Dismiss, st.sampled_from(NotARisk)),
    st.builds(Assign, st.sampled_from(["kim", "lee"])),
    st.sampled_from([SnoozeFor.DAY, SnoozeFor.WEEK, SnoozeFor.EXEC_CONTACT]).map(Snooze),
)
SILENCES = st.one_of(st.none(), st.just(NEVER), st.integers(0, 60))
DAYS = st.lists(st.tuples(st.integers(0, 40), SILENCES, st.none() | ANSWERS), max_size=20)


@given(DAYS)
def test_whatever_people_answer_a_flag_ends_when_and_only_when_its_rule_stops_holding(days):
    """Answers decide who is told, never what is so: beside one that nobody answers, a flag that is
    answered is live on the same days."""
    ours, plain, on = None, None, D
    for wait, silence, answer_ in days:
        on += timedelta(wait)
        now = facts(days_since_exec_contact=silence)
        before = ours
        ours, plain = judge(rule(), ours, now, on).after, judge(rule(), plain, now, on).after
        assert (ours is None, state(ours) == "resolved") == (
            plain is None,
            state(plain) == "resolved",
        )
        told = ours and reason_for(before, ours, None)
        assert told is None or before is None or before != ours
        if before is not None and before.state is State.DISMISSED and told is not None:
            assert told is AlertReason.BACK
        if ours is None or ours.state is State.RESOLVED:
            ours = plain = None
            continue
        assert (ours.quiet is not None) == (ours.state in QUIET)
        if answer_ is not None and ours.state in HEARD_OF | QUIET:
            once = answered(ours, answer_, now, limits_of(HOLDS, now, {}), on)
            assert answered(once, answer_, now, limits_of(HOLDS, now, {}), on) == once
            ours = once


@given(DAYS, st.integers(1, 5))
def test_to_evaluate_a_day_again_moves_nothing(days, times):
    flag, on = OPEN, D
    for wait, silence, answer_ in days:
        on += timedelta(wait)
        now = facts(days_since_exec_contact=silence)
        verdict = judge(rule(), flag, now, on).after
        for _ in range(times):
            if verdict is None or verdict.state is State.RESOLVED:
                return
            assert judge(rule(), verdict, now, on).after == verdict
        assert verdict is not None
        flag = verdict
        if answer_ is not None:
            flag = answered(flag, answer_, now, limits_of(HOLDS, now, {}), on)
