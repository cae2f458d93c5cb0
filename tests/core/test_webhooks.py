"""What a flag's move comes to for other systems, and which facts are news."""

from datetime import date

import pytest

from worker.core.flags import Flag, State
from worker.core.rules import Severity
from worker.core.webhooks import (
    FlagsTold,
    Transition,
    Webhook,
    changed,
    tells,
    transition_of,
)

D = date(2026, 3, 2)


def flag(state: State, severity: Severity = Severity.HIGH, **more) -> Flag:
    return Flag(state, severity, D, **more)


OPEN = flag(State.OPEN)


@pytest.mark.parametrize(
    ("before", "after", "transition"),
    [
        (None, flag(State.PENDING), None),
        (flag(State.PENDING), None, None),
        (None, OPEN, "opened"),
        (flag(State.PENDING), OPEN, "opened"),
        (OPEN, OPEN._replace(first_false_on=D), None),
        (OPEN, OPEN._replace(severity=Severity.CRITICAL), "severity_changed"),
        (OPEN, OPEN._replace(severity=Severity.LOW), "severity_changed"),
        (OPEN, flag(State.ACKNOWLEDGED), "acknowledged"),
        (OPEN, flag(State.SNOOZED), "snoozed"),
        (OPEN, flag(State.DISMISSED), "dismissed"),
        (OPEN, OPEN._replace(assignee="kim"), "assigned"),
        (flag(State.SNOOZED), OPEN, "reopened"),
        (flag(State.DISMISSED), flag(State.OPEN, Severity.CRITICAL), "reopened"),
        (OPEN, flag(State.RESOLVED), "resolved"),
        (flag(State.DISMISSED), flag(State.RESOLVED), "resolved"),
        (None, flag(State.DISMISSED), "dismissed"),
        (None, OPEN._replace(shadow=True), None),
        (OPEN._replace(shadow=True), flag(State.RESOLVED, shadow=True), None),
        (OPEN._replace(shadow=True), OPEN, "opened"),
    ],
)
def test_a_move_is_told_as_what_others_see_of_it(before, after, transition):
    assert transition_of(before, after) == transition


def heard(told: FlagsTold | None, *severities: Severity, segment="smb", **more) -> bool:
    webhook = Webhook("crm", "https://x", flags=told, **more)
    return tells(webhook, segment, "quiet", Transition.OPENED, severities or (Severity.HIGH,))


def test_a_webhook_hears_of_what_all_of_its_filters_fit():
    assert heard(FlagsTold())
    assert not heard(None)
    assert heard(FlagsTold(rules=("quiet",)))
    assert not heard(FlagsTold(rules=("loud",)))
    assert not heard(FlagsTold(transitions=(Transition.RESOLVED,)))
    assert not heard(FlagsTold(), segments=("enterprise",))
    assert not heard(FlagsTold(), segments=("enterprise",), segment=None)
    assert heard(FlagsTold(), segments=("enterprise", "smb"))


def test_who_heard_that_a_flag_was_critical_hears_that_it_no_longer_is():
    wanted = FlagsTold(severities=(Severity.CRITICAL,))
    assert not heard(wanted, Severity.HIGH)
    assert heard(wanted, Severity.CRITICAL, Severity.HIGH)


def test_only_what_is_not_as_it_was_told_is_news():
    facts = {"mrr": 10.0, "health": None, "seats": 3}
    assert changed({}, facts, ["mrr", "health"], ()) == {"mrr": 10.0, "health": None}
    assert changed({"mrr": 10.0, "health": 7}, facts, ["mrr", "health"], ()) == {"health": None}
    assert changed({"mrr": 10.0, "health": 7}, facts, ["mrr", "health"], ["health"]) == {}
