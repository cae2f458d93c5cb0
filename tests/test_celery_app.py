"""How batches travel: as they came, until the process that takes them in."""

from typing import Any

import pytest
import redis
from kombu.message import Message

from worker import celery_app, transport
from worker.celery_app import connect, left_unread


@pytest.fixture
def handed_out(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What Celery's own way of handing messages out is given."""
    given: list[Any] = []
    monkeypatch.setattr(celery_app, "default", lambda *_: lambda *message: given.append(message))
    return given


def test_a_batch_is_not_decoded_to_be_handed_out(handed_out: list[Any]) -> None:
    message = Message(body="this is not even JSON", content_type="application/json")
    left_unread(None, None, None)(message, None, "ack", "reject", [])
    assert handed_out == [(message, None, "ack", "reject", [])]
    assert message.payload == ([], {}, {})
    assert message.body == "this is not even JSON"


def test_a_message_of_the_old_protocol_is_handed_out_as_it_was_read(handed_out: list[Any]) -> None:
    message = Message(body='{"task": "x"}', content_type="application/json")
    left_unread(None, None, None)(message, {"task": "x"}, "ack", "reject", [])
    assert handed_out == [(message, {"task": "x"}, "ack", "reject", [])]
    assert message.payload == {"task": "x"}


@pytest.mark.parametrize("half", [True, False])
def test_an_acknowledgement_over_a_lost_connection_is_told_as_that(
    valkey_server: str, half: bool
) -> None:
    with connect(valkey_server).connection_for_write() as connection:
        channel = connection.channel()
        if half:  # as kombu leaves it that finds the connection lost
            connection.transport.client = None
        else:
            channel.close()
        with pytest.raises(connection.connection_errors, match="the queue is gone"):
            channel.qos.ack("tag")


def test_a_batch_that_is_lost_on_its_way_to_a_worker_comes_back(
    broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "BACK_AFTER", -60.0)
    app = connect(broker_url)
    app.send_task(celery_app.INGEST, ([],), task_id="lost", retry=False)
    with redis.Redis.from_url(broker_url) as client:
        assert client.rpop(celery_app.INGEST)  # taken by a worker that is killed at once
        assert client.llen(celery_app.INGEST) == 0
        with app.connection_for_read() as connection:
            connection.default_channel.qos.restore_visible()
        assert client.llen(celery_app.INGEST) == 1
        assert client.hlen("unacked") == 0
