"""Urgency: the worst first, what is worth most before the rest, and growth last."""

from datetime import date

from worker.core.rules import Kind, Severity
from worker.core.urgency import most_at_stake_first, worst_first

SOON, LATER = date(2026, 6, 1), date(2026, 9, 1)

FLAGS = {
    "critical": (Kind.RISK, Severity.CRITICAL, 10.0, None),
    "high, dear, soon": (Kind.RISK, Severity.HIGH, 900.0, SOON),
    "high, dear, later": (Kind.RISK, Severity.HIGH, 900.0, LATER),
    "high, dear": (Kind.RISK, Severity.HIGH, 900.0, None),
    "high": (Kind.RISK, Severity.HIGH, None, None),
    "low, dearest": (Kind.RISK, Severity.LOW, 1e6, None),
    "none": (Kind.RISK, None, 0.0, None),
    "growth": (Kind.GROWTH, Severity.CRITICAL, 1e9, SOON),
}


def test_worst_first_is_by_severity_then_by_value_then_by_renewal():
    assert sorted(sorted(FLAGS), key=lambda name: worst_first(*FLAGS[name])) == list(FLAGS)


def test_most_at_stake_first_is_by_value_then_by_renewal_then_by_severity():
    assert sorted(FLAGS, key=lambda name: most_at_stake_first(*FLAGS[name])) == [
        "low, dearest",
        "high, dear, soon",
        "high, dear, later",
        "high, dear",
        "critical",
        "high",
        "none",
        "growth",
    ]
