from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, insert

from worker.store import directory
from worker.store.database import writing
from worker.store.directory import Address, Channels
from worker.store.tables import reps

NOW = datetime(2026, 2, 18, 6, tzinfo=UTC)


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
            directory.address(db, f"rep:{rep}", Channels("C1", None), NOW).at
            for rep in ("sam", "kim", "alex", "noa", "new")
        ]
    assert found == ["U1", "C1", "C1", "U3", "C1"]


def test_an_e_mail_address_is_asked_about_once_a_week_or_once_a_day_in_vain(engine: Engine):
    with writing(engine) as db:
        db.execute(insert(reps), [{"rep": "sam", "email": "s@x"}, {"rep": "kim", "email": "k@x"}])

        def of(rep: str, at: datetime) -> Address:
            return directory.address(db, f"rep:{rep}", Channels("C1", None), at)

        assert of("sam", NOW).ask == "s@x"
        directory.learn(db, "s@x", "U1", NOW)
        directory.learn(db, "k@x", None, NOW)
        day = timedelta(days=1)
        assert of("sam", NOW + 6 * day) == Address("U1")
        assert of("sam", NOW + 7 * day).ask == "s@x"
        assert of("kim", NOW + day / 2).at == "C1"
        assert "rep kim" in (of("kim", NOW + day / 2).missing or "").lower()
        assert of("kim", NOW + day).ask == "k@x"
        directory.learn(db, "k@x", "U2", NOW + day)
        assert of("kim", NOW + day) == Address("U2")


def test_channels_are_where_the_settings_say(engine: Engine):
    with writing(engine) as db:
        both = Channels("C1", "C2")
        found = [
            directory.address(db, to, both, NOW).at for to in ("default", "admin", "channel:#cs")
        ]
        alone = directory.address(db, "admin", Channels("C1", None), NOW).at
        nowhere = directory.address(db, "default", Channels(None, None), NOW).at
    assert (found, alone, nowhere) == (["C1", "C2", "#cs"], "C1", None)
