"""Contradictions set aside: with a reason, and for as long as the answers behind them stay."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests import builders, review_side
from tests.review_side import LI, NOW, REASON
from vendorrisk.db.models import Assessment
from vendorrisk.domain.answers import Table
from vendorrisk.domain.audit import EventKind
from vendorrisk.domain.errors import InvalidAnswer, WrongState
from vendorrisk.services.casework import dossiers
from vendorrisk.services.reviewing import reviews, score_sheets


@pytest.fixture
def evasive(session: Session) -> Assessment:
    """A vendor that says that nothing happened, and lists an event."""
    case, request = review_side.under_review(session, "breach-history")
    codes = {"BH-01": "yes", "BH-02": "no", "BH-03": "listed"}
    for code, said in codes.items():
        builders.add_answer(session, request, review_side.themes("breach-history")[0].by_code[code].id, said)
    return case


def test_contradicted_answers_are_said_to_be_so(session: Session, evasive: Assessment) -> None:
    shown = review_side.sheet(session, evasive)
    assert [line.question.code for line in shown.lines if line.is_contradicted] == ["BH-02", "BH-03"]
    assert {line.question.code for line in shown.chosen("contradicted")} == {"BH-02", "BH-03"}


def dismiss(session: Session, case: Assessment, reason: str = REASON, **more: Any) -> None:
    """Set the first contradiction aside."""
    hit = review_side.score_of(session, case).working.hits[0]
    reviews.dismiss(session, case.reference, hit.key, reason, by=LI, now=NOW, **more)


def test_a_contradiction_is_set_aside_with_a_reason_only(session: Session, evasive: Assessment) -> None:
    with pytest.raises(InvalidAnswer, match="15 characters"):
        dismiss(session, evasive, "no")
    dismiss(session, evasive)
    working = review_side.score_of(session, evasive).working
    assert working.hits == () and [hit.key for hit in working.dismissed] == ["C-02/BH-03"]
    shown = score_sheets.open_score(session, dossiers.find(session, evasive.reference), now=NOW)
    assert [aside.reason for aside in shown.asides] == [REASON]
    assert review_side.bodies(session, evasive, EventKind.CONTRADICTION_DISMISSED)[0]["reason"] == REASON


def test_a_dismissal_holds_while_the_answers_behind_it_stay(session: Session, evasive: Assessment) -> None:
    dismiss(session, evasive)
    theme = review_side.themes("breach-history")[0]
    builders.add_answer(session, review_side.request_of(session, evasive), theme.by_code["BH-05"].id, "listed")
    builders.add_answer(
        session, review_side.request_of(session, evasive), theme.by_code["BH-03"].id, "listed", comment="again"
    )
    assert [hit.key for hit in review_side.score_of(session, evasive).working.dismissed] == ["C-02/BH-03"]


def test_a_dismissal_falls_with_its_inputs(session: Session) -> None:
    case, request = review_side.under_review(session, "breach-history")
    theme = review_side.themes("breach-history")[0]
    for code, said in {"BH-01": "yes", "BH-02": "yes"}.items():
        builders.add_answer(session, request, theme.by_code[code].id, said)
    register = theme.by_code["BH-13"]
    row = {"title": "one", "compromised_on": "2026-05-01", "discovered_on": "2026-04-01"}
    builders.add_answer(session, request, register.id, Table((row,)))
    hit = next(h for h in review_side.score_of(session, case).working.hits if register.id in h.affects)
    reviews.dismiss(session, case.reference, hit.key, REASON, by=LI, now=NOW)
    assert hit.key not in [h.key for h in review_side.score_of(session, case).working.hits]
    builders.add_answer(session, request, register.id, Table(({**row, "title": "another"},)))
    assert hit.key in [h.key for h in review_side.score_of(session, case).working.hits]


def test_what_does_not_stand_cannot_be_set_aside(session: Session, evasive: Assessment) -> None:
    with pytest.raises(WrongState, match="no longer stands"):
        reviews.dismiss(session, evasive.reference, "C-99", REASON, by=LI, now=NOW)
    with pytest.raises(WrongState, match="no longer stands"):
        dismiss(session, evasive, seen="another hash")
