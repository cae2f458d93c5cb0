"""What is looked up in Slack: messages of ours by what they tell, and who and where someone is."""

import logging
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from slack_sdk import WebClient

from tests import slack_server
from tests.alerts import alert
from tests.slack_server import DROP_AFTER, Answer, SlackServer
from worker.slack.lookup import PAGE, find, place, user_with
from worker.slack.message import note
from worker.slack.sender import SlackConfig, client, metadata, post
from worker.slack.trouble import SendFailed, Verdict

TOKEN = "xoxb-not-to-be-seen"
AGO = datetime.now(UTC) - timedelta(minutes=1)


@pytest.fixture
def server() -> Iterator[SlackServer]:
    with slack_server.slack_server() as server:
        yield server


@pytest.fixture
def slack(server: SlackServer) -> WebClient:
    return client(SlackConfig(token=TOKEN, base_url=server.url, timeout=1))


def say(slack: WebClient, *ids: int, thread: str | None = None) -> str:
    ts = post(slack, "C1", note(alert()), metadata(ids, "account/acme"), thread).ts
    assert ts is not None
    return ts


def found(slack: WebClient, *ids: int, thread: str | None = None) -> str | None:
    one = find(slack, "C1", AGO, frozenset(ids), thread)
    return one.ts if one else None


def test_a_message_is_found_by_any_alert_that_it_tells(slack):
    first, second = say(slack, 1, 2), say(slack, 3)
    assert [found(slack, n) for n in (1, 2, 3, 4)] == [first, first, second, None]
    assert found(slack, 4, 2) == first


def test_of_two_messages_the_first_counts(slack):
    first = say(slack, 1)
    say(slack, 1)
    assert found(slack, 1) == first


def test_replies_are_found_in_their_thread_and_nowhere_else(slack):
    root = say(slack, 1)
    reply = say(slack, 2, thread=root)
    assert found(slack, 2) is None
    assert found(slack, 2, thread=root) == reply


def test_in_a_thread_that_is_gone_nothing_is_found(slack, server):
    root = say(slack, 1)
    server.delete("C1", root)
    assert found(slack, 2, thread=root) is None


def test_all_pages_are_looked_through(slack, server):
    first = say(slack, 1)
    for n in range(2 * PAGE):
        server.channels["C1"].append({"ts": f"{datetime.now(UTC).timestamp():.0f}.9{n:05}"})
    assert found(slack, 1) == first
    assert len(server.asked("conversations.history")) == 3


def test_what_was_said_long_before_the_try_is_not_looked_at(slack, server):
    server.clock = lambda: AGO.timestamp() - 600
    say(slack, 1)
    assert found(slack, 1) is None


@pytest.mark.parametrize(
    "known_by",
    [
        None,
        {"event_type": "another_app", "event_payload": {"alert_ids": [1]}},
        {"event_type": "tiewatch_alert"},
        {"event_type": "tiewatch_alert", "event_payload": {"alert_ids": None}},
        {"event_type": "tiewatch_alert", "event_payload": {"alert_ids": "1"}},
        {"event_type": "tiewatch_alert", "event_payload": {"alert_ids": ["1", {"1": 1}, True]}},
        {"event_type": "tiewatch_alert", "event_payload": {"alert_ids": 1}},
        {"event_type": "tiewatch_alert", "event_payload": [1]},
        "tiewatch_alert",
    ],
)
def test_what_others_write_is_not_taken_for_ours(slack, server, known_by):
    stranger = {"ts": f"{datetime.now(UTC).timestamp():.6f}", "metadata": known_by}
    server.channels["C1"].append(stranger)
    assert found(slack, 1) is None


def test_a_place_is_known_by_its_id_its_name_or_whose_direct_messages_it_is(slack, server):
    server.names["cs-team"] = "C5"
    given = ["C7", "G8", "#cs-team", "cs-team", "U12", "W12"]
    assert [place(slack, one) for one in given] == ["C7", "G8", "C5", "C5", "D12", "D12"]
    with pytest.raises(SendFailed, match="no channel is called #lost") as caught:
        place(slack, "#lost")
    assert caught.value.verdict is Verdict.ELSEWHERE


def test_a_user_is_known_by_e_mail_or_not_at_all(slack, server):
    server.users["sam@vendor.example"] = "U1"
    assert user_with(slack, "sam@vendor.example") == "U1"
    assert user_with(slack, "kim@vendor.example") is None


ASKED: dict[str, Callable[[WebClient], object]] = {
    "history": lambda slack: find(slack, "C1", AGO, frozenset([1])),
    "thread": lambda slack: find(slack, "C1", AGO, frozenset([1]), "1.1"),
    "direct messages": lambda slack: place(slack, "U1"),
    "channels": lambda slack: place(slack, "#cs"),
    "user": lambda slack: user_with(slack, "sam@vendor.example"),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (slack_server.slow_down("3"), Verdict.WAIT),
        (slack_server.status(503), Verdict.AGAIN),
        (DROP_AFTER, Verdict.AGAIN),
        (slack_server.error("token_revoked"), Verdict.NEVER),
    ],
    ids=["429", "503", "dropped", "revoked"],
)
def test_a_question_without_an_answer_leaves_no_trace_and_shows_no_secret(
    slack, server, ask, answer: Answer, verdict, caplog
):
    caplog.set_level(logging.DEBUG)
    server.next(answer)
    with pytest.raises(SendFailed) as caught:
        ask(slack)
    assert caught.value.verdict is verdict
    assert not caught.value.uncertain
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert TOKEN not in "".join(shown.format()) + caplog.text
    assert "sam@vendor.example" not in caught.value.reason + caplog.text
    assert all("sam@" not in request.method for request in server.requests)
