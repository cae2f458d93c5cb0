"""What reading an account for all of its facts costs: what lies far back is not looked at again."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from tests.pipeline import event, rulebook, take_in
from worker.core.reading import EVERYTHING
from worker.store import stats
from worker.store.database import engine_for

TODAY = date(2026, 3, 2)
LONG_AGO = TODAY - timedelta(days=900)
RULES = "rules: [{id: a, title: A, severity: low, when: {known_users: over 5}}]"
WINDOWED = ("feature_days", "touches", "surveys", "tickets", "usage_days")
"""What grows with an account's history, and is read by days."""


def history(first: date, days: int) -> list[object]:
    """A mail, a use, an answer and a ticket that is resolved, every other day."""
    made: list[object] = []
    for number in range(0, days, 2):
        day = first + timedelta(days=number)
        mail = {"channel": "email", "direction": "inbound", "reps": ["sam"], "contacts": ["dana"]}
        made.append(event("interaction", day, **mail))
        made.append(event("usage", day, user="dana", feature="board"))
        made.append(event("survey", day, kind="csat", score=4))
        made.append(event("ticket", day, ticket=f"t{day}", status="opened"))
        made.append(event("ticket", day, ticket=f"t{day}", status="resolved"))
    return made


def rows_read(db: Connection) -> dict[str, int]:
    """Rows that this transaction has read of each table."""
    found = db.execute(
        text("SELECT relname, seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables")
    )
    return {name: count for name, count in found if name in WINDOWED}


@pytest.mark.parametrize("metrics", ["", "facts: {uses: {count: usage, over: 365 days}}"])
def test_what_is_read_of_an_account_does_not_grow_with_its_past(
    postgresql_url: str, tmp_path: Path, metrics: str
) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/metrics.yaml").write_text(metrics)
    book = rulebook(tmp_path, RULES)
    engine = engine_for(postgresql_url)
    costs = []
    for past in ([], history(LONG_AGO, 400)):
        take_in(engine, book, TODAY, *(past or history(TODAY - timedelta(days=60), 60)))
        with engine.connect() as db:
            db.execute(text("ANALYZE"))
            db.execute(text("SET LOCAL enable_seqscan = off"))
            before = rows_read(db)
            stats.read(db, ["acme"], TODAY, 60, EVERYTHING, book.metrics)
            after = rows_read(db)
        costs.append({name: after[name] - before.get(name, 0) for name in after})
    engine.dispose()
    assert sum(costs[0].values()) > 0
    assert costs[0] == costs[1]
