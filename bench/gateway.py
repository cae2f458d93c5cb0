"""Through HTTP to applied facts: requests and events a second, and how long an answer takes."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import httpx2
import sqlalchemy as sa

from bench import events, stage, throughput, workers
from bench.events import Event
from bench.measure import Goal, Line, Report, interleaved, ratios
from bench.stage import Stage
from bench.workers import WARM_SIZE, WARM_UP, Workers
from worker.celery_app import INGEST
from worker.running.embedded import free_port
from worker.running.runtime import clock
from worker.store import api_keys
from worker.store.api_keys import Scope
from worker.store.database import writing

METHOD = """\
One gateway process and one worker process on the database and the events of the first benchmark \
(batches of yesterday's are not measured). A client with {connections} connections sends the next \
request on each as soon as it has the answer to the last; it is written to the socket as it was \
prepared, and shares the two cores with everything else: client, gateway, worker, queue and \
database. Rates count from the first request until the last event is committed with its facts; the \
time of an answer is the client's, without the warm-up. The limit is a FastAPI endpoint under the \
same server that validates a list of events with pydantic and discards it. The main job is one \
worker process fed from a full queue in batches of 100."""

PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Sent:
    """How a run went: requests and events a second, and seconds to the answers, sorted."""

    requests: float
    events: float
    answers: Sequence[float]

    def percentile(self, share: float) -> float:
        """Milliseconds within which that share of the answers came."""
        return 1000 * self.answers[min(len(self.answers) - 1, int(share * len(self.answers)))]


def run(
    on: Stage,
    note: Callable[[str], None],
    *,
    stored: int = 30_000,
    number: int = 20_000,
    fewer: int = 3_000,
    customers: int = 1_000,
    connections: int = 16,
    runs: int = 5,
) -> list[Report]:
    """Measure single events and batches of 100, beside the limit and the main job."""
    now = stage.now()
    crowd = events.vendor(customers)
    warm_up = WARM_UP * WARM_SIZE
    new = events.today(crowd, warm_up + number, now)
    runs_of: dict[str, list[Sent]] = {}
    note(f"loading {stored:,} events")
    with throughput.prepared(on, events.history(crowd, stored, events.midnight(now)), now) as state:
        measures: dict[str, Callable[[int], float]] = {}
        for size in (1, 100):
            some = new[: warm_up + (fewer if size == 1 else number)]
            for name, measure in (("gateway", _gateway), ("limit", _limit)):
                measures[_name(name, size)] = partial(
                    _rate,
                    runs_of,
                    _name(name, size),
                    measure,
                    on,
                    state,
                    some,
                    warm_up,
                    size,
                    connections,
                )
        measures["main job"] = partial(throughput.through_queue, on, state, new, warm_up, 1, 100)
        found = interleaved(measures, runs, note)
    lines: list[Line] = []
    for size in (1, 100):
        ours, limit = _name("gateway", size), _name("limit", size)
        requests = tuple(one.requests for one in runs_of[ours])
        lines.append(Line(ours, requests, "requests/s"))
        if size > 1:
            lines.append(Line("", found[ours], "events/s"))
        share = tuple(100 * part for part in ratios(found[ours], found["main job"]))
        goal = Goal(at_least=50) if size == 100 else None
        lines.append(Line("", share, "% of the main job", goal))
        for told, part in (("median", 0.5), ("99th percentile", 0.99)):
            times = tuple(one.percentile(part) for one in runs_of[ours])
            lines.append(Line(f"time of an answer, {told}", times, "ms"))
        lines.append(Line(limit, tuple(one.requests for one in runs_of[limit]), "requests/s"))
        for told, part in (("median", 0.5), ("99th percentile", 0.99)):
            times = tuple(one.percentile(part) for one in runs_of[limit])
            lines.append(Line(f"time of an answer, {told}", times, "ms"))
    lines.append(Line("main job, batches of 100", found["main job"], "events/s"))
    return [Report("Events through the gateway", METHOD.format(connections=connections), lines)]


def _name(what: str, size: int) -> str:
    return f"{what}, {'single events' if size == 1 else f'batches of {size}'}"


def _rate(
    runs_of: dict[str, list[Sent]], name: str, measure: Callable[..., Sent], *given: object
) -> float:
    *arguments, _run = given
    sent = measure(*arguments)
    runs_of.setdefault(name, []).append(sent)
    return sent.events


def _gateway(
    on: Stage, state: str, given: Sequence[Event], warm_up: int, size: int, connections: int
) -> Sent:
    """Events sent to a gateway, until a worker has applied the last of them."""
    workers.empty(on)
    known = "SELECT coalesce(sum(received), 0) FROM batches"
    with (
        stage.database(on, state) as url,
        stage.connected(url) as engine,
        stage.polled(url) as db,
        workers.tiewatch(on, url, 1, INGEST) as running,
    ):
        with writing(engine) as keys:
            key = api_keys.create(keys, "bench", "bench", list(Scope), clock())
        with _server(["-m", "worker", "gateway"], _variables(on, url)) as port:
            before = db.scalar(sa.text(known))
            _send(port, key, given[:warm_up], 100, connections)
            workers.wait_for(running, db, known, before + warm_up)
            began = time.perf_counter()
            answers = _send(port, key, given[warm_up:], size, connections)
            workers.wait_for(running, db, known, before + len(given))
            seconds = time.perf_counter() - began
    number = len(given) - warm_up
    return Sent(len(answers) / seconds, number / seconds, sorted(answers))


def _limit(
    _on: Stage, _state: str, given: Sequence[Event], warm_up: int, size: int, connections: int
) -> Sent:
    """The same requests to the endpoint that discards them."""
    command = ["-m", "uvicorn", "bench.plain:app", "--http", "h11", "--loop", "asyncio"]
    command += ["--no-access-log", "--log-level", "warning"]
    with _server(command, {}) as port:
        _send(port, "none", given[: warm_up // 4], 100, connections)
        began = time.perf_counter()
        answers = _send(port, "none", given[warm_up:], size, connections, listed=True)
        seconds = time.perf_counter() - began
    return Sent(len(answers) / seconds, (len(given) - warm_up) / seconds, sorted(answers))


def _variables(on: Stage, url: str) -> dict[str, str]:
    return {
        "TIEWATCH_DATABASE_URL": url,
        "TIEWATCH_BROKER_URL": on.broker,
        "TIEWATCH_RATE_LIMIT": "1000000/second",
        "TIEWATCH_LOG_LEVEL": "warning",
    }


@contextmanager
def _server(command: Sequence[str], variables: dict[str, str]) -> Iterator[int]:
    """A server of its own process, once it answers; yields its port."""
    port = free_port()
    with workers.group([*command, "--port", str(port)], variables) as leader:
        _wait_for(leader, f"http://127.0.0.1:{port}/docs")
        yield port


def _wait_for(leader: Workers, url: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while leader.poll() is None and time.monotonic() < deadline:
        try:
            httpx2.get(url)
        except httpx2.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{url} does not answer")


def _send(
    port: int,
    key: str,
    given: Sequence[Event],
    size: int,
    connections: int,
    *,
    listed: bool = False,
) -> list[float]:
    """Send events in requests of `size`, over so many connections; seconds to each answer."""
    bodies = [
        json.dumps(batch if size > 1 or listed else batch[0]).encode()
        for batch in stage.batches(given, size)
    ]
    return asyncio.run(_send_all(port, key, bodies, connections))


async def _send_all(port: int, key: str, bodies: list[bytes], connections: int) -> list[float]:
    waiting = iter(bodies)
    answers: list[float] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in waiting:
            began = time.perf_counter()
            writer.write(
                b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/json\r\n"
                b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b"
                % (key.encode(), len(body), body)
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            answer = await reader.readexactly(length)
            answers.append(time.perf_counter() - began)
            if b" 202 " not in head[:20]:
                raise RuntimeError(f"not accepted: {answer[:300]!r}")
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return answers
