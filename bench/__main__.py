"""`python -m bench [quick] [NAME...]`: run the benchmarks and print their tables.

A full run of all of them writes RESULTS.md; a partial one leaves it as it is, and so does `quick`,
which runs them at a small size, to see that they work.
"""

import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import everything, gateway, growth, latency, replay, stage, sweep, throughput
from bench.measure import Line, Report, machine, shown

RESULTS = Path(__file__).parent / "RESULTS.md"

BENCHMARKS: Mapping[str, Callable[..., list[Report]]] = {
    "throughput": throughput.run,
    "growth": growth.run,
    "sweep": sweep.run,
    "everything": everything.run,
    "replay": replay.run,
    "latency": latency.run,
    "gateway": gateway.run,
}
QUICK: Mapping[str, dict[str, int]] = {
    "throughput": {"stored": 8_000, "number": 2_000, "fewer": 100, "runs": 1},
    "growth": {"many": 20_000, "number": 2_000, "runs": 1},
    "sweep": {"accounts": 2_000, "runs": 1},
    "everything": {"accounts": 2_000, "runs": 1},
    "replay": {"stored": 8_000, "customers": 50, "runs": 1},
    "latency": {"stored": 8_000, "seconds": 3, "runs": 1},
    "gateway": {"stored": 8_000, "number": 2_000, "fewer": 200, "runs": 1},
}

err = Console(stderr=True, highlight=False)


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments name; exit status 1 if a full run misses a goal."""
    quick = "quick" in arguments
    names = [name for name in arguments if name != "quick"] or list(BENCHMARKS)
    if unknown := sorted(set(names) - set(BENCHMARKS)):
        err.print(f"There is no benchmark {unknown[0]!r}: choose of {', '.join(BENCHMARKS)}.")
        return 2
    began = time.monotonic()
    facts = [
        f"{datetime.now(UTC):%Y-%m-%d}, `python -m bench{''.join(f' {a}' for a in arguments)}`"
    ]
    facts += machine()
    reports = []
    with stage.stage() as on:
        facts.append(stage.described(on))
        for name in names:
            err.rule(name)
            reports += BENCHMARKS[name](on, _note, **(QUICK[name] if quick else {}))
    facts.append(f"took {(time.monotonic() - began) / 60:.0f} minutes")
    out = Console(highlight=False)
    for report in reports:
        out.print(_table(report))
    if quick or set(names) != set(BENCHMARKS):
        return 0
    RESULTS.write_text(document(facts, reports))
    err.print(f"Written to bench/{RESULTS.name}.")
    return 0 if all(line.met is not False for report in reports for line in report.lines) else 1


def document(facts: Sequence[str], reports: Sequence[Report]) -> str:
    """RESULTS.md: where and when, then a table and the method of each report."""
    parts = ["# Benchmark results\n\nWritten by `make bench`; no number here is set by hand.\n"]
    parts.append("\n".join(f"- {fact}" for fact in facts) + "\n")
    for report in reports:
        rows = ["| measure | median | min – max | goal | |", "|---|---:|---:|---|---|"]
        rows += [f"| {' | '.join(_cells(line))} |" for line in report.lines]
        parts.append(f"## {report.title}\n\n" + "\n".join(rows) + f"\n\n{report.method}\n")
    return "\n".join(parts)


def _table(report: Report) -> Table:
    table = Table(title=report.title, title_justify="left", box=None, header_style="bold")
    table.add_column("measure", no_wrap=True)
    for column in ("median", "min – max"):
        table.add_column(column, justify="right")
    for column in ("goal", ""):
        table.add_column(column)
    for line in report.lines:
        table.add_row(*_cells(line), style="red" if line.met is False else None)
    return table


def _cells(line: Line) -> list[str]:
    few, many = shown(min(line.runs)), shown(max(line.runs))
    met = {True: "met", False: "missed", None: ""}[line.met]
    span = f"{few} – {many}" if len(line.runs) > 1 else ""
    goal = str(line.goal) if line.goal else ""
    return [line.what, f"{shown(line.median)} {line.unit}", span, goal, met]


def _note(what: str) -> None:
    err.print(f"{datetime.now():%H:%M:%S} {what}", soft_wrap=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all it started ends with it
    sys.exit(main(sys.argv[1:]))
