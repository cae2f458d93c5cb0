"""The quarantine: it takes whatever comes, and once, however often that comes."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from tests.pipeline import rows
from worker.core.events import Quarantined
from worker.store import event_log, tables
from worker.store.database import writing

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(("odd", "shown"), [("a\x00b", "a\\x00b"), ("\ud83d", "\\ud83d")])
def test_no_character_keeps_an_event_out_of_it(engine: Engine, odd: str, shown: str):
    with writing(engine) as db:
        event_log.quarantine(db, [Quarantined(odd, odd, (odd,), odd)], NOW)
    [row] = rows(engine, tables.quarantine)
    assert (row["source"], row["event_id"], row["body"]) == (shown, shown, shown)
    assert json.loads(row["problems"]) == [shown]


def test_two_webhooks_that_read_the_same_are_two_and_each_counts_once(sqlite_engine: Engine):
    for sent_as in ("msg_1", "msg_2", "msg_1"):
        one = Quarantined("shop", sent_as, ("bad",), "{}", "hooks/shop")
        with writing(sqlite_engine) as db:
            event_log.quarantine(db, [one], NOW)
    kept = rows(sqlite_engine, tables.quarantine)
    assert sorted(row["event_id"] for row in kept) == ["msg_1", "msg_2"]
