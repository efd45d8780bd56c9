"""Measuring two things side by side: interleaved runs, medians, one ratio; every benchmark returns such lines."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One figure. `value` and `floor` are seconds for one run; `budget` is the most that the ratio may be."""

    name: str
    against: str
    value: float
    floor: float
    budget: float

    @property
    def ratio(self) -> float:
        """How many times the floor our work takes."""
        return self.value / self.floor

    @property
    def is_over(self) -> bool:
        """Whether the budget is not kept."""
        return self.ratio > self.budget

    def __str__(self) -> str:
        word = "OVER" if self.is_over else "ok  "
        times = f"{self.value * 1000:9.3f} ms against {self.floor * 1000:9.3f} ms"
        return f"{word} {self.ratio:7.2f}x (budget {self.budget:g}x)  {self.name}: {times} ({self.against})"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure that is held against a fixed number: kilobytes, queries, seconds."""

    name: str
    value: float
    unit: str
    budget: float

    @property
    def is_over(self) -> bool:
        """Whether the budget is not kept."""
        return self.value > self.budget

    def __str__(self) -> str:
        word = "OVER" if self.is_over else "ok  "
        return f"{word} {self.value:8.1f} {self.unit} (budget {self.budget:g} {self.unit})  {self.name}"


def side_by_side(
    name: str,
    ours: Callable[[], object],
    against: str,
    floor: Callable[[], object],
    *,
    budget: float,
    rounds: int = 30,
    runs: int = 1,
    floor_runs: int = 1,
) -> Line:
    """Run both in turn, after a warm-up, and compare medians.

    `runs` and `floor_runs` repeat within one round what is too short to be timed alone.
    """
    ours(), floor()
    value, base = [], []
    gc.collect()
    gc.freeze()  # as the service does with what it has made at its start
    for _ in range(rounds):
        value.append(_seconds(ours, runs))
        base.append(_seconds(floor, floor_runs))
    return Line(name, against, statistics.median(value), statistics.median(base), budget)


def at_most(name: str, ours: Callable[[], object], *, seconds: float, rounds: int = 100) -> Line:
    """The time within which 95 of 100 runs are done, against a limit in seconds."""
    ours()
    times = sorted(_seconds(ours, 1) for _ in range(rounds))
    return Line(name, f"at most {seconds * 1000:g} ms", times[rounds * 95 // 100 - 1], seconds, 1)


def _seconds(work: Callable[[], object], runs: int) -> float:
    started = time.perf_counter()
    for _ in range(runs):
        work()
    return (time.perf_counter() - started) / runs
