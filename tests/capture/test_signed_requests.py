"""What is let in at `/slack/events`: Slack's own requests, and nothing else."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.client import HTTPConnection

import pytest
from slack_bolt import App
from sqlalchemy import text

from tests.capture.conftest import NOW, Office
from tests.capture.workspace import form, post, signed, wait_until
from tests.pipeline import rows
from worker.capture.slack import router
from worker.store import tables
from worker.store.database import writing


def click(office: Office) -> bytes:
    person = office.person("USAM")
    payload = person.click(f"acknowledge/{office.flag}") | {"user": {"id": "USAM"}}
    return form(payload)


def test_a_signed_click_is_taken_and_has_its_effect(office):
    body = click(office)
    answer = post(office.port, body, signed(body, NOW))
    assert (answer.status, answer.body) == (200, b"")
    wait_until(lambda: office.state == "acknowledged")


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_click_is_taken_for_five_minutes(office, seconds):
    body = click(office)
    assert post(office.port, body, signed(body, NOW + timedelta(seconds=seconds))).status == 200


BAD = {
    "replayed after five minutes": lambda body: (body, signed(body, NOW - timedelta(seconds=301))),
    "from the future": lambda body: (body, signed(body, NOW + timedelta(seconds=301))),
    "tampered with": lambda body: (body + b"&x=1", signed(body, NOW)),
    "signed with another secret": lambda body: (body, signed(body, NOW, "another")),
    "signed with no secret": lambda body: (body, signed(body, NOW, "")),
    "with a timestamp that is no number": lambda body: (
        body,
        signed(body, NOW) | {"X-Slack-Request-Timestamp": "yesterday"},
    ),
    "with a timestamp of other digits": lambda body: (
        body,
        signed(body, NOW) | {"X-Slack-Request-Timestamp": "1²"},
    ),
    "with a timestamp beyond all time": lambda body: (
        body,
        signed(body, NOW) | {"X-Slack-Request-Timestamp": "9" * 4_000},
    ),
    "with another timestamp": lambda body: (
        body,
        signed(body, NOW) | {"X-Slack-Request-Timestamp": str(int(NOW.timestamp()) + 1)},
    ),
    "without a timestamp": lambda body: (
        body,
        {"X-Slack-Signature": signed(body, NOW)["X-Slack-Signature"]},
    ),
    "without a signature": lambda body: (
        body,
        {"X-Slack-Request-Timestamp": str(int(NOW.timestamp()))},
    ),
    "with a signature that is no text of ours": lambda body: (
        body,
        signed(body, NOW) | {"X-Slack-Signature": "v0=\xe9"},
    ),
    "that is no text": lambda body: (b"\xff" + body, signed(body, NOW)),
    "that is nothing": lambda _: (b"", {}),
}


@pytest.mark.parametrize("how", BAD)
def test_a_request_is_refused_and_changes_nothing(office, how):
    body, headers = BAD[how](click(office))
    answer = post(office.port, body, headers)
    assert (answer.status, answer.body) == (401, b"")
    assert nothing_happened(office)


@pytest.mark.parametrize("size", [1_000_001, 5_000_000, 40_000_000])
def test_a_body_that_is_too_large_is_refused_signed_or_not(office, size):
    body = click(office) + b"&padding=" + b"x" * (size - len(click(office)) - 9)
    for headers in (signed(body, NOW), {}):
        try:
            assert post(office.port, body, headers).status == 413
        except ConnectionError:  # we stopped reading long before
            assert size > 32_000_000
    assert nothing_happened(office)


def nothing_happened(office: Office) -> bool:
    """A signed click of a stranger comes after it, so whatever was let in would have been done."""
    stranger = office.person("USTRANGER")
    assert stranger.press(f"acknowledge/{office.flag}").status == 200
    office.slack.made("respond")
    assert [call.method for call in office.slack.calls] == ["users.info", "respond"]
    assert (office.state, office.answers, office.deliveries) == ("open", [], [])
    return True


def test_a_body_that_never_ends_is_given_up(office, monkeypatch):
    monkeypatch.setattr("worker.capture.bodies.SECONDS", 0.2)
    connection = HTTPConnection("127.0.0.1", office.port, timeout=20)
    connection.putrequest("POST", "/slack/events")
    connection.putheader("Content-Length", "100")
    connection.endheaders(b"some")
    assert connection.getresponse().status == 408
    connection.close()


@pytest.mark.parametrize("body", [b"{", b"payload={", b"payload=[]", b"payload=1", b"[]"])
def test_what_is_signed_and_makes_no_sense_is_refused_in_good_order(office, body):
    status = post(office.port, body, signed(body, NOW)).status
    assert status in (400, 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_nothing_but_a_post_is_answered(office, method):
    connection = HTTPConnection("127.0.0.1", office.port, timeout=20)
    connection.request(method, "/slack/events")
    assert connection.getresponse().status == 405
    connection.close()


def test_slack_may_ask_whether_the_url_is_ours(office):
    body = json.dumps({"type": "url_verification", "challenge": "c-1"}).encode()
    json_ = {"Content-Type": "application/json"}
    assert post(office.port, body, signed(body, NOW) | json_).json == {"challenge": "c-1"}
    assert post(office.port, body, json_).status == 401


@pytest.mark.parametrize("secret", ["", "  "])
def test_there_is_no_way_in_without_a_secret(secret):
    with pytest.raises(ValueError, match="empty"):
        router(App(token_verification_enabled=False, token="xoxb-1"), secret, None)


def test_a_click_that_comes_many_times_at_once_has_one_effect(office):
    body = click(office)
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(post, office.port, body, signed(body, NOW)) for _ in range(8)]
        assert {each.result().status for each in sent} == {200}
    office.slack.made("respond", 8)
    assert office.state == "acknowledged"
    assert len(office.answers) == 1
    assert len(office.deliveries) == 1


def test_clicks_are_answered_while_the_flag_cannot_be_had_however_many(office):
    """A sweep may hold the account: with PostgreSQL for longer than Slack waits; SQLite has one
    writer, so there it may be for as long as Slack does."""
    on_sqlite = office.engine.dialect.name == "sqlite"
    bodies = [click(office) for _ in range(8 if on_sqlite else 24)]
    with ThreadPoolExecutor(len(bodies)) as pool:
        with writing(office.engine) as db:
            held = "UPDATE accounts SET account = account"
            db.execute(text(held if on_sqlite else "SELECT 1 FROM accounts FOR UPDATE"))
            sent = [pool.submit(post, office.port, body, signed(body, NOW)) for body in bodies]
            if on_sqlite:
                time.sleep(1)
            else:
                assert max(each.result().seconds for each in sent) < 1
        assert {each.result().status for each in sent} == {200}
    office.slack.made("respond", len(bodies))
    wait_until(lambda: office.state == "acknowledged")
    wait_until(lambda: rows(office.engine, tables.slack_clicks) == [])


def test_a_click_that_cannot_be_kept_in_time_is_answered_503_and_done_all_the_same(office):
    if office.engine.dialect.name == "postgresql":
        hold = "LOCK TABLE slack_clicks"
    else:
        hold = "UPDATE accounts SET account = account"
    body = click(office)
    with writing(office.engine) as db:
        db.execute(text(hold))
        answer = post(office.port, body, signed(body, NOW))
        assert answer.status == 503
        assert answer.seconds < 4
    wait_until(lambda: office.state == "acknowledged")


def test_a_click_is_answered_503_at_once_if_the_database_refuses_it(office):
    body = click(office)
    with writing(office.engine) as db:
        db.execute(text("ALTER TABLE slack_clicks RENAME TO elsewhere"))
    answer = post(office.port, body, signed(body, NOW))
    assert answer.status == 503
    assert answer.seconds < 2


def test_what_nobody_listens_to_is_not_found(office):
    payload = office.person("USAM").click("x/1")
    payload["actions"][0]["action_id"] = "another.app"
    body = form(payload)
    assert post(office.port, body, signed(body, NOW)).status == 404
