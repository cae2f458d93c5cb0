from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, insert

from worker.store import directory
from worker.store.database import engine_for, writing
from worker.store.tables import reps


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = engine_for(database_url)
    yield engine
    engine.dispose()


def test_a_rep_is_found_in_slack_unless_they_left(engine: Engine):
    with writing(engine) as db:
        db.execute(
            insert(reps),
            [
                {"rep": "sam", "slack_user": "U1", "gone": None},
                {"rep": "kim", "slack_user": "U2", "gone": True},
                {"rep": "alex", "slack_user": None, "gone": False},
                {"rep": "noa", "slack_user": "U3", "gone": False},
            ],
        )
        found = [
            directory.slack_user(db, rep) for rep in ("sam", "kim", "alex", "noa", "new", None)
        ]
    assert found == ["U1", None, None, "U3", None, None]
