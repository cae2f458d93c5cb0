"""Which message an alert leaves in, and when."""

# ruff: noqa: E501 - one case a line, so that they read as a table

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.alerts import alert
from worker.core.alerts import AlertReason, OpenFlag
from worker.core.bundles import Day, Kind, Why, digest_of, place, together
from worker.core.quiet import QuietTimes
from worker.core.rules import Kind as RuleKind
from worker.core.rules import Severity
from worker.core.telling import Telling

LOW = {"severity": Severity.LOW}
CRITICAL = {"severity": Severity.CRITICAL}
CHECK = {"reason": AlertReason.RENEWAL, "rule": None, "severity": None}
FLAG = OpenFlag("x", Severity.HIGH, "X")
NIGHTS = Telling(quiet=QuietTimes((time(18), time(8))))
THROUGH = Telling(quiet=QuietTimes((time(18), time(8)), (5, 6)), let_through=Severity.CRITICAL)
NOON = "2026-06-03T12:00"
NIGHT = "2026-06-03T22:00"
DAWN = "2026-06-03T06:00"


def placed(now, of, day=None, telling=None, zone=UTC):
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    return place(alert(**of), day or Day(), telling or Telling(), moment, zone)


@pytest.mark.parametrize(
    ("now", "of", "day", "telling", "bundle", "due", "why"),
    [
        (NOON, {}, Day(), Telling(), "account/acme", "03 12:00", Why.AT_ONCE),
        (NOON, {}, Day(), NIGHTS, "account/acme", "03 12:00", Why.AT_ONCE),
        (NIGHT, {}, Day(), NIGHTS, "account/acme", "04 08:00", Why.QUIET),
        (NIGHT, CRITICAL, Day(), NIGHTS, "account/acme", "04 08:00", Why.QUIET),
        (NIGHT, CRITICAL, Day(), THROUGH, "account/acme", "03 22:00", Why.AT_ONCE),
        (NOON, LOW, Day(), Telling(), "digest/2026-06-04", "04 08:00", Why.LOW),
        (DAWN, LOW, Day(), Telling(), "digest/2026-06-03", "03 08:00", Why.LOW),
        (NOON, LOW, Day(), Telling(digest_up_to=None), "account/acme", "03 12:00", Why.AT_ONCE),
        (NOON, {}, Day(), Telling(digest_up_to=Severity.HIGH), "digest/2026-06-04", "04 08:00", Why.LOW),
        (NOON, {}, Day(many=True), Telling(), "digest/2026-06-03", "03 12:00", Why.MANY),
        (NOON, CRITICAL, Day(many=True), Telling(), "digest/2026-06-03", "03 12:00", Why.MANY),
        (DAWN, {}, Day(many=True), NIGHTS, "digest/2026-06-03", "03 08:00", Why.MANY),
        (NIGHT, {}, Day(many=True), NIGHTS, "digest/2026-06-04", "04 08:00", Why.MANY),
        (NOON, {}, Day(many=True, digest_gone=True), Telling(), "digest/2026-06-04", "04 08:00", Why.MANY),
        (NOON, CRITICAL, Day(many=True, digest_gone=True), Telling(), "account/acme", "03 12:00", Why.AT_ONCE),
        (NIGHT, CRITICAL, Day(many=True), NIGHTS, "digest/2026-06-04", "04 08:00", Why.MANY),
        (NIGHT, CRITICAL, Day(many=True), THROUGH, "account/acme", "03 22:00", Why.AT_ONCE),
        (NOON, CRITICAL, Day(many=True, digest_gone=True, messages=20), Telling(), "digest/2026-06-03T12", "03 12:00", Why.BUDGET),
        (DAWN, LOW, Day(digest_gone=True), Telling(), "digest/2026-06-04", "04 08:00", Why.LOW),
        (NOON, {}, Day(messages=19), Telling(), "account/acme", "03 12:00", Why.AT_ONCE),
        (NOON, {}, Day(messages=20), Telling(), "digest/2026-06-04", "04 08:00", Why.BUDGET),
        (NOON, CRITICAL, Day(messages=20), Telling(), "digest/2026-06-03T12", "03 12:00", Why.BUDGET),
        (NOON, CRITICAL, Day(messages=20, urgent_gone=True), Telling(), "digest/2026-06-03T13", "03 13:00", Why.BUDGET),
        (NIGHT, CRITICAL, Day(messages=20), NIGHTS, "digest/2026-06-04T08", "04 08:00", Why.BUDGET),
        ("2026-06-03T17:30", CRITICAL, Day(messages=20, urgent_gone=True), NIGHTS, "digest/2026-06-04T08", "04 08:00", Why.BUDGET),
        (NOON, CRITICAL, Day(messages=20), THROUGH, "account/acme", "03 12:00", Why.AT_ONCE),
        (NOON, CHECK, Day(), Telling(), "digest/2026-06-04", "04 08:00", Why.NOTHING_OPEN),
        (NOON, CHECK | {"open_flags": (FLAG,)}, Day(), Telling(), "account/acme", "03 12:00", Why.AT_ONCE),
        (NOON, {"reason": AlertReason.RESOLVED}, Day(messages=99), Telling(), "account/acme", "03 12:00", Why.AT_ONCE),
        (NOON, {"reason": AlertReason.RESOLVED}, Day(in_digest=True), Telling(), "digest/2026-06-04", "04 08:00", Why.TOLD_IN_DIGEST),
        (NOON, {"reason": AlertReason.WORSE}, Day(messages=99, many=True), Telling(), "account/acme", "03 12:00", Why.AT_ONCE),
    ],
)  # fmt: skip
def test_what_leaves_when_and_why(now, of, day, telling, bundle, due, why):
    found = placed(now, of, day, telling)
    assert (found.bundle, f"{found.due_at:%d %H:%M}", found.why) == (bundle, due, why)


