"""Two vendors whose results are known: Clearview AI in February 2020, and a clean one; answered as in the product.

The answers are those of the demonstration: rows, figures and dates instead of option codes, contradiction rules on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.domain.make import TODAY, asked, intake, themes
from vendorrisk.cli.demo import cases as told_cases
from vendorrisk.domain import sensitivity, submission
from vendorrisk.domain.answers import Answer
from vendorrisk.domain.bands import RiskBand
from vendorrisk.domain.flags import FlagKind
from vendorrisk.domain.inherent import inherent
from vendorrisk.domain.questionnaire import FlagLevel
from vendorrisk.domain.scoring import Case, Score, score
from vendorrisk.library import shipped

FEBRUARY_2020 = date(2020, 3, 1)

CRITICAL = {("DS-06", "cont"), ("DS-12", "nocons"), ("DS-14", "yes"), ("CL-19", "yes")}
HIGH = {
    ("DS-01", "web"), ("DS-01", "social"), ("DS-05", "some"), ("DS-07", "no"), ("DS-11", "pub"), ("DS-15", "pubavail"),
    ("DS-16", "none"), ("DS-17", "d"), ("DS-26", "cur"), ("BH-17", "patched"), ("BH-18", "assert"), ("BH-19", "short"),
    ("CL-21", "self"), ("CL-26", "all"), ("CL-28", "claim"),
}  # fmt: skip
MEDIUM = {
    ("DS-04", "yes"), ("DS-25", "open"), ("BH-04", "unk"), ("BH-15", "unk"), ("BH-16", "unk"), ("BH-24", "unk"),
    ("BH-34", "open"), ("CL-04", "fixed"), ("CL-20", "c"), ("CL-24", "yes"), ("CL-25", "acct"), ("CL-25", "use"),
    ("CL-27", "gen"),
}  # fmt: skip


def case_of(name: str, on: date, *, rows: bool = True) -> Case:
    answers = {
        one.question.id: Answer(one.value or one.files or None, evidence=one.evidence, answered_on=on, grade=one.grade)
        for one in told_cases.told(name, themes(), today=on)
        if rows or one.question.code != "BH-13"
    }
    return Case(themes(), answers, inherent(intake(), told_cases.intake(name, intake())).value, on)


def judged(case: Case) -> Score:
    ruled, hits = submission.with_rules(case, shipped.load().rules)
    assert hits == ()
    return score(ruled)


def tenths(result: Score) -> list[str]:
    """What is printed: data sourcing, breach history, customer list, control effectiveness, residual."""
    themes_in_order = ("data-sourcing", "breach-history", "customer-list-protection")
    scores = {t.questionnaire_id: t.score for t in result.themes}
    pairs = [*(scores[name] for name in themes_in_order), result.effectiveness, result.residual]
    return [f"{pair.assured:.1f}" for pair in pairs if pair is not None]


def flags_of(result: Score, level: FlagLevel) -> set[tuple[str, str | None]]:
    return {(f.question, f.option) for f in result.flags if f.kind is FlagKind.ANSWER and f.level is level}


def test_clearview_sets_off_exactly_the_flags_that_it_must() -> None:
    result = judged(case_of("clearview", FEBRUARY_2020))
    # The register has its row, with a gap, and so a medium flag of its own.
    assert flags_of(result, FlagLevel.CRITICAL) == CRITICAL
    assert flags_of(result, FlagLevel.HIGH) == HIGH
    assert flags_of(result, FlagLevel.MEDIUM) - {("BH-13", "part")} == MEDIUM
    assert (len(CRITICAL), len(HIGH), len(MEDIUM)) == (4, 15, 13)


def test_clearview_is_critical_and_provisional() -> None:
    result = judged(case_of("clearview", FEBRUARY_2020))
    assert (result.tier, result.number_band, result.floor, result.band) == (
        1, RiskBand.CRITICAL, RiskBand.CRITICAL, RiskBand.CRITICAL,
    )  # fmt: skip
    assert result.provisional and result.visible == 103
    assert sensitivity.changes(result) == ()  # no single weight decides it


def test_clearview_without_its_row_has_the_published_figures() -> None:
    case = replace(case_of("clearview", FEBRUARY_2020, rows=False), inherent=Decimal("84.7"))
    result = judged(case)
    assert tenths(result) == ["3.3", "15.6", "2.6", "2.6", "82.7"]
    assert (result.answered, result.visible) == (38, 103)


def test_the_clean_vendor_is_low_without_any_flag() -> None:
    result = judged(case_of("larkfield", TODAY))
    assert tenths(result) == ["84.6", "83.7", "85.1", "83.7", "7.9"]
    assert (result.band, result.floor, result.flags) == (RiskBand.LOW, RiskBand.LOW, ())
    assert not result.provisional and result.answered == result.visible


def test_a_disclosed_event_does_not_sink_the_clean_vendor_even_where_much_is_at_stake() -> None:
    result = judged(replace(case_of("larkfield", TODAY), inherent=Decimal("84.7")))
    assert tenths(result)[-1] == "20.9"
    assert result.band is RiskBand.MODERATE


@pytest.mark.parametrize("missing", ["BH-13", "CL-37", "DS-32"])
def test_what_the_clean_vendor_leaves_out_makes_it_provisional(missing: str) -> None:
    case = case_of("larkfield", TODAY)
    without = {name: answer for name, answer in case.answers.items() if name != asked(missing).id}
    assert judged(replace(case, answers=without)).provisional
