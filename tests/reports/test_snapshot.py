"""The snapshot: every value of the report, hashed, and back again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.reports import sample
from vendorrisk.domain.answers import EvidenceLevel
from vendorrisk.domain.assessment import Origin
from vendorrisk.reports import compose, snapshots, view
from vendorrisk.reports.facts import SetAside, Told


def test_a_snapshot_comes_back_from_json_as_it_was() -> None:
    report = sample.report(decision=sample.DECISION)
    assert snapshots.from_plain(json.loads(json.dumps(snapshots.to_plain(report)))) == report


def test_a_snapshot_with_lone_surrogates_comes_back_too() -> None:
    report = replace(sample.report(), vendor="broken \ud83d name")
    assert snapshots.from_plain(snapshots.to_plain(report)) == report


def test_a_snapshot_of_an_earlier_version_which_knew_more_of_files_still_opens() -> None:
    report = sample.report()
    plain = snapshots.to_plain(report)
    for file in plain["evidence"]:
        file.update(valid_until="", expired=False)
    assert snapshots.from_plain(plain) == report


@pytest.mark.parametrize("broken", [{}, [], "text", None, {"reference": 1}])
def test_anything_else_is_refused(broken: object) -> None:
    with pytest.raises(ValueError, match=r"not the values|expected"):
        snapshots.from_plain(broken)


def test_a_wrong_type_deep_inside_is_refused() -> None:
    plain = snapshots.to_plain(sample.report())
    plain["result"]["counts"]["answered"] = "38"
    with pytest.raises(ValueError, match="expected int"):
        snapshots.from_plain(plain)


def test_the_hash_covers_the_facts_and_not_who_asked_when() -> None:
    report = sample.report()
    same = replace(report, reference="P-2026-AAAAAA", asked_at="2027-01-01T00:00:00Z", asked_by="Somebody Else")
    assert snapshots.digest(same) == snapshots.digest(report)


def test_the_head_is_frozen_in_the_snapshot_and_makes_no_other_report() -> None:
    report = sample.report()
    later = replace(report, head=view.Head(9999, "0" * 64, "2026-12-01T00:00:00Z"))
    assert snapshots.from_plain(snapshots.to_plain(report)).head == sample.HEAD
    assert snapshots.digest(later) == snapshots.digest(report)


def test_a_snapshot_from_before_there_were_heads_is_read_and_keeps_its_hash() -> None:
    plain = snapshots.to_plain(sample.report())
    hashed = snapshots.digest(snapshots.from_plain(plain))
    del plain["head"]
    old = snapshots.from_plain(plain)
    assert (old.head, snapshots.digest(old)) == (None, hashed)


@pytest.mark.parametrize("field", ["vendor", "service", "organisation", "as_of", "submitted_at"])
def test_the_hash_changes_with_any_fact(field: str) -> None:
    report = sample.report()
    changed = snapshots.from_plain({**snapshots.to_plain(report), field: "something else"})
    assert snapshots.digest(changed) != snapshots.digest(report)


def test_the_result_of_the_founding_case() -> None:
    result = sample.report().result
    assert (result.band, result.tier, result.inherent) == ("Critical", 1, "84.7")
    assert result.residual == view.Pair(assured="82.7", declared="81.4")
    assert result.counts.answered == 39
    assert result.counts.critical == 9
    assert "5 of them from silence" in result.because
    assert result.provisional == "64 questions are not answered"


def test_top_risks_are_what_somebody_said_before_what_nobody_said() -> None:
    risks = sample.report().risks
    assert [risk.code for risk in risks] == ["DS-12", "DS-06", "DS-14"]
    assert {risk.level for risk in risks} == {"critical"}
    assert risks[0].said == "Yes, without it"


def test_the_clean_vendor_has_no_flags_and_no_reason_to_be_provisional() -> None:
    report = sample.report(sample.LARKFIELD)
    assert (report.result.band, report.result.residual) == ("Low", view.Pair(assured="7.9", declared="5.0"))
    assert (report.flags, report.risks, report.result.provisional) == ((), (), "")


def test_what_was_not_looked_at_is_said() -> None:
    gaps = sample.report().not_looked_at
    assert "64 of 103 questions not answered: counted as the worst answer." in gaps
    assert any("claimed only" in gap for gap in gaps)
    assert any("from public facts" in gap for gap in gaps)


def test_everything_left_out_is_not_assessed_or_says_so() -> None:
    result = sample.report(sample.ALL_NA).result
    assert result.counts.not_applicable == 72
    assert result.counts.unanswered == 0


def test_the_working_of_a_gate_can_be_worked_out_by_hand() -> None:
    chapters = sample.report(sample.LARKFIELD).answers
    found = {answer.code: answer for chapter in chapters for section in chapter.sections for answer in section.answers}
    assert found["BH-02"].working.startswith("weight 20 · range 0.1 to 0.9, place ")
    assert "evidenced × 0.85" in found["BH-02"].working
    assert found["BH-02"].working.endswith(" of 20 points")
    assert found["BH-14"].working.startswith("weight 4 within BH-02 · risk ")


def test_a_hidden_question_is_named_as_not_asked_and_nothing_more() -> None:
    chapter = sample.report(sample.LARKFIELD).answers[0]
    asked = {answer.code for section in chapter.sections for answer in section.answers}
    assert chapter.not_asked
    assert not asked & set(chapter.not_asked)


def test_a_question_unanswered_shows_no_author_and_no_evidence_level() -> None:
    chapter = sample.report().answers[0]
    answer = next(a for s in chapter.sections for a in s.answers if a.code == "DS-02")
    assert (answer.state, answer.origin, answer.evidence) == ("unanswered", "", "")
    assert answer.working == "weight 4 · counts as the worst answer, risk 1 → credit 0 = 0 of 4 points"


def test_public_facts_are_told_apart_and_keep_their_source() -> None:
    chapter = sample.report().answers[0]
    answer = next(a for s in chapter.sections for a in s.answers if a.code == "DS-01")
    assert (answer.origin, answer.source) == ("Public facts, entered by staff", sample.SOURCE)
    assert answer.flags == ("high", "high")


def test_tables_are_told_row_by_row_in_words() -> None:
    chapter = sample.report().answers[1]
    answer = next(a for s in chapter.sections for a in s.answers if a.code == "BH-13")
    cells = {cell.label: cell.text for cell in answer.rows[0]}
    assert cells["Title"] == "Client list obtained by a third party 1"
    assert "That someone is a customer" in " ".join(cells.values())


def test_a_contradiction_that_was_set_aside_stays_in_the_report_with_the_reason() -> None:
    found = sample.facts(sample.contradictory()).hits
    assert found[0].key == "C-12"
    aside = SetAside(found[0], "Known to us from the press", "Petra Lang")
    report = compose.report(sample.facts(sample.contradictory(), hits=found[1:], set_aside=(aside,)))
    last = report.contradictions[-1]
    assert (last.set_aside, last.set_aside_by) == ("Known to us from the press", "Petra Lang")
    assert report.result.counts.overridden == 1


def test_a_contradiction_that_stands_is_told_with_its_effect() -> None:
    report = compose.report(sample.facts(sample.contradictory()))
    found = next(hit for hit in report.contradictions if hit.key == "C-12")
    assert set(found.codes) == {"DS-01", "DS-04"}
    assert found.effect.startswith("The answers named count as the worst")
    flag = next(flag for flag in report.flags if flag.code == "DS-04")
    assert (flag.said, flag.assumed) == ("Contradicted by other answers", False)
    assert flag.because.startswith("Rule C-12 found a contradiction")
    assert "2 answers are contradicted" in report.result.provisional


def test_evidence_levels_are_words() -> None:
    given = sample.case(sample.LARKFIELD)
    answers = {name: replace(a, evidence=EvidenceLevel.VERIFIED) for name, a in given.answers.items()}
    report = compose.report(sample.facts(replace(given, answers=answers, inherent=Decimal(30))))
    levels = {a.evidence for c in report.answers for s in c.sections for a in s.answers}
    assert levels == {"verified"}


def test_an_answer_on_the_vendors_behalf_is_counted_as_such() -> None:
    told = {"data_origins": Told("Petra Lang", Origin.STAFF, date(2026, 6, 30))}
    assert "1 answer given by staff on the vendor's behalf." in sample.report(told=told).not_looked_at
