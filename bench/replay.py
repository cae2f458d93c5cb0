"""A year of the log replayed through the rules: how long an admin waits for a backtest."""

from collections.abc import Callable
from datetime import timedelta
from itertools import chain

from bench import events, stage, sweep, workers
from bench.measure import Goal, Line, Report
from bench.stage import Stage

DAYS = 365

METHOD = """\
{stored:,} events of {customers:,} accounts over {days} days, in PostgreSQL, and 12 rules: the \
four that ship and eight more. Each run is the command `tiewatch rules backtest --json` over all \
of these days, start-up included: it reads the log once, and evaluates every account on every \
day, in one process. The last run raised {flags:,} flags."""


def run(
    on: Stage,
    note: Callable[[str], None],
    *,
    stored: int = 300_000,
    customers: int = 1_000,
    runs: int = 3,
) -> list[Report]:
    """Measure as many backtests as there are runs."""
    end = events.midnight(stage.now())
    begin = end - timedelta(days=DAYS)
    crowd = events.vendor(customers)
    past = chain(
        events.introductions(crowd, begin), events.activity(crowd, stored, begin, end, "year")
    )
    period = ("--from", f"{begin:%Y-%m-%d}", "--to", f"{end - timedelta(days=1):%Y-%m-%d}")
    took = []
    with stage.database(on) as url, sweep.twelve_rules() as rules:
        note(f"loading {stored:,} events")
        with stage.connected(url) as engine:
            stage.load(engine, past, end)
        for number in range(runs):
            found, seconds, megabytes = workers.command(
                "rules", "backtest", *period, DATABASE_URL=url, RULES_DIR=rules
            )
            took.append((seconds, megabytes))
            note(f"backtest: {seconds:.1f} s, {megabytes:.0f} MB (run {number + 1} of {runs})")
    seconds_taken, memory = zip(*took, strict=True)
    lines = [
        Line("a backtest of a year", seconds_taken, "s", Goal(at_most=60)),
        Line("its peak memory", memory, "MB"),
    ]
    flags = sum(rule["flags"] for rule in found["rules"])
    method = METHOD.format(stored=stored, customers=customers, days=DAYS, flags=flags)
    return [Report("A year replayed", method, lines)]
