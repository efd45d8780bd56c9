"""The score sheet, on the founding case: its flags, its gains, and the sums of its working."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy.orm import Session

from tests import review_side
from tests.review_side import NOW
from vendorrisk.domain.questionnaire import FlagLevel
from vendorrisk.services.casework import dossiers
from vendorrisk.services.reviewing import score_sheets


def test_the_founding_case_comes_out_critical_with_its_flags(session: Session) -> None:
    case = review_side.clearview(session)
    shown = score_sheets.open_score(session, dossiers.find(session, case.reference), now=NOW)
    assert shown.score.band.value == "Critical" and shown.score.provisional
    said = {flag.question for flag in shown.flags(FlagLevel.CRITICAL)[0]}
    assert said == {"DS-06", "DS-12", "DS-14", "CL-19"}
    high = [flag for flag in shown.flags(FlagLevel.HIGH)[0] if flag.kind.value == "answer"]
    assert len(high) == 15
    assert shown.mean is not None and shown.evidence_gap is not None and len(shown.gains) == 5
    assert shown.gains[0].questionnaire_id == next(t for t in shown.themes if t.is_weakest).questionnaire.id


def test_the_sums_of_the_working_give_the_theme_score(session: Session) -> None:
    case = review_side.clearview(session)
    shown = score_sheets.open_score(session, dossiers.find(session, case.reference), now=NOW)
    for each in shown.themes:
        assert each.theme.score is not None
        assert abs(100 * each.weighted / each.weight - each.theme.score.assured) < Decimal("1e-9")
