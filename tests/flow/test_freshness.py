"""A source that stops delivering must not look like customers who have gone quiet."""

from datetime import date, timedelta

import pytest

from tests.pipeline import alerts, at, event, flags, meeting, rows, rulebook, sweep, sweep_shards
from tests.pipeline import take_in as take_in_from
from worker.core.alerts import AlertReason
from worker.evaluating.freshness import sweep_after_returns, withheld_today
from worker.explaining.explain import explain
from worker.store import tables
from worker.store.database import reading

START = date(2026, 1, 5)
DAY = timedelta(days=1)

RULES = """
rules:
  - {id: quiet, title: t, severity: high, when: {days_since_contact: over 9 days}}
  - {id: unused, title: t, severity: low, when: {days_since_usage: over 9 days}}
"""


@pytest.fixture
def book(tmp_path):
    """Mail may be silent for three days, the product itself is not listed."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "sources.yaml").write_text("sources: {mail: 3 days}", encoding="utf-8")
    return rulebook(tmp_path, RULES)


def mail(day: date, account: str = "acme") -> dict:
    return meeting(day, account=account) | {"source": "mail"}


def usage(day: date) -> dict:
    return event("usage", day) | {"source": "app"}


def take_in(engine, book, day, *events):
    return take_in_from(engine, book, day, *events)


def told(engine) -> list[str]:
    return [alert.title for alert in alerts(engine) if alert.reason is AlertReason.SOURCES]


def test_silence_of_a_source_opens_and_resolves_nothing(engine, book):
    take_in(engine, book, START, mail(START), usage(START))
    for days in range(1, 20):
        sweep(engine, book, START + days * DAY)
    assert flags(engine) == {"acme": ["unused"]}


def test_a_flag_that_was_open_stays_as_it_is_until_the_source_is_back(engine, book):
    take_in(engine, book, START, mail(START), mail(START, "birch"))
    for days in range(1, 10):  # birch is in touch, so the source delivers
        take_in(engine, book, START + days * DAY, mail(START + days * DAY, "birch"))
    sweep(engine, book, START + 10 * DAY)
    assert flags(engine) == {"acme": ["quiet"]}
    sweep(engine, book, START + 30 * DAY)
    assert flags(engine) == {"acme": ["quiet"]}


def test_admins_hear_once_that_it_is_silent_and_once_that_it_is_back(engine, book):
    take_in(engine, book, START, mail(START))
    sweep(engine, book, START + 3 * DAY)
    assert told(engine) == []
    for days in (4, 5, 6):
        sweep(engine, book, START + days * DAY)
        take_in(engine, book, START + days * DAY, usage(START + days * DAY))
    silent = "mail has delivered nothing since 05 Jan 2026; 3 days are normal"
    assert told(engine) == [silent]
    back = START + 7 * DAY
    take_in(engine, book, back, mail(back))
    take_in(engine, book, back, mail(back))
    sweep(engine, book, back)
    assert told(engine) == [silent, "mail is back, after nothing since 05 Jan 2026"]
    sweep(engine, book, back + 4 * DAY)
    assert len(told(engine)) == 3
    (alert, *_) = [a for a in alerts(engine) if a.reason is AlertReason.SOURCES]
    assert "days_since_contact" in alert.why[0]


def test_a_backlog_corrects_everything(engine, book):
    """Acme was in touch on the 8th day, which is known only from the backlog; birch was not."""
    take_in(engine, book, START, mail(START), mail(START, "birch"))
    for days in range(1, 13):
        sweep(engine, book, START + days * DAY)
    assert flags(engine) == {}
    back = START + 12 * DAY
    take_in(engine, book, back, mail(START + 8 * DAY), mail(back, "cedar"))
    sweep_id = sweep_after_returns(engine, at(back, 14))
    assert sweep_id is not None
    sweep_shards(engine, book, sweep_id, at(back, 14))
    assert flags(engine) == {"birch": ["quiet"]}
    assert sweep_after_returns(engine, at(back, 15)) is None


def test_a_source_that_falls_silent_again_before_the_sweep_is_silent(engine, book):
    take_in(engine, book, START, mail(START))
    sweep(engine, book, START + 4 * DAY)
    take_in(engine, book, START + 4 * DAY, mail(START + 4 * DAY))
    sweep(engine, book, START + 8 * DAY)
    assert sweep_after_returns(engine, at(START + 8 * DAY, 23)) is None
    assert len(told(engine)) == 3


def test_a_source_that_never_delivered_is_not_silent(engine, book):
    take_in_from(engine, book, START, meeting(START))  # from the CRM
    sweep(engine, book, START + 20 * DAY)
    assert flags(engine) == {"acme": ["quiet"]}
    assert told(engine) == []


def test_days_gone_by_are_judged_by_what_was_delivered_of_them_since(engine, book):
    take_in(engine, book, START, mail(START))
    late = START + 40 * DAY
    take_in(engine, book, late, usage(late))
    on = START + 10 * DAY
    (past,) = explain(engine, "acme", book, on, at(late), "quiet")
    (today,) = explain(engine, "acme", book, late, at(late), "quiet", withhold=True)
    assert (past.outcome, today.outcome) == (True, None)
    assert today.conditions.unknown_because.startswith("mail has delivered nothing since")


def test_only_the_events_that_a_source_is_listed_for_count(engine, tmp_path):
    (tmp_path / "rules").mkdir()
    listed = "sources: {suite: {gap: 3 days, events: interaction}}"
    (tmp_path / "rules" / "sources.yaml").write_text(listed, encoding="utf-8")
    book = rulebook(tmp_path, RULES)
    later = START + 10 * DAY
    events = [meeting(START), event("usage", START), event("account", later)]
    take_in_from(engine, book, later, *({**one, "source": "suite"} for one in events))
    with reading(engine) as db:
        found = withheld_today(db, book.sources, (), later)
    assert "days_since_contact" in found
    assert "days_since_usage" not in found


def test_what_has_been_delivered_is_kept_once_whatever_the_batches(engine, book):
    events = [mail(START), mail(START), usage(START), mail(START + DAY)]
    for one in (*events, *reversed(events)):
        take_in(engine, book, START + DAY, one)
    kept = [(r["source"], r["day"], r["type"]) for r in rows(engine, tables.source_days)]
    first = START.toordinal()
    assert kept == [
        ("app", first, "usage"),
        ("mail", first, "interaction"),
        ("mail", first + 1, "interaction"),
    ]
