"""What an event costs when little is stored, and when much is."""

import time
from collections.abc import Callable, Sequence
from functools import partial

from bench import events, stage
from bench.events import Event
from bench.measure import Goal, Line, Report, interleaved, ratios
from bench.stage import Stage
from bench.workers import WARM_UP

SIZE = 500

METHOD = """\
Both databases hold the same {customers:,} accounts, people and ties over the same {days} days, \
the larger one more of their events; loaded in bulk, swept, vacuumed and analysed. Each run takes \
the same {number:,} new events in, on a fresh copy of each, in this process by the function that \
the workers call, in batches of {size}. Both fit in memory, so this is not what a disk would add."""


def run(
    on: Stage,
    note: Callable[[str], None],
    *,
    few: int = 10_000,
    many: int = 1_000_000,
    number: int = 10_000,
    customers: int = 1_000,
    runs: int = 5,
) -> list[Report]:
    """Measure the cost of an event on both."""
    now = stage.now()
    crowd = events.vendor(customers)
    new = events.today(crowd, WARM_UP * SIZE + number, now)
    with stage.database(on) as small, stage.database(on) as large:
        for url, stored in ((small, few), (large, many)):
            note(f"loading {stored:,} events")
            with stage.connected(url) as engine:
                stage.load(engine, events.history(crowd, stored, events.midnight(now)), now)
        names = {_name(few): small, _name(many): large}
        measures = {name: partial(_microseconds, on, url, new) for name, url in names.items()}
        found = interleaved(measures, runs, note)
    method = METHOD.format(customers=customers, days=events.HISTORY_DAYS, number=number, size=SIZE)
    more, less = found[_name(many)], found[_name(few)]
    lines = [Line(name, times, "µs an event") for name, times in found.items()]
    lines.append(Line("the one beside the other", ratios(more, less), "×", Goal(at_most=1.3)))
    return [Report("Cost of an event as the database grows", method, lines)]


def _name(stored: int) -> str:
    return f"with {stored:,} events stored"


def _microseconds(on: Stage, state: str, new: Sequence[Event], _run: int) -> float:
    book = stage.rulebook()
    with stage.database(on, state) as url, stage.connected(url) as engine:
        batches = list(stage.batches(new, SIZE))
        stage.take(engine, "warm-up", batches[:WARM_UP], book)
        began = time.perf_counter()
        stage.take(engine, "timed", batches[WARM_UP:], book)
        return 1e6 * (time.perf_counter() - began) / sum(map(len, batches[WARM_UP:]))
