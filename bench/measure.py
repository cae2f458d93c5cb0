"""What a measurement is, how runs take turns, and which machine they ran on."""

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

RUNS = 5


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound that a number should keep; exactly one of the two is given."""

    at_least: float | None = None
    at_most: float | None = None

    def met(self, value: float) -> bool:
        """Whether a median keeps it."""
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is not None and value <= self.at_most

    def __str__(self) -> str:
        if self.at_least is not None:
            return f"at least {shown(self.at_least)}"
        return f"at most {shown(self.at_most or 0)}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: a number a run, or its ratio to the same run of something else.

    `unit` of a ratio says of what: `× the baseline`.
    """

    what: str
    runs: tuple[float, ...]
    unit: str
    goal: Goal | None = None

    @property
    def median(self) -> float:
        """The middle run."""
        return statistics.median(self.runs)

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        return None if self.goal is None else self.goal.met(self.median)


@dataclass(frozen=True, slots=True)
class Report:
    """One benchmark's results: its lines, and how they came about."""

    title: str
    method: str
    lines: Sequence[Line]


def interleaved(
    measures: Mapping[str, Callable[[int], float]], runs: int, note: Callable[[str], None]
) -> dict[str, tuple[float, ...]]:
    """Each measure once a round, for so many rounds, so that what slows the machine slows all.

    A measure is given the number of its round. `note` hears of each result as it comes.
    """
    found: dict[str, list[float]] = {name: [] for name in measures}
    for run in range(runs):
        for name, measure in measures.items():
            value = measure(run)
            found[name].append(value)
            note(f"{name}: {shown(value)} (run {run + 1} of {runs})")
    return {name: tuple(values) for name, values in found.items()}


def ratios(these: Sequence[float], those: Sequence[float]) -> tuple[float, ...]:
    """Round by round, how many times those these are."""
    return tuple(this / that for this, that in zip(these, those, strict=True))


def shown(value: float) -> str:
    """A number with three digits that mean something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def machine() -> list[str]:
    """What the numbers depend on, in words."""
    memory = psutil.virtual_memory().total / 2**30
    return [
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB of memory, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        f"a 4 KiB write reaches the disk in {shown(_disk_milliseconds())} ms (median fsync); "
        f"load average before the start {os.getloadavg()[0]:.1f}",
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _disk_milliseconds() -> float:
    times = []
    with tempfile.TemporaryFile() as file:
        for _ in range(101):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)
