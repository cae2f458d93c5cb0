"""The portfolio report from the database: flags of the past, any order of arrival, and the same
figures as a slow reading of their definitions."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from sqlalchemy import Engine

from tests.flow.test_any_order import ingest
from tests.histories import TODAY, Raw, arrivals, histories, parsed
from tests.pipeline import event, rulebook, sweep, take_in
from worker.core.contents import Subscription
from worker.core.events import Event
from worker.core.facts import facts_of
from worker.report.contents import By, Report
from worker.report.read import read_report, report
from worker.rulebooks.rulebook import read_rulebook
from worker.shipped import rules_dir
from worker.store import stats

DAY = timedelta(days=1)
START = date(2026, 1, 5)

RULES = """
rules:
  - {id: quiet, title: t, severity: high, when: {licences: over 10}}
  - {id: worried, title: t, severity: medium, when: {licences: over 10}}
  - {id: tried-out, title: t, severity: critical, mode: shadow, when: {licences: over 10}}
"""


def test_risk_is_what_was_open_at_the_end_of_the_period(engine, tmp_path):
    book = rulebook(tmp_path, RULES)

    def at_risk(on: date) -> Any:
        return report(engine, book, START, on).totals["revenue_at_risk"]

    take_in(engine, book, START, event("account", START, mrr=100, seats=5),
            event("account", START, account="birch", mrr=50, seats=20))  # fmt: skip
    sweep(engine, book, START)
    for days, seats in ((10, 20), (20, 5)):
        day = START + days * DAY
        take_in(engine, book, day, event("account", day, seats=seats))
    assert [at_risk(START + days * DAY) for days in (0, 9, 10, 19, 20)] == [50, 50, 150, 150, 50]


@pytest.mark.parametrize(
    ("told", "days"),
    [
        (({"achieved": True},), 10),
        (({"progress": 100},), 10),
        (({"progress": 60},), None),
        (({"achieved": True}, {"achieved": False}), None),  # taken back on the same day
    ],
)
def test_time_to_value_is_that_of_the_fact(engine, tmp_path, told, days):
    book, day = rulebook(tmp_path, RULES), START + 10 * DAY
    events = [event("outcome", day, goal="live", **said) for said in told]
    take_in(engine, book, day, event("account", START, mrr=100), *events)
    found = report(engine, book, START, day)
    assert found.totals["time_to_value_days"] == days
    with engine.connect() as db:
        one = stats.read(db, ["acme"], day, 60)["acme"]
        fact = facts_of(one, day.toordinal(), stats.read_workspace(db, book.ties))
    assert fact["time_to_value"] == days


def test_a_report_has_the_same_figures_whatever_has_happened_since(engine, tmp_path):
    book = rulebook(tmp_path, RULES)
    told = {"subscription": "s", "mrr": 10, "plan": "a", "term_start": "2026-01-05"}
    take_in(engine, book, START, event("subscription", START, status="started", **told))
    before = report(engine, book, START + DAY, START + 10 * DAY, by=By.PLAN)
    later = START + 11 * DAY
    take_in(engine, book, later, event("subscription", later, subscription="s", status="churned"),
            event("subscription", later, subscription="s", status="changed", mrr=99, plan="b"),
            event("account", later, mrr=1000, lifecycle="churned"),
            event("survey", later, kind="nps", score=1))  # fmt: skip
    assert report(engine, book, START + DAY, START + 10 * DAY, by=By.PLAN) == before
    assert before.totals["net_revenue_retention"] == 100


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.data(), by=st.sampled_from(By), length=st.sampled_from([1, 30, 90, 400]))
def test_any_order_any_batches_and_any_repeats_give_the_same_report(
    engine: Engine, choice: st.DataObject, by: By, length: int
) -> None:
    history = choice.draw(histories())
    arriving = choice.draw(arrivals(history))
    one = _report_of(engine, [history], length, by)
    assert _report_of(engine, arriving, length, by) == one
    _assert_is_what_the_definitions_say(one, parsed(history))


def _report_of(engine: Engine, batches: list[list[Raw]], length: int, by: By) -> Report:
    book = read_rulebook(rules_dir())
    with engine.connect() as db:  # and roll back
        ingest(db, batches)
        return read_report(db, book, TODAY - (length - 1) * DAY, TODAY, by=by)


def _assert_is_what_the_definitions_say(found: Report, history: list[Event]) -> None:
    opening, closing = found.first - DAY, found.last
    accounts = {event.account for event in history if event.account}
    billed = any(isinstance(e.data, Subscription) and e.day <= closing.toordinal() for e in history)
    mrrs = {
        account: [_plainly([e for e in history if e.account == account], on, closing, billed)
                  for on in (opening, closing)]
        for account in accounts
    }  # fmt: skip
    before = {account for account, (was, _) in mrrs.items() if was is not None}
    now = {account for account, (_, held) in mrrs.items() if held is not None}
    totals = found.totals
    assert totals["customers_at_start"] == len(before)
    assert totals["customers"] == len(now)
    assert totals["lost_customers"] == len(before - now)
    known = [pair for pair in mrrs.values() if "unknown" not in pair]
    paid = sum(was or 0 for was, _ in known)
    if len({*_currencies(history)}) < 2 and paid > 0:
        kept = [(was, held or 0) for was, held in known if was is not None]
        assert totals["net_revenue_retention"] == pytest.approx(
            100 * sum(b for _, b in kept) / paid
        )
        gross = sum(min(pair) for pair in kept)
        assert totals["gross_revenue_retention"] == pytest.approx(100 * gross / paid)
        whole = sum(held or 0 for _, held in known)
        assert totals["recurring_revenue_rate"] == pytest.approx(100 * whole / paid)


def _currencies(history: list[Event]) -> set[str]:
    return {e.data.currency for e in history if e.type == "account" and e.data.currency}


def _plainly(events: list[Event], on: date, closing: date, billed: bool) -> Any:
    """What the account paid on a day: None if it was no customer, or `unknown`."""
    stamped = sorted(events, key=lambda e: (e.time, e.id, e.source))
    then = [e for e in stamped if e.day <= on.toordinal()]
    own = {}
    for name in ("mrr", "lifecycle"):
        said = [getattr(e.data, name) for e in then if e.type == "account"]
        own[name] = next((value for value in reversed(said) if value is not UNSET), None)
    subscribed = any(e.type == "subscription" and e.day <= closing.toordinal() for e in stamped)
    subscriptions = {e.data.subscription for e in then if e.type == "subscription"}
    active, statuses = [], []
    for name in subscriptions:
        of = [e.data for e in then if e.type == "subscription" and e.data.subscription == name]
        terms = {data.term_start: data.term_end for data in of if data.term_start}
        mrr = next((d.mrr for d in reversed(of) if d.mrr is not UNSET), None)
        statuses.append(of[-1].status)
        covered = any(a <= on and (not b or on < b) for a, b in terms.items())
        if covered and of[-1].status != "churned":
            active.append((of[-1].status, mrr))
    lifecycle = own["lifecycle"]
    if lifecycle is None and statuses and all(status == "churned" for status in statuses):
        lifecycle = "churned"
    if lifecycle is None and active and all(status == "trial" for status, _ in active):
        lifecycle = "trial"
    says_so = own["mrr"] is not None or own["lifecycle"] is not None or not billed
    there = bool(active) if subscribed else bool(then) and says_so
    if lifecycle in ("trial", "churned") or not there:
        return None
    known = [mrr for _, mrr in active if mrr is not None]
    if known:
        return sum(known)
    return "unknown" if own["mrr"] is None else own["mrr"]
