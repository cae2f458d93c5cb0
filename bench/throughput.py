"""Events a second: tiewatch's workers beside the baseline's, and beside the floor."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial

import psycopg
import sqlalchemy as sa

from bench import baseline, events, everything, floor, stage, workers
from bench.events import Event
from bench.measure import Goal, Line, Report, interleaved, ratios
from bench.stage import Stage
from bench.workers import BY_ITSELF, WARM_SIZE, WARM_UP
from worker.celery_app import INGEST
from worker.shipped import rules_dir

TODAY = "today's events"
YESTERDAY = "yesterday's events"
EVERY_RULE = "every rule that ships"
EVERY_PART = "facts of every part"

METHOD = """\
All start from copies of one database: {stored:,} events of {customers:,} accounts over {days} \
days, loaded in bulk and swept, and of each account two surveys, two tickets and a goal; vacuumed \
and analysed. The {number:,} new events (85% usage, 13% interactions, 2% attributes) are of today \
and in order of time, over all accounts: batches taken at the same time share accounts, and wait \
for each other's locks. The baseline gets the first {fewer:,} of them. Each run starts new worker \
processes, warms them up, holds them still while the queue is filled, and counts from their \
release until the last event is committed. The whole queue waits then, so a process takes in as \
one what makes four thousand events or so, whatever the size of a batch. Publishing is counted for \
neither side, which spares the baseline its message an event. Not flattering: most usage of today \
changes no fact before midnight, and tiewatch then does not evaluate its account; a line beside \
is the same mix dated yesterday, where every event may change one. The baseline always evaluates, \
and pays for a commit an event on this disk. Both have the four live rules that ship. The last \
lines are tiewatch with more: with those in shadow too, which look at facts of most kinds and at \
the health score; and with one rule beside the four for which every part of the catalogue is read \
and computed, and facts of `metrics.yaml`."""

FLOOR_METHOD = """\
The floor takes the same new events on a copy of the same database: one connection, one SQL \
statement a batch that logs the events and adds them to the day buckets, then a commit. It has no \
queue, checks nothing, and computes nothing. Beside it, tiewatch with one worker process."""

_BASELINE_STATE = """
INSERT INTO baseline.accounts (account, name, segment, owner, seats, mrr, renewal_date, lifecycle)
    SELECT account, name, segment, owner, seats, mrr, date '0001-01-01' + renewal_day - 1, lifecycle
    FROM public.accounts;
INSERT INTO baseline.contacts (account, contact, name, title, level, role, "left", last_used)
    SELECT account, contact, name, title, level, role, gone, date '0001-01-01' + last_used - 1
    FROM public.contacts;
INSERT INTO baseline.reps (rep, name) SELECT rep, name FROM public.reps;
INSERT INTO baseline.ties (account, rep, contact, day, mutual, outbound, inbound)
    SELECT account, rep, contact, date '0001-01-01' + day - 1, (past_mutual + mutual) / 100,
        (past_outbound + outbound) / 100, (past_inbound + inbound) / 100
    FROM public.ties;
INSERT INTO baseline.usage_days (account, day, count)
    SELECT account, date '0001-01-01' + day - 1, count FROM public.usage_days;
INSERT INTO baseline.flags (account, rule, state, true_since, false_since)
    SELECT account, rule, state, first_true_on, first_false_on FROM public.flags;
INSERT INTO baseline.events (source, id, type, time, account, body)
    SELECT source, id, type, time, account, body::json FROM public.events;
"""


def run(
    on: Stage,
    note: Callable[[str], None],
    *,
    stored: int = 30_000,
    number: int = 40_000,
    fewer: int = 1_000,
    customers: int = 1_000,
    processes: Sequence[int] = (1, 2),
    sizes: Sequence[int] = (100, 500),
    runs: int = 5,
) -> list[Report]:
    """Measure tiewatch, the baseline and the floor in turn, on the same state and events."""
    now = stage.now()
    crowd = events.vendor(customers)
    warm_up = WARM_UP * max(processes) * WARM_SIZE
    taken = {TODAY: events.today, YESTERDAY: events.yesterday}
    new = {day: make(crowd, warm_up + number, now) for day, make in taken.items()}
    note(f"loading {stored:,} events")
    with (
        prepared(on, events.history(crowd, stored, events.midnight(now)), now) as state,
        everything.every_part() as all_parts,
    ):
        measures: dict[str, Callable[[int], float]] = {}
        for many in processes:
            for size in sizes:
                measures[_ours(many, size)] = partial(
                    through_queue, on, state, new[TODAY], warm_up, many, size
                )
            measures[_theirs(many)] = partial(
                _baseline, on, state, new[TODAY][: warm_up + fewer], warm_up, many
            )
        measures[_ours(1, max(sizes), YESTERDAY)] = partial(
            through_queue, on, state, new[YESTERDAY], warm_up, 1, max(sizes)
        )
        for name, folder in ((EVERY_RULE, str(rules_dir())), (EVERY_PART, all_parts)):
            measures[_ours(1, max(sizes), name)] = partial(
                through_queue, on, state, new[TODAY], warm_up, 1, max(sizes), rules_dir=folder
            )
        for size in sizes:
            measures[_floor_of(size)] = partial(_floor, on, state, new[TODAY], warm_up, size)
        found = interleaved(measures, runs, note)
    method = METHOD.format(
        stored=stored, customers=customers, days=events.HISTORY_DAYS, number=number, fewer=fewer
    )
    return [
        Report(
            "Events through the queue, beside the baseline",
            method,
            _beside_baseline(found, processes, sizes),
        ),
        Report("Beside the floor", FLOOR_METHOD, _beside_floor(found, sizes)),
    ]


