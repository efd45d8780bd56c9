"""Assessments and their intake: opening, answering, the tier that follows, the list."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders, staff_side, statements
from tests.builders import NOW
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Event, User, Vendor
from vendorrisk.domain.answers import Answer
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.domain.audit import SYSTEM
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.library import shipped
from vendorrisk.services.casework import assessments, cases, intake
from vendorrisk.services.casework.assessments import Filters
from vendorrisk.services.casework.cases import NextStep
from vendorrisk.services.casework.intake import ChangedMeanwhile

OFFERED = ("breach-history", "customer-list-protection", "data-sourcing")


@pytest.fixture
def petra(session: Session) -> User:
    return builders.add_user(session)


@pytest.fixture
def case(session: Session, petra: User) -> Assessment:
    return builders.add_assessment(session, builders.add_vendor(session), owner=petra)


def _vendor(session: Session, case: Assessment) -> Vendor:
    return session.get_one(Vendor, case.vendor_id)


def test_opening_a_case_freezes_the_intake_and_is_on_the_trail(session: Session, case: Assessment) -> None:
    assert case.reference.startswith("A-2026-") and case.status is AssessmentStatus.INTAKE
    assert intake.questionnaire(session, case) == shipped.load().questionnaires["intake"]
    assert "assessment.opened" in session.scalars(select(Event.kind).where(Event.object_id == case.id)).all()


def test_an_unknown_reference_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        assessments.get(session, "A-2026-0000")
    with pytest.raises(NotFound):
        assessments.show(session, "R-0", now=NOW)


def test_an_empty_intake_counts_as_the_worst_case(session: Session, case: Assessment) -> None:
    result = intake.result(intake.questionnaire(session, case), {}, OFFERED)
    assert (result.inherent.value, result.inherent.tier) == (Decimal(100), 1)
    assert len(result.missing) == len([q for q in intake.questionnaire(session, case) if q.factor])
    assert result.proposal.questionnaires == OFFERED


def test_harmless_answers_give_tier_4_and_the_short_forms(session: Session, case: Assessment, petra: User) -> None:
    staff_side.answer_intake(session, case, petra)
    assert (case.status, case.tier, case.inherent) == (AssessmentStatus.READY, 4, Decimal(0))
    asked = intake.questionnaire(session, case)
    result = intake.result(asked, intake.answers(session, case, asked), OFFERED)
    assert result.proposal.short and "data-sourcing" not in result.proposal.questionnaires
    assert result.missing == result.unknown == ()


def test_do_not_know_is_kept_and_told_apart_from_silence(session: Session, case: Assessment) -> None:
    asked = intake.questionnaire(session, case)
    section = asked.sections[0]
    given = {"our_contacts": Answer(unknown=True), "processor_for_others": Answer(value="unk")}
    seen = intake.fingerprint(section, {})
    intake.save(session, case, _vendor(session, case), section, given, seen=seen, by=SYSTEM, now=NOW)
    stored = intake.answers(session, case, asked)
    assert stored["our_contacts"].unknown and "purchase" not in stored
    assert [q.id for q in intake.result(asked, stored, OFFERED).unknown] == ["processor_for_others"]


def test_a_changed_answer_changes_the_tier_until_it_was_sent(session: Session, case: Assessment, petra: User) -> None:
    staff_side.answer_intake(session, case, petra)
    asked = intake.questionnaire(session, case)
    harm = next(section for section in asked.sections if section.id == "harm")
    stored = intake.answers(session, case, asked)
    worse = {q.id: stored[q.id] for q in harm.questions} | {"harm_if_known": Answer(value="danger")}
    vendor, seen = _vendor(session, case), intake.fingerprint(harm, stored)
    intake.save(session, case, vendor, harm, worse, seen=seen, by=builders.actor(petra), now=NOW)
    assert (case.status, case.tier, case.inherent) == (AssessmentStatus.READY, 2, Decimal(50))
    case.status = AssessmentStatus.SENT
    with pytest.raises(WrongState, match="can no longer be changed"):
        intake.save(session, case, vendor, harm, {}, seen=seen, by=builders.actor(petra), now=NOW)


def test_two_people_on_one_page_do_not_overwrite_each_other(session: Session, case: Assessment, petra: User) -> None:
    section = intake.questionnaire(session, case).sections[1]
    vendor, empty = _vendor(session, case), intake.fingerprint(section, {})
    first = {"data_given": Answer(value=("health",))}
    intake.save(session, case, vendor, section, first, seen=empty, by=builders.actor(petra), now=NOW)
    with pytest.raises(ChangedMeanwhile):
        intake.save(session, case, vendor, section, {}, seen=empty, by=builders.actor(petra), now=NOW)
    assert intake.answers(session, case, intake.questionnaire(session, case)) == first


def test_the_intake_is_stored_sealed(session: Session, case: Assessment, petra: User) -> None:
    staff_side.answer_intake(session, case, petra, harm_if_known="danger")
    assert case.intake is not None and b"danger" not in case.intake
    assert vault.open_json(session, case.intake, context=intake.CONTEXT)["harm_if_known"] == {"value": "danger"}


def test_saving_what_was_there_writes_no_event(session: Session, case: Assessment, petra: User) -> None:
    staff_side.answer_intake(session, case, petra)
    count = len(session.scalars(select(Event)).all())
    asked = intake.questionnaire(session, case)
    stored = intake.answers(session, case, asked)
    section = asked.sections[2]
    same = {q.id: stored[q.id] for q in section.questions}
    seen = intake.fingerprint(section, stored)
    intake.save(session, case, _vendor(session, case), section, same, seen=seen, by=builders.actor(petra), now=NOW)
    intake.complete(session, case, _vendor(session, case), by=builders.actor(petra), now=NOW)
    assert len(session.scalars(select(Event)).all()) == count


def test_the_list_filters_by_state_tier_band_and_due_date(session: Session, petra: User) -> None:
    late, soon, far = (staff_side.ready(session, petra, f"Vendor {n}") for n in "abc")
    for case, days in ((late, 1), (soon, 12), (far, 40)):
        staff_side.send(session, case, petra, due=NOW + timedelta(days=days))
    decided = builders.add_assessment(session, status=AssessmentStatus.DECIDED, tier=1)
    decided.band = "High"
    session.flush()
    then = NOW + timedelta(days=10)

    def listed(**narrow: object) -> set[str]:
        page = assessments.page(session, Filters(**narrow), 1, now=then)  # type: ignore[arg-type]
        return {row.reference for row in page.items}

    assert listed(due="overdue") == {late.reference}
    assert listed(due="soon") == {soon.reference}
    assert listed(status=AssessmentStatus.SENT) == {late.reference, soon.reference, far.reference}
    assert listed(band="High", tier=1) == {decided.reference}
    assert listed(band="Low") == set()
    assert len(listed()) == 4


def test_a_full_list_takes_four_statements(database: Database) -> None:
    with database.writing() as session:
        petra = builders.add_user(session)
        for number in range(26):
            case = staff_side.ready(session, petra, f"Vendor {number}")
            if number % 2:
                staff_side.send(session, case, petra, asked=("breach-history",))
    with database.reading() as session, statements.sent(database) as seen:
        page = assessments.page(session, Filters(), 1, now=NOW)
    assert (len(page.items), page.total) == (25, 26)
    assert len(seen) <= 4


def test_the_next_step_follows_the_state(session: Session, petra: User) -> None:
    case = staff_side.ready(session, petra)

    def step(days: int = 0) -> NextStep:
        session.flush()
        return assessments.show(session, case.reference, now=NOW + timedelta(days=days)).row.next_step

    assert step() is NextStep.SEND
    sent = staff_side.send(session, case, petra)
    assert step() is NextStep.WAIT
    assert step(days=15) is NextStep.CHASE
    staff_side.refuse_letters(session, sent)
    assert step(days=15) is NextStep.FIX_LETTER
    case.status = AssessmentStatus.REVIEW
    assert step() is NextStep.REVIEW
    case.status = AssessmentStatus.DECIDED
    assert step() is NextStep.NONE


def test_only_one_row_comes_for_a_case_with_several_requests(session: Session, petra: User) -> None:
    case = staff_side.ready(session, petra)
    for _ in range(3):
        builders.add_request(session, case)
    assert len(cases.rows(session, session.execute(cases.query()).all(), now=NOW)) == 1
