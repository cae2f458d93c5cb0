import logging
import socket
import time
import traceback
from collections.abc import Iterator

import pytest

from tests import slack_server
from tests.alerts import alert
from tests.slack_server import DROP_AFTER, DROP_BEFORE, OK, Answer, SlackServer
from worker.core.cards import Card, Told
from worker.slack.message import Message, card
from worker.slack.sender import (
    Posted,
    SlackConfig,
    client,
    metadata,
    post,
)
from worker.slack.trouble import DEFAULT_RETRY_AFTER, MAX_RETRY_AFTER, SendFailed, Verdict

TOKEN = "xoxb-not-to-be-seen"


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with slack_server.slack_server() as server:
        yield server


def config(base_url: str, **changes) -> SlackConfig:
    return SlackConfig(**{"token": TOKEN, "base_url": base_url, "timeout": 1, **changes})


def send(slack: SlackServer, answer: Answer = OK) -> Posted:
    slack.next(answer)
    content = card(Card(told=(Told(alert=alert()),)))
    return post(client(config(slack.url)), "C1", content, metadata([7], "account/acme"))


def failure(slack: SlackServer, answer: Answer) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        send(slack, answer)
    return caught.value


def test_a_message_arrives_whole_and_is_known_by_channel_and_ts(slack: SlackServer):
    posted = send(slack)
    (request,) = slack.requests
    assert posted.channel == "C1"
    assert posted.ts is not None
    assert posted.ts.endswith(".000001")
    assert request.token == TOKEN
    assert request.alert_ids == [7]
    assert request.body["text"].startswith("🟠 Acme: ")
    assert [block["type"] for block in request.body["blocks"]] == [
        "header", "context", "section", "section", "section", "context",
    ]  # fmt: skip
    assert request.body["unfurl_links"] is False


@pytest.mark.parametrize(
    "code",
    ["channel_not_found", "invalid_auth", "token_revoked", "is_archived", "not_in_channel",
     "msg_too_long", "invalid_blocks", "missing_scope", "one_that_slack_may_add"],
)  # fmt: skip
def test_what_slack_refuses_is_not_worth_another_try(slack: SlackServer, code: str):
    failed = failure(slack, slack_server.error(code))
    assert failed.verdict in (Verdict.ELSEWHERE, Verdict.NEVER)
    assert not failed.uncertain
    assert code in failed.reason


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("channel_not_found", "TIEWATCH_SLACK_CHANNEL"),
        ("invalid_auth", "TIEWATCH_SLACK_BOT_TOKEN"),
        ("not_in_channel", "invite the app"),
        ("missing_scope", "slack/manifest.yaml"),
    ],
)
def test_a_refusal_says_what_to_do(slack: SlackServer, code: str, remedy: str):
    assert remedy in failure(slack, slack_server.error(code)).reason


TROUBLE = {
    "500": slack_server.status(500),
    "503, empty": slack_server.status(503, b""),
    "502 with an error code": slack_server.status(502, b'{"ok":false,"error":"bad_gateway"}'),
    "404, not of Slack": slack_server.status(404),
    "200, a web page": slack_server.status(200),
    "200, empty": slack_server.status(200, b""),
    "200, a list": slack_server.status(200, b"[1]"),
    "200, null": slack_server.status(200, b"null"),
    "200, neither ok nor error": slack_server.status(200, b"{}"),
    "200, not text": slack_server.status(200, b"\xff\xfe"),
    "internal_error": slack_server.error("internal_error"),
    "fatal_error": slack_server.error("fatal_error"),
    "service_unavailable": slack_server.error("service_unavailable"),
    "connection lost, not posted": DROP_BEFORE,
    "connection lost, posted": DROP_AFTER,
    "no answer": slack_server.hang(3),
}


@pytest.mark.parametrize("answer", TROUBLE.values(), ids=TROUBLE)
def test_trouble_on_the_way_is_temporary_and_tried_once(slack: SlackServer, answer: Answer):
    began = time.monotonic()
    failed = failure(slack, answer)
    assert failed.verdict is Verdict.AGAIN
    assert failed.uncertain
    assert failed.reason
    assert len(slack.requests) == 1
    assert time.monotonic() - began < 2.5


def test_a_port_where_nobody_listens_is_temporary():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}/api/"
        with pytest.raises(SendFailed, match="refused") as caught:
            post(client(config(nobody)), "C1", Message("Hello", []), metadata([1], "note/x"))
    assert caught.value.verdict is Verdict.AGAIN


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 1.0),
        (None, DEFAULT_RETRY_AFTER),
        ("soon", DEFAULT_RETRY_AFTER),
        ("-5", DEFAULT_RETRY_AFTER),
        ("nan", DEFAULT_RETRY_AFTER),
        ("Wed, 21 Oct 2026 07:28:00 GMT", DEFAULT_RETRY_AFTER),
        ("9" * 400, MAX_RETRY_AFTER),
    ],
)
def test_too_many_requests_say_how_long_to_wait(slack: SlackServer, header, seconds: float):
    failed = failure(slack, slack_server.slow_down(header))
    assert failed.retry_after == seconds
    assert failed.verdict is Verdict.WAIT
    assert not failed.uncertain


def test_a_limit_told_by_the_error_code_alone_is_a_limit(slack: SlackServer):
    assert failure(slack, slack_server.error("rate_limited")).retry_after == DEFAULT_RETRY_AFTER


@pytest.mark.parametrize("token", [f"{TOKEN}\n2", f"{TOKEN}\r", f"{TOKEN}é"])
def test_a_token_that_cannot_be_sent_is_refused_without_being_shown(token: str):
    with pytest.raises(ValueError, match="TIEWATCH_SLACK_BOT_TOKEN") as caught:
        SlackConfig(token=token)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [OK, DROP_AFTER, slack_server.status(500), slack_server.error("invalid_auth"),
     slack_server.slow_down("1"), slack_server.status(200, b"[1]")],
    ids=["ok", "lost", "500", "refused", "limited", "nonsense"],
)  # fmt: skip
def test_the_token_is_in_no_log_error_or_traceback(slack: SlackServer, answer: Answer, caplog):
    caplog.set_level(logging.DEBUG)
    shown = [repr(config(slack.url)), str(config(slack.url))]
    try:
        send(slack, answer)
    except SendFailed as failed:
        whole = traceback.TracebackException.from_exception(failed, capture_locals=True)
        shown += [repr(failed), *whole.format()]
    assert TOKEN not in "".join(shown) + caplog.text


def test_customers_are_in_no_log_either(slack: SlackServer, caplog):
    caplog.set_level(logging.DEBUG)
    send(slack)
    assert "Acme" not in caplog.text
