"""Reviewing answers: what counts, what does not, and who may not overwrite whom."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders, review_side
from tests.review_side import NOW, REASON
from vendorrisk.db import vault
from vendorrisk.db.models import Assessment, Event, Request, Review
from vendorrisk.domain.answers import EvidenceLevel, Table
from vendorrisk.domain.assessment import AssessmentStatus, Origin, RequestStatus
from vendorrisk.domain.audit import Actor, ActorKind, EventKind
from vendorrisk.domain.errors import InvalidAnswer, NotFound, WrongState
from vendorrisk.domain.marks import Mark
from vendorrisk.domain.questionnaire import FlagLevel
from vendorrisk.services import audit
from vendorrisk.services.answering import saves
from vendorrisk.services.answering.answers import NewAnswer
from vendorrisk.services.casework import dossiers
from vendorrisk.services.reviewing import answer_sheets, on_behalf, reviews, score_sheets
from vendorrisk.services.reviewing.answer_sheets import Sheet, Standing
from vendorrisk.services.reviewing.reviews import Change, Overtaken

LI = Actor(ActorKind.STAFF, "li", "Li Wei")
GATE = "remote_access"


@pytest.fixture
def case(session: Session) -> Assessment:
    """A case of the tiny questionnaire whose gate is answered: remote access on managed devices."""
    case, request = review_side.under_review(session)
    builders.add_answer(session, request, GATE, "managed")
    return case


def review(session: Session, case: Assessment, question: str = GATE, change: Change | None = None, **more: Any) -> None:
    """Set a review of version 1, as Li."""
    said = change or Change(EvidenceLevel.VERIFIED)
    given = {"answer_version": 1, "by": LI, "now": NOW, **more}
    reviews.set_review(session, case.reference, question, said, **given)


def mark(session: Session, case: Assessment, question: str = GATE) -> Mark:
    """What a question counts as the answers stand."""
    score = review_side.score_of(session, case).score
    return next(mark for theme in score.themes for mark in theme.marks if mark.question_id == question)


def sheet(session: Session, case: Assessment) -> Sheet:
    """The answer sheet."""
    return answer_sheets.open_answers(session, dossiers.find(session, case.reference), now=NOW)


def request_of(session: Session, case: Assessment) -> Request:
    """The request of a case."""
    return dossiers.find(session, case.reference).sent


def bodies(session: Session, case: Assessment, kind: EventKind) -> list[dict[str, Any]]:
    """What the trail says about a case, of one kind of event."""
    rows = session.scalars(
        select(Event).where(Event.object_id == case.id, Event.kind == kind.value).order_by(Event.number)
    )
    return [vault.open_json(session, row.details, context=audit.CONTEXT) for row in rows]


def test_a_review_is_kept_with_its_reviewer_and_makes_a_new_score(session: Session) -> None:
    li = builders.add_user(session, "li@acme.example", name="Li Wei")
    case, request = review_side.under_review(session)
    builders.add_answer(session, request, GATE, "managed")
    review(session, case, change=Change(EvidenceLevel.EVIDENCED, note="Read the report."), by=builders.actor(li))
    line = sheet(session, case).line("EX-13")
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
    line = sheet(session, case).line("DS-01")
    assert line.standing is Standing.CHANGED and line.is_left


def test_a_review_of_an_answer_that_changed_meanwhile_is_refused(session: Session, case: Assessment) -> None:
    builders.add_answer(session, request_of(session, case), GATE, "own")
    with pytest.raises(Overtaken, match="changed while you were looking"):
        review(session, case, answer_version=1)
    assert session.scalars(select(Review)).all() == []


def test_a_second_reviewer_does_not_overwrite_the_first_unseen(session: Session, case: Assessment) -> None:
    review(session, case, change=Change(note="first"), seen="")
    with pytest.raises(Overtaken, match="Somebody else has reviewed"):
        review(session, case, change=Change(note="second"), seen="", now=NOW + timedelta(minutes=1))
    review(session, case, change=Change(note="second"), seen=reviews.stamp(NOW), now=NOW + timedelta(minutes=2))
    stored = sheet(session, case).line("EX-13").stored
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
    assert sheet(session, case).line(question.code).standing is Standing.NA_APPROVED


def test_refusing_not_applicable_leaves_it_the_worst_answer(session: Session) -> None:
    case, request = review_side.under_review(session, "customer-list-protection")
    question = next(q for q in review_side.themes("customer-list-protection")[0] if q.na_allowed and q.weight)
    builders.add_answer(session, request, question.id, not_applicable="We have no such thing at all.")
    assert sheet(session, case).line(question.code).standing is Standing.NA_TO_DECIDE
    review(session, case, question.id, Change(na_approved=False))
    assert mark(session, case, question.id).credit == 0
    line = sheet(session, case).line(question.code)
    assert line.standing is Standing.NA_REFUSED and not line.is_left


def test_not_applicable_has_to_be_decided_one_way(session: Session, case: Assessment) -> None:
    builders.add_answer(session, request_of(session, case), GATE, not_applicable="There are no offices at all.")
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
    first, second = bodies(session, case, EventKind.ANSWER_REVIEWED)
    assert first["before"] is None and first["question"] == "EX-13"
    assert second["before"] == {"evidence": "claimed", "note": "not seen"}
    assert second["after"] == {"evidence": "verified", "note": "seen"}


# ---------------------------------------------------------------- contradictions


@pytest.fixture
def evasive(session: Session) -> Assessment:
    """A vendor that says that nothing happened, and lists an event."""
    case, request = review_side.under_review(session, "breach-history")
    codes = {"BH-01": "yes", "BH-02": "no", "BH-03": "listed"}
    for code, said in codes.items():
        builders.add_answer(session, request, review_side.themes("breach-history")[0].by_code[code].id, said)
    return case


def test_contradicted_answers_are_said_to_be_so(session: Session, evasive: Assessment) -> None:
    shown = sheet(session, evasive)
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
    assert bodies(session, evasive, EventKind.CONTRADICTION_DISMISSED)[0]["reason"] == REASON


def test_a_dismissal_holds_while_the_answers_behind_it_stay(session: Session, evasive: Assessment) -> None:
    dismiss(session, evasive)
    theme = review_side.themes("breach-history")[0]
    builders.add_answer(session, request_of(session, evasive), theme.by_code["BH-05"].id, "listed")
    builders.add_answer(session, request_of(session, evasive), theme.by_code["BH-03"].id, "listed", comment="again")
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


# ---------------------------------------------------------------- on the vendor's behalf


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
    stored = sheet(session, still_open).line("EX-13").stored
    assert stored is not None
    assert (stored.origin, stored.said.source, stored.by) == (Origin.PUBLIC, PUBLIC.source, "Li Wei")
    assert stored.answered_on == date(2026, 3, 1)
    assert request_of(session, still_open).answered == 1


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
    review(session, case)
    before = case.residual
    answer(session, case, NewAnswer("own", source="https://example.org/finding"), expected_version=1)
    assert case.residual is not None and before is not None and case.residual > before
    assert sheet(session, case).line("EX-13").standing is Standing.CHANGED


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
    request = request_of(session, still_open)
    assert (still_open.status, request.status) == (AssessmentStatus.REVIEW, RequestStatus.SUBMITTED)
    assert request.submitted_at == NOW and still_open.band is not None
    assert bodies(session, still_open, EventKind.REQUEST_SUBMITTED)[0]["on_behalf"] is True
    with pytest.raises(WrongState):
        on_behalf.start_review(session, still_open.reference, "All of it comes from public facts.", by=LI, now=NOW)


# ---------------------------------------------------------------- the founding case


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
