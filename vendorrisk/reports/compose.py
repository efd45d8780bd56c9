"""Composes the report from the domain's values; called by services/reporting, tests and benchmarks."""

from __future__ import annotations

from dataclasses import asdict

from vendorrisk.reports import chapters, figures, findings, method, results, view
from vendorrisk.reports.facts import Facts


def report(facts: Facts) -> view.Report:
    """The whole report as plain values."""
    return view.Report(
        **asdict(facts.heading),
        language=facts.questionnaires[0].language,
        as_of=figures.day(facts.score.as_of),
        result=results.result(facts),
        decision=facts.decision,
        risks=findings.top_risks(facts),
        not_looked_at=results.not_looked_at(facts),
        themes=results.themes(facts),
        flags=findings.flags(facts),
        contradictions=findings.contradictions(facts),
        answers=chapters.chapters(facts),
        evidence=facts.files,
        changes=results.changes(facts),
        method=method.method(facts),
        trail=facts.trail,
        head=facts.head,
    )
