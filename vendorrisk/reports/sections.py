"""The sections of the report, in order: each has a template and a function that chooses its part of the report.

To add one, add a line here and templates/report/sections/<name>.html; tests/reports/test_completeness.py names what is
missing. Called by `html`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vendorrisk.reports.view import Report


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its heading, its template, and the function whose result the template sees as `part`."""

    title: str
    template: str
    part: Callable[[Report], Any]


SECTIONS: dict[str, Section] = {
    "summary": Section("Summary", "sections/summary.html", lambda report: report.result),
    "scope": Section("Scope", "sections/scope.html", lambda report: report.themes),
    "themes": Section("Results by theme", "sections/themes.html", lambda report: report.themes),
    "flags": Section("Flags", "sections/flags.html", lambda report: report.flags),
    "contradictions": Section("Contradictions", "sections/contradictions.html", lambda report: report.contradictions),
    "firmness": Section("How firm the result is", "sections/firmness.html", lambda report: report.changes),
    "method": Section("Method", "sections/method.html", lambda report: report.method),
    "answers": Section("All answers and their working", "sections/answers.html", lambda report: report.answers),
    "evidence": Section("Evidence register", "sections/evidence.html", lambda report: report.evidence),
    "trail": Section("Trail", "sections/trail.html", lambda report: report.trail),
}
