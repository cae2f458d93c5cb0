"""How batches travel: as they came, until the process that takes them in."""

from typing import Any

import pytest
from celery.worker.request import Request
from kombu.message import Message

from worker import celery_app, tasks  # noqa: F401 - the tasks are what is looked at
from worker.celery_app import DELIVER, HELD, INGEST, MAX_DEPTH, SWEEP, Held, app, left_unread


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


@pytest.mark.parametrize(("levels", "text"), [(MAX_DEPTH + 1, False), (MAX_DEPTH + 2, True)])
def test_an_event_that_nests_too_deeply_becomes_a_text(levels: int, text: bool) -> None:
    event = "[" * levels + "]" * levels
    arguments, _, _ = celery_app._loads(f'[[[{event}, {{"id": "]["}}]], {{}}, {{}}]')
    deep, flat = arguments[0]
    assert isinstance(deep, str) is text
    assert flat == {"id": "]["}


@pytest.mark.parametrize("verb", ["acknowledge", "reject"])
def test_a_queue_that_has_gone_ends_no_worker(monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    def gone(*_: Any) -> None:
        raise AttributeError("'NoneType' object has no attribute 'hostname'")

    monkeypatch.setattr(Request, verb, gone)
    getattr(object.__new__(Held), verb)()


@pytest.mark.filterwarnings("ignore:(?s).*task attribute")  # Celery, of its own base class
def test_every_task_holds_its_message_so() -> None:
    assert {app.tasks[name].Request for name in (INGEST, SWEEP, DELIVER)} == {HELD}
