"""How batches travel through the queue, whatever becomes of a connection or a worker."""

import pytest
import redis

from worker import celery_app
from worker.celery_app import connect
from worker.running import transport


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


def test_a_batch_that_was_given_back_comes_back_too_if_it_is_lost_on_its_way_again(
    broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "BACK_AFTER", -120.0)
    app = connect(broker_url)
    app.send_task(celery_app.INGEST, ([],), task_id="lost", retry=False)
    with (
        app.connection_for_read() as connection,
        connection.SimpleQueue(celery_app.INGEST) as queue,
        redis.Redis.from_url(broker_url) as client,
    ):
        queue.get(timeout=1).requeue()
        assert client.rpop(celery_app.INGEST)  # taken by a worker that is killed at once
        assert client.llen(celery_app.INGEST) == 0
        connection.default_channel.qos.restore_visible()
        message = queue.get(timeout=1)
        assert message.headers["id"] == "lost"
        message.ack()
        assert (client.llen(celery_app.INGEST), client.hlen("unacked")) == (0, 0)
