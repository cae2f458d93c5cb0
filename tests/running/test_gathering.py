"""What a worker hands to its processes, and what it does when they are done."""

from typing import Any

import pytest
from billiard.exceptions import WorkerLostError
from celery.exceptions import Reject, TaskRevokedError
from celery.worker import state
from kombu.message import Message as Sent

from worker.running import gathering
from worker.running.gathering import FAT, MANY, gathered
from worker.tasks import ingest_batch


class Consumer:
    """What a worker has of one connection: a prefetch count, and processes that are all busy."""

    hostname, event_dispatcher, connection_errors = "here", None, (ConnectionError,)

    def __init__(self) -> None:
        self.qos = self
        self.prefetch = 2
        self.waiting: list[Any] = []

    def increment_eventually(self) -> None:
        self.prefetch += 1

    def decrement_eventually(self) -> None:
        self.prefetch -= 1

    def on_task_request(self, message: Any) -> None:
        self.waiting.append(message)


class Pool:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.handed: list[list[str]] = []

    def apply_async(self, _trace: Any, args: Any, **_: Any) -> None:
        _, id_, request, *_ = args
        self.handed.append([id_, *(one for one, _ in request["along"])])


class Worker:
    """A worker that is sent messages, and notes which are acknowledged and which go back."""

    def __init__(self) -> None:
        self.consumer, self.pool = Consumer(), Pool()
        self.done: list[str] = []
        self.back: list[str] = []
        self._receive = gathered(ingest_batch, ingest_batch.app, self.consumer)

    def receive(self, id_: str, body: str = "[]", read: Any = None, **more: Any) -> None:
        headers = {"id": id_, "task": ingest_batch.name, **more.pop("headers", {})}
        message = Sent(body, content_type="application/json", headers=headers, **more)

        def reject(_logger: Any, _errors: Any, requeue: bool) -> None:
            assert requeue
            self.back.append(id_)

        self._receive(message, read, lambda *_: self.done.append(id_), reject, [])

    def turn(self, place: int) -> Any:
        """A process is free for the message at a place."""
        message = self.consumer.waiting[place]
        message.execute_using_pool(self.pool)
        return message


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is handed out in Celery's own way."""
    given: list[Any] = []
    monkeypatch.setattr(gathering, "default", lambda *_: lambda *message: given.append(message))
    return given


@pytest.fixture
def worker(one_by_one: list[Any]) -> Worker:
    return Worker()


def test_what_waits_is_handed_out_with_the_message_whose_turn_it_is(worker: Worker) -> None:
    for id_ in "abc":
        worker.receive(id_)
    worker.turn(0)
    assert worker.pool.handed == [["a", "b", "c"]]
    worker.receive("d")
    for place in (1, 2):  # their turns come, and their processes are free for others
        with pytest.raises(TaskRevokedError):
            worker.turn(place)
    worker.turn(3)
    assert worker.pool.handed == [["a", "b", "c"], ["d"]]


def test_a_batch_is_not_decoded_to_be_handed_out(worker: Worker) -> None:
    worker.receive("a", "this is not even JSON")
    worker.turn(0)
    assert worker.pool.handed == [["a"]]


def test_what_is_handed_out_together_has_the_size_of_a_fat_batch(worker: Worker) -> None:
    sizes = (FAT // 2, FAT // 2, FAT // 2, 2 * FAT, 10)
    for id_, size in zip("abcde", sizes, strict=True):
        worker.receive(id_, "x" * size)
    for place in (0, 2, 3, 4):
        worker.turn(place)
    assert worker.pool.handed == [["a", "b"], ["c"], ["d"], ["e"]]


def test_no_more_than_many_are_handed_out_together(worker: Worker) -> None:
    for number in range(MANY + 3):
        worker.receive(f"{number}")
    worker.turn(0)
    assert [len(ids) for ids in worker.pool.handed] == [MANY]


def test_done_together_is_acknowledged_together(worker: Worker) -> None:
    for id_ in "ab":
        worker.receive(id_)
    leader = worker.turn(0)
    leader.on_accepted(1, 0.0)
    leader.on_success((False, None, 0.1))
    assert (sorted(worker.done), worker.back) == (["a", "b"], [])
    assert not {"a", "b"} & state.requests.keys()


@pytest.mark.parametrize("error", [Reject("the database is down", requeue=True), WorkerLostError()])
def test_what_comes_to_nothing_goes_back_to_come_one_by_one(
    worker: Worker, one_by_one: list[Any], error: Exception
) -> None:
    for id_ in "abc":
        worker.receive(id_)
    leader = worker.turn(0)
    leader.on_failure(type("Info", (), {"exception": error, "traceback": None}), return_ok=True)
    assert (worker.done, sorted(worker.back)) == ([], ["a", "b", "c"])
    for id_ in "bc":
        worker.receive(id_, delivery_info={"redelivered": True})
    assert [message.headers["id"] for message, *_ in one_by_one] == ["b", "c"]


def test_while_no_fat_batch_waits_one_more_is_fetched_for_each_that_does(worker: Worker) -> None:
    worker.receive("a", "x" * (FAT - 10))
    assert worker.consumer.prefetch == 3
    worker.receive("b", "x" * 100)
    assert worker.consumer.prefetch == 3
    worker.turn(0).on_success((False, None, 0.1))
    assert worker.consumer.prefetch == 2


@pytest.mark.parametrize(
    "more",
    [
        {"headers": {"tiewatch_now": "2026-01-01T00:00:00Z"}},
        {"headers": {"retries": 1, "eta": "2026-01-01T00:00:00Z"}},
        {"headers": {"expires": "2026-01-01T00:00:00Z"}},
        {"delivery_info": {"redelivered": True}},
        {"read": {"task": "protocol 1"}},
    ],
)
def test_what_is_no_ordinary_batch_goes_its_own_way(
    worker: Worker, one_by_one: list[Any], more: dict[str, Any]
) -> None:
    worker.receive("a", **more)
    assert [message.headers["id"] for message, *_ in one_by_one] == ["a"]
