"""Stats kept in memory are those that the tables give, so that rule tests tell the truth."""

from datetime import timedelta

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.histories import ACCOUNTS, TODAY, any_history, arrivals, parsed
from tests.pipeline import at, rows, sweep
from worker.core.additions import additions
from worker.core.facts import FACTS
from worker.core.memory import Memory
from worker.core.metrics import Metrics
from worker.core.reading import EVERYTHING
from worker.core.rules import Mode
from worker.core.stats import AccountStats
from worker.core.ties import TieSettings
from worker.intake.arrivals import Batch
from worker.intake.ingest import ingest
from worker.rulebooks.rulebook import read_rulebook
from worker.rulefiles.problems import Findings
from worker.rulefiles.timelines import timelines
from worker.shipped import rules_dir
from worker.store import event_log, stats, tables
from worker.store.fold import fold

SETTINGS = TieSettings()
METRICS = Metrics(("api", "export"), {"board": (TODAY - timedelta(40)).toordinal()})
DATES = [TODAY + timedelta(days) for days in (-366, -60, -1, 0, 1, 30)]


def in_order(one: AccountStats) -> AccountStats:
    one.contacts.sort()
    one.ties.sort()
    one.mails.sort()
    one.goals.sort(key=str)
    one.tickets.courses.sort(key=str)
    return one


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.data())
def test_memory_has_the_stats_of_the_store_on_any_date(
    engine: Engine, choice: st.DataObject
) -> None:
    memory = Memory()
    with engine.connect() as db:  # and roll back
        for batch in choice.draw(arrivals(choice.draw(any_history))):
            fresh, _ = event_log.append(db, parsed(batch))()
            fold(db, additions(fresh), SETTINGS.half_life, TODAY, FACTS).rest()()
            memory.add(additions(fresh))
        assert memory.workspace(SETTINGS) == stats.read_workspace(db, SETTINGS)
        for on in DATES:
            stored = stats.read(db, ACCOUNTS, on, SETTINGS.half_life, EVERYTHING, METRICS)
            assert stored.keys() == {name for name in ACCOUNTS if memory.knows(name)}
            for name, expected in stored.items():
                found = memory.stats(name, on.toordinal(), SETTINGS.half_life, EVERYTHING, METRICS)
                assert in_order(found) == in_order(expected)


def test_the_pipeline_opens_the_flags_that_a_rule_test_expects(engine: Engine) -> None:
    """The events of a shipped test, sent in day by day, with a sweep at each day's end."""
    book = read_rulebook(rules_dir())
    modes = {rule.id: rule.mode for rule in book.rules.rules}
    tests = timelines(rules_dir() / "tests", modes, Findings())
    (test,) = (t for t in tests if t.name.startswith("fifteen days"))
    days = [*test.events, *(each.on for each in test.expectations)]
    for on in (min(days) + timedelta(n) for n in range((max(days) - min(days)).days + 1)):
        sent = [msgspec.json.decode(event.body) for event in test.events.get(on, ())]
        ingest(engine, Batch(f"day {on}", sent), book, at(on, 22))
        sweep(engine, book, on)
        live = [row for row in rows(engine, tables.flags) if not row["shadow"]]
        up = {row["rule"] for row in live if row["state"] == "open"}
        for each in test.expectations:
            assert each.on != on or up == set(each.flags[Mode.LIVE])
