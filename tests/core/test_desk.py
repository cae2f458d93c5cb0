"""What one recipient gets of all that comes up: no more than they said, and nothing twice."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tests.alerts import alert
from worker.core.alerts import AlertReason
from worker.core.bundles import Kind
from worker.core.desk import Desk, crowded
from worker.core.quiet import QuietTimes, released
from worker.core.rules import Severity
from worker.core.telling import Telling

ZONES = ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland"]
START = datetime(2026, 3, 27, tzinfo=UTC)  # two days before Berlin changes its clocks
WEEKENDS = QuietTimes(None, (5, 6))

comes = st.tuples(
    st.integers(0, 5 * 1440),  # minutes from the start
    st.sampled_from("abcdefgh"),  # the account
    st.sampled_from([Severity.LOW, Severity.MEDIUM, Severity.HIGH]),
    st.booleans(),  # one of many of its sweep
)


def of(account, severity):
    return alert(account=account, severity=severity)


@given(
    st.lists(comes, max_size=60),
    st.sampled_from(ZONES),
    st.integers(1, 4),
    st.sampled_from([QuietTimes(), WEEKENDS]),
)
def test_a_recipient_gets_at_most_the_budget_and_one_digest_a_local_day(told, name, budget, quiet):
    zone = ZoneInfo(name)
    telling = Telling(budget=budget, quiet=quiet)
    planned = list(placed(told, telling, zone))
    conversations = defaultdict(set)
    digests = defaultdict(set)
    for bundle, kind, due_at in planned:
        day = due_at.astimezone(zone).date()
        (digests if kind is Kind.DIGEST else conversations)[day].add(bundle)
    assert all(len(bundles) <= budget for bundles in conversations.values())
    assert all(bundles == {f"digest/{day}"} for day, bundles in digests.items())


@given(
    st.lists(comes, max_size=60), st.sampled_from(ZONES), st.sampled_from([QuietTimes(), WEEKENDS])
)
def test_what_is_critical_waits_an_hour_at_most_and_is_no_flood(told, name, quiet):
    zone, telling = ZoneInfo(name), Telling(budget=1, quiet=quiet)
    critical = [(minutes, account, Severity.CRITICAL, many) for minutes, account, _, many in told]
    sent: dict[str, datetime] = {}
    moments = [START + timedelta(minutes=minutes) for minutes, *_ in sorted(critical)]
    for now, (bundle, kind, due_at) in zip(moments, placed(critical, telling, zone), strict=True):
        assert due_at <= released(now + timedelta(hours=1), quiet, zone)
        if kind is Kind.DIGEST:
            sent[bundle] = min(due_at, sent.get(bundle, due_at))
    hours = Counter(at.replace(minute=0, second=0) for at in sent.values())
    assert all(number <= 2 for number in hours.values()), "one, beside the digest of the day"


def placed(told, telling, zone):
    """(bundle, kind, due at) of all that comes, as planning remembers what came before; a digest
    has left once it is due."""
    planned: list[tuple[str, Kind, datetime]] = []
    for minutes, account, severity, many in sorted(told):
        now = START + timedelta(minutes=minutes)
        desk = Desk(telling, {"rep:sam": zone}, now)
        for bundle, kind, due_at in planned:
            desk.remember("rep:sam", bundle, kind, due_at, gone=due_at <= now)
        found = desk.place(of(account, severity), "rep:sam", in_digest=False, many=many)
        assert found.due_at >= now
        if found.kind is Kind.DIGEST:
            left = [due_at for bundle, _, due_at in planned if bundle == found.bundle]
            assert all(due_at > now for due_at in left), "it joined a digest that had left"
        assert released(found.due_at, telling.quiet, zone) == found.due_at
        planned.append((found.bundle, found.kind, found.due_at))
    return planned


@given(st.lists(comes, max_size=60))
def test_the_end_of_a_flag_and_a_rising_severity_are_told_whatever_the_budget(told):
    desk = Desk(Telling(budget=1), {"rep:sam": UTC}, START)
    for _, account, severity, many in told:
        desk.place(of(account, severity), "rep:sam", in_digest=False, many=many)
    for reason in (AlertReason.RESOLVED, AlertReason.WORSE):
        found = desk.place(alert(reason=reason), "rep:sam", in_digest=False, many=True)
        assert (found.bundle, found.due_at) == ("account/acme", START)


@given(st.lists(st.tuples(st.integers(1, 2), st.sampled_from("ab"), st.sampled_from("xyz"))))
def test_a_crowd_is_more_flags_than_wanted_on_more_than_one_account(new):
    counts = Counter((sweep, who) for sweep, who, _ in new)
    for key in crowded(new, 3):
        assert counts[key] > 3
    for key, number in counts.items():
        accounts = {account for sweep, who, account in new if (sweep, who) == key}
        assert (key in crowded(new, 3)) is (number > 3 and len(accounts) > 1)
