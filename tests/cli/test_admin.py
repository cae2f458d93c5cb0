"""`rules check`, `doctor` and `db upgrade`: for whoever keeps tiewatch running."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.alerts import alert
from tests.pipeline import event
from tests.today import NOW
from worker.evaluating import sweeps
from worker.shipped import rules_dir
from worker.store import batches, behind, outbox, tables
from worker.store import sweeps as sweeps_store
from worker.store.database import engine_for, writing

RULE = """
rules:
  - id: silence
    title: Silence
    severity: {severity}
    when: {{days_since_contact: over 5 days}}
"""


def test_rules_without_a_problem_are_counted(tiewatch, folder):
    (folder / "a.yaml").write_text(RULE.format(severity="low"))
    assert tiewatch("rules", "check", "a.yaml").out == "1 rule, no problem.\n"
    done = tiewatch("rules", "check", "a.yaml", "--json")
    assert (done.status, done.json, done.err) == (0, [], "")


def test_each_problem_has_its_file_line_and_column_and_the_status_is_1(tiewatch, folder):
    (folder / "a.yaml").write_text(RULE.format(severity="hgih"))
    done = tiewatch("rules", "check", "a.yaml", "--json")
    assert done.status == 1
    (problem,) = done.json
    assert list(problem) == ["file", "line", "column", "message"]
    assert (problem["file"], problem["line"], problem["column"]) == ("a.yaml", 5, 15)
    assert "'high'" in problem["message"]
    assert tiewatch("rules", "check", "a.yaml").out.startswith("a.yaml:5:15: ")


def test_rules_are_checked_without_a_database_or_a_broker(tiewatch, folder):
    away = {"DATABASE_URL": "postgresql://127.0.0.1:1/x", "BROKER_URL": "redis://127.0.0.1:1/0"}
    assert tiewatch("rules", "check", **away).status == 0
    assert list(folder.iterdir()) == []


def test_the_rules_in_force_are_those_set_else_those_here_else_the_shipped_ones(tiewatch, folder):
    assert "15 rules" in tiewatch("rules", "check").out
    (folder / "rules").mkdir()
    (folder / "rules" / "a.yaml").write_text(RULE.format(severity="low"))
    assert "1 rule," in tiewatch("rules", "check").out
    assert "15 rules" in tiewatch("rules", "check", RULES_DIR=rules_dir()).out


def test_what_is_not_there_cannot_be_checked(tiewatch):
    done = tiewatch("rules", "check", "missing.yaml", "--json")
    assert (done.status, done.out) == (2, "")
    assert "missing.yaml: there is no such file or folder" in done.err


def test_doctor_says_that_all_is_well(tiewatch):
    done = tiewatch("doctor", "--json")
    assert done.status == 0
    assert all(list(one) == ["subject", "ok", "detail"] and one["ok"] for one in done.json)
    subjects = {one["subject"] for one in done.json}
    assert {"database", "broker", "rules", "last sweep", "alerts"} <= subjects
    assert tiewatch("doctor").out.count("ok ") >= 5


def test_doctor_asked_for_connections_looks_at_nothing_else(tiewatch):
    done = tiewatch("doctor", "--connections", "--json")
    assert [one["subject"] for one in done.json] == ["database", "broker"]


def test_doctor_finds_what_is_parked_quarantined_and_wrong(tiewatch, embedded, folder):
    tiewatch("ingest", "--direct", "-", stdin=b"no json\n")
    with writing(embedded) as db:
        batches.count_start(db, "b1", NOW)
        batches.park(db, "b1", [event("usage", NOW.date())], "disk full", NOW)
    (folder / "rules").mkdir()
    done = tiewatch("doctor", "--json")
    assert done.status == 1
    bad = {one["subject"]: one["detail"] for one in done.json if not one["ok"]}
    assert bad.keys() == {"parked batch", "rules"}
    assert "disk full" in bad["parked batch"]
    assert "tiewatch ingest --parked" in bad["parked batch"]
    quarantine = [one["detail"] for one in done.json if one["subject"] == "quarantine"]
    assert any("not valid JSON" in detail for detail in quarantine)


def test_doctor_names_large_accounts_that_are_still_to_be_read_anew(tiewatch, embedded):
    tiewatch("facts")
    with writing(embedded) as db:
        behind.note(db, ["acme", "birch"], (), False, NOW)
    done = tiewatch("doctor", "--json")
    (told,) = [one["detail"] for one in done.json if one["subject"] == "behind"]
    assert done.status == 0
    assert told.startswith("of 2 large accounts, acme, birch, earlier events are to be read anew")


def test_doctor_says_why_part_of_a_sweep_was_given_up(tiewatch, embedded):
    tiewatch("facts")
    id_ = sweeps.open_sweep(embedded, "daily", "x", NOW.date(), NOW)
    assert id_ is not None
    for start in range(sweeps.MAX_STARTS):  # whose workers all die
        with writing(embedded) as db:
            late = NOW + timedelta(hours=start)
            assert sweeps_store.lease(db, id_, 0, late, timedelta(minutes=1)) is not None
    done = tiewatch("doctor", "--json")
    (bad,) = [one["detail"] for one in done.json if not one["ok"]]
    assert "given up" in bad
    assert "None" not in bad


def test_doctor_names_an_alert_that_is_put_aside_and_deliver_tries_it_again(tiewatch, embedded):
    tiewatch("facts")
    with writing(embedded) as db:
        outbox.put(db, [("flag/1/open", alert()), ("flag/2/open", alert(account="b"))], NOW)
        bad = tables.outbox.c.account == "acme"
        db.execute(update(tables.outbox).where(bad).values(alert='{"reason": "new"}'))
    done = tiewatch("deliver", "--json")
    assert done.json == {"sent": 2, "failed": 0, "waiting": 1}  # a note to the admins is one
    assert "1 alert is put aside: it cannot be planned" in done.err
    done = tiewatch("doctor", "--json")
    assert done.status == 1
    (said,) = [one["detail"] for one in done.json if not one["ok"]]
    assert said.startswith(
        "flag/1/open of acme is put aside, since it cannot be planned: Validation"
    )
    assert "tried once, again 20" in said
    assert "1 put aside" in next(one["detail"] for one in done.json if one["subject"] == "alerts")
    tiewatch("deliver", "--failed")
    assert "tried 2 times" in tiewatch("doctor").out


def test_doctor_says_what_is_away_and_goes_on(tiewatch):
    away = {
        "DATABASE_URL": "postgresql://u:s3cret@127.0.0.1:1/x",
        "BROKER_URL": "redis://:s3cret@127.0.0.1:1/0",
    }
    done = tiewatch("doctor", "--json", **away)
    assert done.status == 1
    assert {one["subject"]: one["ok"] for one in done.json} == {
        "database": False,
        "broker": False,
        "rules": True,
    }
    assert "s3cret" not in done.out + done.err


def test_an_upgrade_makes_a_database_fit_for_use(tiewatch, folder):
    url = f"sqlite:///{folder}/new/x.db"
    before = tiewatch("facts", "--json", DATABASE_URL=url)
    assert (before.status, before.out) == (2, "")
    assert "tiewatch db upgrade" in before.err
    for _ in range(2):
        done = tiewatch("db", "upgrade", DATABASE_URL=url)
        assert (done.status, done.out) == (0, "The database is up to date.\n")
    assert tiewatch("facts", "--json", DATABASE_URL=url).json == []


@pytest.mark.parametrize("command", [["db", "upgrade"], ["facts"], ["doctor"]])
def test_a_database_of_a_newer_tiewatch_is_named_as_such(tiewatch, folder, command):
    url = f"sqlite:///{folder}/x.db"
    tiewatch("db", "upgrade", DATABASE_URL=url)
    engine = engine_for(url)
    with writing(engine) as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    done = tiewatch(*command, DATABASE_URL=url)
    assert done.status == (1 if command == ["doctor"] else 2)
    assert "9999" in done.out + done.err


def test_an_embedded_database_of_a_newer_tiewatch_is_named_as_such(tiewatch, embedded):
    tiewatch("facts")
    with writing(embedded) as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    done = tiewatch("facts", "--json")
    assert (done.status, done.out) == (2, "")
    assert "9999" in done.err
