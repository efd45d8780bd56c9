"""Answers on the vendor's behalf: whence they come, that they overwrite nobody unseen, and the review begun on them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests import builders, review_side
from tests.review_side import GATE, LI, NOW
from vendorrisk.db.models import Assessment
from vendorrisk.domain.assessment import AssessmentStatus, Origin, RequestStatus
from vendorrisk.domain.audit import EventKind
from vendorrisk.domain.errors import InvalidAnswer, WrongState
from vendorrisk.services.answering import saves
from vendorrisk.services.answering.answers import NewAnswer
from vendorrisk.services.reviewing import on_behalf
from vendorrisk.services.reviewing.answer_sheets import Standing


@pytest.fixture
def case(session: Session) -> Assessment:
    """A case of the tiny questionnaire whose gate is answered: remote access on managed devices."""
    return review_side.answered(session)


def answer(session: Session, case: Assessment, said: NewAnswer, **more: Any) -> int:
    """Answer the gate from public facts, over what stands there (nothing)."""
    given = {"origin": Origin.PUBLIC, "expected_version": 0, "answered_on": date(2026, 3, 1), "by": LI, "now": NOW}
    return on_behalf.answer(session, case.reference, GATE, said, **{**given, **more})


PUBLIC = NewAnswer("no", source="https://example.org/finding")


@pytest.fixture
def still_open(session: Session) -> Assessment:
    """A case that the vendor may still answer."""
    request = builders.add_request(session, status=RequestStatus.OPEN)
    return session.get_one(Assessment, request.assessment_id)


def test_an_answer_from_public_facts_says_whence_it_comes(session: Session, still_open: Assessment) -> None:
    assert answer(session, still_open, PUBLIC) == 1
    stored = review_side.sheet(session, still_open).line("EX-13").stored
    assert stored is not None
    assert (stored.origin, stored.said.source, stored.by) == (Origin.PUBLIC, PUBLIC.source, "Li Wei")
    assert stored.answered_on == date(2026, 3, 1)
    assert review_side.request_of(session, still_open).answered == 1


@pytest.mark.parametrize(
    ("origin", "source", "says"),
    [
        (Origin.PUBLIC, "", "link"),
        (Origin.PUBLIC, "read it somewhere", "web address"),
        (Origin.PUBLIC, "javascript:alert(1)", "web address"),
        (Origin.STAFF, "  ", "how you know"),
        (Origin.VENDOR, "https://example.org", "Only the vendor"),
    ],
)
def test_a_source_is_needed(session: Session, still_open: Assessment, origin: Origin, source: str, says: str) -> None:
    with pytest.raises(InvalidAnswer, match=says):
        answer(session, still_open, NewAnswer("no", source=source), origin=origin)


@pytest.mark.parametrize("day", [date(2026, 7, 1), date(1999, 12, 31)])
def test_an_answer_has_a_day_that_can_be(session: Session, still_open: Assessment, day: date) -> None:
    with pytest.raises(InvalidAnswer, match="day of the answer"):
        answer(session, still_open, PUBLIC, answered_on=day)


def test_nobody_is_overwritten_silently(session: Session, case: Assessment) -> None:
    with pytest.raises(saves.Conflict) as caught:
        answer(session, case, PUBLIC, expected_version=0)
    assert caught.value.stored and caught.value.stored.value == "managed"
    assert answer(session, case, PUBLIC, expected_version=1) == 2


def test_an_answer_during_the_review_makes_a_new_score(session: Session, case: Assessment) -> None:
    review_side.review(session, case)
    before = case.residual
    answer(session, case, NewAnswer("own", source="https://example.org/finding"), expected_version=1)
    assert case.residual is not None and before is not None and case.residual > before
    assert review_side.sheet(session, case).line("EX-13").standing is Standing.CHANGED


def test_nothing_is_answered_before_sending_or_after_the_decision(session: Session, case: Assessment) -> None:
    unsent = builders.add_assessment(session, status=AssessmentStatus.READY)
    with pytest.raises(WrongState):
        answer(session, unsent, PUBLIC)
    review_side.decide(session, case, builders.add_user(session))
    with pytest.raises(WrongState):
        answer(session, case, PUBLIC, expected_version=1)


def test_staff_start_the_review_where_the_vendor_never_will(session: Session, still_open: Assessment) -> None:
    answer(session, still_open, PUBLIC)
    with pytest.raises(InvalidAnswer):
        on_behalf.start_review(session, still_open.reference, "so", by=LI, now=NOW)
    on_behalf.start_review(session, still_open.reference, "All of it comes from public facts.", by=LI, now=NOW)
    request = review_side.request_of(session, still_open)
    assert (still_open.status, request.status) == (AssessmentStatus.REVIEW, RequestStatus.SUBMITTED)
    assert request.submitted_at == NOW and still_open.band is not None
    assert review_side.bodies(session, still_open, EventKind.REQUEST_SUBMITTED)[0]["on_behalf"] is True
    with pytest.raises(WrongState):
        on_behalf.start_review(session, still_open.reference, "All of it comes from public facts.", by=LI, now=NOW)
