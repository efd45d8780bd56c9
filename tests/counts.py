"""Counts of what tests tried, printed at the end of a run: "5,412 requests of the matrix of routes and people".

def test_nobody_crosses_over(count: Count, …) -> None:
    count("requests of the matrix", 5_412)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

Count = Callable[[str, int], None]
_PROPERTY = "count"


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Count:
    """Says how many of something a test tried; numbers of the same thing are added up over all tests that passed."""

    def say(what: str, number: int) -> None:
        record_property(_PROPERTY, (what, number))

    return say


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the sums. They come with the reports, from xdist's workers too."""
    sums: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        if report.when == "call":
            for name, value in report.user_properties:
                if name == _PROPERTY:
                    what, number = value
                    sums[what] += number
    if sums:
        terminalreporter.section("tried, with none that broke a promise")
        for what, number in sorted(sums.items()):
            terminalreporter.line(f"{number:>7,} {what}")
