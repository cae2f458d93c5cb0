"""`tiewatch sweep` and `deliver`: by hand what the scheduler has workers do."""

from datetime import timedelta

import pytest

from tests.cli.conftest import lines
from tests.pipeline import event, meeting, rows
from tests.slack_server import error, slack_server
from tests.today import TODAY
from worker.store import tables


@pytest.fixture
def silent(tiewatch):
    """An account that an exec has not been met at for long; its renewal is near."""
    renewal = str(TODAY + timedelta(40))
    given = [
        event("account", TODAY, name="Acme", renewal_date=renewal),
        event("contact", TODAY, contact="dana", title="CIO"),
        meeting(TODAY - timedelta(10)),
    ]
    assert tiewatch("ingest", "--direct", "-", stdin=lines(*given).encode()).status == 0
    return tiewatch


def on(days: int) -> tuple[str, str]:
    return "--on", str(TODAY + timedelta(days))


def test_a_sweep_says_what_it_came_to(silent):
    done = silent("sweep", "--json", *on(6))
    assert done.status == 0
    assert done.json == {"accounts": 1, "opened": 2, "resolved": 0}
    again = silent("sweep", "--json", *on(6))
    assert again.json == {"accounts": 1, "opened": 0, "resolved": 0}


def test_a_sweep_of_a_date_ahead_says_what_follows_and_doctor_too(silent):
    done = silent("sweep", *on(6))
    assert f"as of {TODAY + timedelta(6)} from now on" in done.err
    doctor = silent("doctor", "--json")
    (bad,) = [one["detail"] for one in doctor.json if not one["ok"]]
    assert (doctor.status, f"was of {TODAY + timedelta(6)}, which is ahead" in bad) == (1, True)
    assert silent("sweep", "--on", str(TODAY - timedelta(1))).status == 2


def test_a_sweep_of_no_date_is_of_today(silent, embedded):
    assert silent("sweep").out == "1 account swept: 0 flags opened, 0 resolved.\n"
    (sweep,) = rows(embedded, tables.sweeps)
    assert sweep["on_date"] == TODAY


def test_a_date_before_the_last_sweep_is_refused_with_both_dates(silent):
    silent("sweep", *on(6))
    done = silent("sweep", "--json", *on(5))
    assert (done.status, done.out) == (2, "")
    assert str(TODAY + timedelta(6)) in done.err
    assert str(TODAY + timedelta(5)) in done.err


def test_alerts_that_wait_are_mentioned_beside_the_result(silent):
    done = silent("sweep", "--json", *on(6))
    assert "2 alerts wait" in done.err
    assert "tiewatch deliver" in done.err


def test_without_a_token_alerts_are_delivered_to_the_terminal(silent):
    silent("sweep", *on(6))
    done = silent("deliver")
    assert done.status == 0
    assert "Acme: Renews in 34 days" in done.out
    assert done.out.endswith("2 alerts sent, 0 failed, 0 waiting.\n")
    assert silent("deliver").out == "0 alerts sent, 0 failed, 0 waiting.\n"


def test_as_json_a_delivery_is_counted_and_the_alerts_are_on_standard_error(silent):
    silent("sweep", *on(6))
    done = silent("deliver", "--json")
    assert (done.status, done.json) == (0, {"sent": 2, "failed": 0, "waiting": 0})
    assert "Acme: Renews in 34 days" in done.err


def test_with_a_token_alerts_are_delivered_to_slack(silent, folder):
    silent("sweep", *on(6))
    (folder / "token").write_text("xoxb-1\n")
    with slack_server() as slack:
        slack.next(error("is_archived"))
        to = {"SLACK_BASE_URL": slack.url, "SLACK_CHANNEL": "C1"}
        done = silent("deliver", "--json", SLACK_BOT_TOKEN_FILE=folder / "token", **to)
        assert {request.token for request in slack.requests} == {"xoxb-1"}
    assert done.json == {"sent": 0, "failed": 2, "waiting": 0}  # one message holds both
    assert "doctor" in done.err
    doctor = silent("doctor", "--json")
    assert doctor.status == 1
    assert any("is_archived" in one["detail"] for one in doctor.json if not one["ok"])


def test_a_slack_that_does_not_answer_costs_nothing(silent):
    silent("sweep", *on(6))
    away = {"SLACK_BASE_URL": "http://127.0.0.1:1/api/", "SLACK_CHANNEL": "C1"}
    done = silent("deliver", "--json", SLACK_BOT_TOKEN="xoxb-1", **away)
    assert (done.status, done.json) == (0, {"sent": 0, "failed": 0, "waiting": 2})


def test_a_token_that_is_none_is_refused_and_not_printed(silent):
    done = silent("deliver", "--json", SLACK_BOT_TOKEN="xoxb-1\ns3cret")
    assert (done.status, done.out) == (2, "")
    assert "TIEWATCH_SLACK_BOT_TOKEN" in done.err
    assert "s3cret" not in done.err


def test_what_went_to_the_default_channel_instead_is_what_doctor_finds(silent, folder):
    known = event("rep", TODAY, account=None, rep="sam", slack_user="U1")
    owned = event("account", TODAY, owner="sam")
    silent("ingest", "--direct", "-", stdin=lines(known, owned).encode())
    silent("sweep", *on(6))
    with slack_server() as slack:
        slack.next(error("user_not_found"))
        to = {"SLACK_BASE_URL": slack.url, "SLACK_CHANNEL": "C1"}
        done = silent("deliver", "--json", SLACK_BOT_TOKEN="xoxb-1", **to)
        assert slack.posted[0].body["channel"] == "C1"
    assert done.json["failed"] == 0
    doctor = silent("doctor", "--json")
    (found,) = [one for one in doctor.json if one["subject"] == "Slack"]
    assert not found["ok"]
    assert "instead of rep:sam: Slack refused a message to U1: user_not_found" in found["detail"]


def test_what_waits_for_its_channel_s_turn_is_sent_too(silent):
    near = str(TODAY + timedelta(34))
    others = [event("account", TODAY, account=f"a{n}", renewal_date=near) for n in range(3)]
    execs = [event("contact", TODAY, account=f"a{n}", contact="x", title="CIO") for n in range(3)]
    silent("ingest", "--direct", "-", stdin=lines(*others, *execs).encode())
    with slack_server(apart=0.2) as slack:
        to = {"SLACK_BASE_URL": slack.url, "SLACK_CHANNEL": "C1", "SLACK_SECONDS_APART": "0.2"}
        done = silent("deliver", "--json", SLACK_BOT_TOKEN="xoxb-1", **to)
        assert done.json["waiting"] == 0
        assert len(slack.posted) == len(slack.requests) >= 3