@pytest.mark.parametrize(
    ("of", "kind"),
    [
        ({}, Kind.ALERT),
        ({"reason": AlertReason.REMINDER}, Kind.REMINDER),
        ({"reason": AlertReason.ESCALATED}, Kind.ESCALATION),
        ({"reason": AlertReason.RESOLVED}, Kind.ALERT),
        (LOW, Kind.DIGEST),
    ],
)
def test_what_kind_of_message_it_is(of, kind):
    assert placed(NOON, of).kind is kind


def test_the_morning_and_the_day_are_the_recipients_own():
    auckland = placed("2026-06-03T21:00", LOW, zone=ZoneInfo("Pacific/Auckland"))
    assert (auckland.bundle, f"{auckland.due_at:%d %H:%M}") == ("digest/2026-06-05", "04 20:00")
    kolkata = placed("2026-06-03T02:00", LOW, zone=ZoneInfo("Asia/Kolkata"))
    assert (kolkata.bundle, f"{kolkata.due_at:%d %H:%M}") == ("digest/2026-06-03", "03 02:30")


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
zones = st.sampled_from(
    ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland"]
).map(ZoneInfo)
tellings = st.sampled_from([Telling(), NIGHTS, THROUGH])
alerts = st.sampled_from([LOW, {}, CRITICAL, CHECK, {"reason": AlertReason.REMINDER}])


@given(st.lists(st.tuples(moments, alerts, st.booleans()), min_size=1), zones, tellings)
def test_a_recipient_gets_one_digest_a_local_day(told, zone, telling):
    """Whatever comes up and whenever, if each digest leaves when the first of its lines is due."""
    sent = {}
    for now, of, many in sorted(told, key=lambda one: one[0]):
        today = f"digest/{now.astimezone(zone).date()}"
        gone = today in sent and sent[today] <= now
        found = place(alert(**of), Day(digest_gone=gone, many=many), telling, now, zone)
        if found.kind is Kind.DIGEST:
            leaves = sent.setdefault(found.bundle, found.due_at)
            assert leaves >= now or gone or found.due_at == leaves
            sent[found.bundle] = min(leaves, found.due_at)
            assert found.bundle == f"digest/{found.due_at.astimezone(zone).date()}"
            assert sent[found.bundle] >= now, "it joined one that had left"


def test_a_digest_is_by_value_at_stake_whatever_made_its_lines():
    def line(account, mrr, why=Why.LOW, **changes):
        return digest_of(alert(account=account, mrr=mrr, **changes), why, date(2026, 6, 3))

    whole = together(
        [
            line("small", 10.0),
            line("none", None),
            line("late", 500.0, renewal_date=None),
            line("soon", 500.0, why=Why.MANY),
            line("chance", 99_000.0, **CRITICAL, kind=RuleKind.GROWTH),
            line("large", 9_000.0, **LOW),
        ]
    )
    by_stake = ["large", "soon", "late", "small", "none", "chance"]
    assert [one.account.id for one in whole.lines] == by_stake
    assert whole.why == f"{Why.MANY}; {Why.LOW}"
    assert together([whole, whole]).why == whole.why


@pytest.mark.parametrize(
    ("of", "why", "title"),
    [
        ({}, Why.LOW, "T"),
        ({"reason": AlertReason.RESOLVED}, Why.TOLD_IN_DIGEST, "resolved: T"),
        ({"reason": AlertReason.REMINDER}, Why.LOW, "still open: T"),
        (CHECK, Why.NOTHING_OPEN, "T, nothing is open"),
    ],
)
def test_a_line_says_what_became_of_its_flag(of, why, title):
    (line,) = digest_of(alert(title="T", flag=7, **of), why, date(2026, 6, 3)).lines
    assert line.title == title
    assert line.flag == 7
