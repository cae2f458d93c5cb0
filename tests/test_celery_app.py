"""How batches travel: as they came, until the process that takes them in."""

from typing import Any

import pytest
from celery.worker.consumer import Consumer
from celery.worker.request import Request
from kombu.message import Message

from worker import celery_app, tasks  # noqa: F401 - the tasks are what is looked at
from worker.celery_app import DELIVER, HELD, INGEST, SWEEP, Held, Listener, app, left_unread


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


@pytest.mark.parametrize("verb", ["acknowledge", "reject"])
def test_a_queue_that_has_gone_ends_no_worker(monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    def gone(*_: Any) -> None:
        raise AttributeError("'NoneType' object has no attribute 'hostname'")

    monkeypatch.setattr(Request, verb, gone)
    getattr(object.__new__(Held), verb)()


def test_what_is_left_of_a_lost_connection_ends_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def half_closed(*_: Any) -> None:
        raise AttributeError("'NoneType' object has no attribute 'hostname'")

    monkeypatch.setattr(Consumer, "on_connection_error_after_connected", half_closed)
    object.__new__(Listener).on_connection_error_after_connected(ConnectionError())
    assert app.conf.worker_consumer == f"{Listener.__module__}:{Listener.__name__}"


@pytest.mark.filterwarnings("ignore:(?s).*task attribute")  # Celery, of its own base class
def test_every_task_holds_its_message_so() -> None:
    assert {app.tasks[name].Request for name in (INGEST, SWEEP, DELIVER)} == {HELD}