@contextmanager
def prepared(on: Stage, history: Iterable[Event], now: datetime) -> Iterator[str]:
    """A database that holds a history, for tiewatch and for the baseline; yields its URL."""
    with stage.database(on) as url:
        with stage.connected(url) as engine:
            with engine.begin() as db:
                db.execute(sa.text("CREATE SCHEMA baseline"))
                baseline.Base.metadata.create_all(db)
            stage.load(engine, history, now)
            everything.tell(engine, now.date())
            with engine.begin() as db:
                db.execute(sa.text(_BASELINE_STATE))
            stage.vacuum(engine)
        yield url


def through_queue(
    on: Stage,
    state: str,
    given: Sequence[Event],
    warm_up: int,
    processes: int,
    size: int,
    _run: int,
    **settings: str,
) -> float:
    """Events a second of tiewatch's workers, the first ones given only to warm them up."""
    workers.empty(on)
    known = "SELECT coalesce(sum(applied), 0) FROM batches"
    warm, new = given[: WARM_UP * processes * WARM_SIZE], given[warm_up:]
    with (
        stage.database(on, state) as url,
        stage.polled(url) as db,
        workers.tiewatch(on, url, processes, INGEST, **settings) as running,
    ):
        before = db.scalar(sa.text(known))
        workers.publish(on, INGEST, stage.batches(warm, WARM_SIZE), **BY_ITSELF)
        workers.wait_for(running, db, known, before + len(warm))
        with workers.held(running):
            workers.publish(on, INGEST, stage.batches(new, size))
        began = time.perf_counter()
        workers.wait_for(running, db, known, before + len(warm) + len(new))
        return len(new) / (time.perf_counter() - began)


def _baseline(
    on: Stage, state: str, given: Sequence[Event], warm_up: int, processes: int, _run: int
) -> float:
    """Events a second of the baseline's workers, after as many events to warm them up as new."""
    workers.empty(on)
    known = "SELECT count(*) FROM baseline.events WHERE number > :first"
    warm, new = given[: 10 * WARM_UP * processes], given[warm_up:]
    with (
        stage.database(on, state) as url,
        stage.polled(url) as db,
        workers.group(*baseline.worker(url, on.broker, processes)) as running,
    ):
        first = db.scalar(sa.text("SELECT max(number) FROM baseline.events"))
        workers.publish(on, baseline.TASK, warm)
        workers.wait_for(running, db, known, len(warm), first=first)
        with workers.held(running):
            workers.publish(on, baseline.TASK, new)
        began = time.perf_counter()
        workers.wait_for(running, db, known, len(warm) + len(new), first=first)
        return len(new) / (time.perf_counter() - began)


def _floor(
    on: Stage, state: str, given: Sequence[Event], warm_up: int, size: int, _run: int
) -> float:
    """Events a second of the floor."""
    warm, new = given[: WARM_UP * size], given[warm_up:]
    with stage.database(on, state) as url:
        plain = sa.make_url(url).set(drivername="postgresql")
        with psycopg.connect(plain.render_as_string(hide_password=False)) as db:
            floor.take(db, stage.batches(warm, size))
            began = time.perf_counter()
            floor.take(db, stage.batches(new, size))
            return len(new) / (time.perf_counter() - began)


def _ours(processes: int, size: int, day: str = TODAY) -> str:
    name = f"tiewatch, {_processes(processes)}, batches of {size}"
    return name if day == TODAY else f"{name}, {day}"


def _theirs(processes: int) -> str:
    return f"baseline, {_processes(processes)}, one event a task"


def _floor_of(size: int) -> str:
    return f"floor, batches of {size}"


def _processes(number: int) -> str:
    return "1 process" if number == 1 else f"{number} processes"


def _beside_baseline(
    found: dict[str, tuple[float, ...]], processes: Sequence[int], sizes: Sequence[int]
) -> list[Line]:
    lines = []
    for many in processes:
        theirs = found[_theirs(many)]
        lines.append(Line(_theirs(many), theirs, "events/s"))
        for size in sizes:
            ours = found[_ours(many, size)]
            goal = Goal(at_least=60)
            lines.append(Line(_ours(many, size), ours, "events/s"))
            lines.append(Line("", ratios(ours, theirs), "× the baseline", goal))
    late = _ours(1, max(sizes), YESTERDAY)
    lines.append(Line(late, found[late], "events/s"))
    plain = _ours(1, max(sizes))
    for name in (EVERY_RULE, EVERY_PART):
        more = _ours(1, max(sizes), name)
        share = tuple(100 * part for part in ratios(found[more], found[plain]))
        lines.append(Line(more, found[more], "events/s"))
        lines.append(Line("", share, "% of that with four rules", Goal(at_least=70)))
    return lines


def _beside_floor(found: dict[str, tuple[float, ...]], sizes: Sequence[int]) -> list[Line]:
    lines = []
    for size in sizes:
        ours, lowest = found[_ours(1, size)], found[_floor_of(size)]
        share = tuple(100 * part for part in ratios(ours, lowest))
        lines.append(Line(_floor_of(size), lowest, "events/s"))
        lines.append(Line(_ours(1, size), share, "% of the floor", Goal(at_least=30)))
    return lines
