"""Reviewing answers: what counts, what does not, and who may not overwrite whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders, review_side
from tests.review_side import GATE, NOW, REASON, review
from vendorrisk.db.models import Assessment, Review
from vendorrisk.domain.answers import EvidenceLevel, Table
from vendorrisk.domain.assessment import RequestStatus
from vendorrisk.domain.audit import EventKind
from vendorrisk.domain.errors import InvalidAnswer, NotFound, WrongState
from vendorrisk.domain.marks import Mark
from vendorrisk.services.reviewing import reviews
from vendorrisk.services.reviewing.answer_sheets import Standing
from vendorrisk.services.reviewing.reviews import Change, Overtaken


@pytest.fixture
def case(session: Session) -> Assessment:
    """A case of the tiny questionnaire whose gate is answered: remote access on managed devices."""
    return review_side.answered(session)


def mark(session: Session, case: Assessment, question: str = GATE) -> Mark:
    """What a question counts as the answers stand."""
    score = review_side.score_of(session, case).score
    return next(mark for theme in score.themes for mark in theme.marks if mark.question_id == question)


def test_a_review_is_kept_with_its_reviewer_and_makes_a_new_score(session: Session) -> None:
    li = builders.add_user(session, "li@acme.example", name="Li Wei")
    case, request = review_side.under_review(session)
    builders.add_answer(session, request, GATE, "managed")
    review(session, case, change=Change(EvidenceLevel.EVIDENCED, note="Read the report."), by=builders.actor(li))
    line = review_side.sheet(session, case).line("EX-13")
    assert line.standing is Standing.REVIEWED and line.reviewed_by == "Li Wei"
    assert line.stored and line.stored.review and line.stored.review.note == "Read the report."
    assert line.stored.review.evidence is EvidenceLevel.EVIDENCED
    assert case.band is not None, "the figures of lists follow"


def test_better_evidence_counts_more(session: Session) -> None:
    case, request = review_side.under_review(session, "data-sourcing")
    builders.add_answer(session, request, "data_origins", ("cust",))
    credits = []
    for level in EvidenceLevel:
        review(session, case, "data_origins", Change(level))
        credits.append(str(mark(session, case, "data_origins").credit.normalize()))
    assert credits == ["0.7", "0.85", "1"]


def test_a_review_of_an_older_version_counts_for_nothing(session: Session) -> None:
    case, request = review_side.under_review(session, "data-sourcing")
    builders.add_answer(session, request, "data_origins", ("cust",))
    review(session, case, "data_origins", Change(EvidenceLevel.VERIFIED))
    builders.add_answer(session, request, "data_origins", ("cust", "first"))
    assert mark(session, case, "data_origins").evidence is EvidenceLevel.CLAIMED
    line = review_side.sheet(session, case).line("DS-01")
    assert line.standing is Standing.CHANGED and line.is_left


def test_a_review_of_an_answer_that_changed_meanwhile_is_refused(session: Session, case: Assessment) -> None:
    builders.add_answer(session, review_side.request_of(session, case), GATE, "own")
    with pytest.raises(Overtaken, match="changed while you were looking"):
        review(session, case, answer_version=1)
    assert session.scalars(select(Review)).all() == []


def test_a_second_reviewer_does_not_overwrite_the_first_unseen(session: Session, case: Assessment) -> None:
    review(session, case, change=Change(note="first"), seen="")
    with pytest.raises(Overtaken, match="Somebody else has reviewed"):
        review(session, case, change=Change(note="second"), seen="", now=NOW + timedelta(minutes=1))
    review(session, case, change=Change(note="second"), seen=reviews.stamp(NOW), now=NOW + timedelta(minutes=2))
    stored = review_side.sheet(session, case).line("EX-13").stored
    assert stored and stored.review and stored.review.note == "second"


def test_approving_not_applicable_takes_the_question_out_of_the_sum(session: Session) -> None:
    case, request = review_side.under_review(session, "customer-list-protection")
    question = next(q for q in review_side.themes("customer-list-protection")[0] if q.na_allowed and q.weight)
    builders.add_answer(session, request, question.id, not_applicable="We have no such thing at all.")
    before = review_side.score_of(session, case).score
    review(session, case, question.id, Change(na_approved=True))
    after = review_side.score_of(session, case).score
    assert mark(session, case, question.id).left_out
    assert len(after.themes[0].counted) == len(before.themes[0].counted) - 1
    assert review_side.sheet(session, case).line(question.code).standing is Standing.NA_APPROVED


def test_refusing_not_applicable_leaves_it_the_worst_answer(session: Session) -> None:
    case, request = review_side.under_review(session, "customer-list-protection")
    question = next(q for q in review_side.themes("customer-list-protection")[0] if q.na_allowed and q.weight)
    builders.add_answer(session, request, question.id, not_applicable="We have no such thing at all.")
    assert review_side.sheet(session, case).line(question.code).standing is Standing.NA_TO_DECIDE
    review(session, case, question.id, Change(na_approved=False))
    assert mark(session, case, question.id).credit == 0
    line = review_side.sheet(session, case).line(question.code)
    assert line.standing is Standing.NA_REFUSED and not line.is_left


def test_not_applicable_has_to_be_decided_one_way(session: Session, case: Assessment) -> None:
    builders.add_answer(
        session, review_side.request_of(session, case), GATE, not_applicable="There are no offices at all."
    )
    with pytest.raises(InvalidAnswer, match="approved or refused"):
        review(session, case, answer_version=2)


def test_a_changed_grade_needs_its_reason(session: Session) -> None:
    case, request = review_side.under_review(session, "data-sourcing")
    table = review_side.themes("data-sourcing")[0].by_code["DS-02"]
    assert table.grading is not None
    rows = {column.id: "x" for column in table.columns if column.type.value == "text"}
    builders.add_answer(session, request, table.id, Table((rows,)))
    assert mark(session, case, table.id).chosen == (table.grading.part,)
    with pytest.raises(InvalidAnswer, match="say why"):
        review(session, case, table.id, Change(grade=table.grading.full, note="because"))
    review(session, case, table.id, Change(grade=table.grading.full, note="The rest stands in the annex, row by row."))
    assert mark(session, case, table.id).chosen == (table.grading.full,)
    with pytest.raises(InvalidAnswer, match="no such grade"):
        review(session, case, table.id, Change(grade="nonsense", note=REASON))


def test_a_choice_has_no_grade(session: Session, case: Assessment) -> None:
    with pytest.raises(InvalidAnswer, match="no such grade"):
        review(session, case, change=Change(grade="own", note=REASON))


@pytest.mark.parametrize("status", [RequestStatus.SENT, RequestStatus.OPEN])
def test_nothing_is_reviewed_before_the_answers_are_in(session: Session, status: RequestStatus) -> None:
    request = builders.add_request(session, status=status)
    builders.add_answer(session, request, GATE, "no")
    with pytest.raises(WrongState, match="begins when the answers are in"):
        review(session, session.get_one(Assessment, request.assessment_id))


def test_nothing_is_reviewed_after_the_decision(session: Session, case: Assessment) -> None:
    review_side.decide(session, case, builders.add_user(session))
    with pytest.raises(WrongState, match="frozen"):
        review(session, case)


def test_what_nobody_answered_cannot_be_reviewed(session: Session) -> None:
    case, _ = review_side.under_review(session)
    with pytest.raises(WrongState, match="Nobody has answered"):
        review(session, case)


def test_a_question_from_elsewhere_is_not_found(session: Session, case: Assessment) -> None:
    with pytest.raises(NotFound):
        review(session, case, "data_origins")


def test_the_trail_says_what_a_review_was_and_became(session: Session, case: Assessment) -> None:
    review(session, case, change=Change(EvidenceLevel.CLAIMED, note="not seen"))
    review(session, case, change=Change(EvidenceLevel.VERIFIED, note="seen"))
    first, second = review_side.bodies(session, case, EventKind.ANSWER_REVIEWED)
    assert first["before"] is None and first["question"] == "EX-13"
    assert second["before"] == {"evidence": "claimed", "note": "not seen"}
    assert second["after"] == {"evidence": "verified", "note": "seen"}
