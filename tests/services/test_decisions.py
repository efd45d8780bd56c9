"""Deciding: once, with a reason, on a score that is frozen with the decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import builders, review_side
from tests.review_side import NOW, REASON
from vendorrisk.db.models import Assessment, Decision, User
from vendorrisk.domain.assessment import AssessmentStatus, Outcome, RequestStatus
from vendorrisk.domain.errors import InvalidAnswer, WrongState
from vendorrisk.services.casework import decided, dossiers
from vendorrisk.services.casework.decided import Filters
from vendorrisk.services.people.scopes import EVERYTHING
from vendorrisk.services.reviewing import decisions, score_sheets
from vendorrisk.services.reviewing.decisions import Condition, DecisionView, NewDecision
from vendorrisk.services.reviewing.reviews import Overtaken

APPROVED = NewDecision(Outcome.APPROVED, REASON, date(2027, 6, 30), accepts_provisional=True)
CONDITION = Condition("Switch on the second factor", "Dana Ruiz", date(2026, 9, 1))


@pytest.fixture
def case(session: Session) -> Assessment:
    """A case under review with one answer of three."""
    case, request = review_side.under_review(session)
    builders.add_answer(session, request, "remote_access", "managed")
    return case


@pytest.fixture
def user(session: Session) -> User:
    """Petra."""
    return builders.add_user(session)


def decide(session: Session, case: Assessment, user: User, new: NewDecision = APPROVED, **more: Any) -> Decision:
    """Decide as Petra."""
    return decisions.decide(session, case.reference, new, by=builders.actor(user), now=NOW, **more)


def view(session: Session, case: Assessment) -> DecisionView:
    """What was decided."""
    found = decisions.of(session, dossiers.find(session, case.reference))
    assert found is not None
    return found


def test_a_decision_freezes_the_case_with_its_score(session: Session, case: Assessment, user: User) -> None:
    before = review_side.score_of(session, case)
    decide(session, case, user)
    assert (case.status, case.decided_at) == (AssessmentStatus.DECIDED, NOW)
    shown = view(session, case)
    assert (shown.outcome, shown.reason, shown.decided_by) == (Outcome.APPROVED, REASON, "Petra Novak")
    assert shown.score.inputs_hash == before.inputs_hash and shown.score.score == before.score


def test_the_frozen_score_does_not_age(session: Session, user: User) -> None:
    case, request = review_side.under_review(session, "data-sourcing")
    builders.add_answer(session, request, "data_origins", ("cust",))
    decide(session, case, user)
    dossier, later = dossiers.find(session, case.reference), NOW + timedelta(days=900)
    shown = score_sheets.open_score(session, dossier, now=later)
    assert shown.score.as_of == NOW.date()
    assert shown.score == view(session, case).score.score
    assert shown.decision is not None


def test_nothing_is_decided_twice(session: Session, case: Assessment, user: User) -> None:
    decide(session, case, user)
    with pytest.raises(WrongState, match="decided already"):
        decide(session, case, user, replace(APPROVED, outcome=Outcome.REJECTED))
    assert session.scalar(select(func.count()).select_from(Decision)) == 1
    assert view(session, case).outcome is Outcome.APPROVED


def test_nothing_is_decided_before_the_answers_are_in(session: Session, user: User) -> None:
    request = builders.add_request(session, status=RequestStatus.OPEN)
    case = session.get_one(Assessment, request.assessment_id)
    with pytest.raises(WrongState, match="answers are not in"):
        decide(session, case, user)
    assert case.status is AssessmentStatus.SENT


def test_a_provisional_score_must_be_accepted(session: Session, case: Assessment, user: User) -> None:
    with pytest.raises(WrongState, match="provisional"):
        decide(session, case, user, replace(APPROVED, accepts_provisional=False))


def test_a_score_that_changed_unseen_is_not_decided_on(session: Session, case: Assessment, user: User) -> None:
    seen = review_side.score_of(session, case).inputs_hash
    builders.add_answer(session, dossiers.find(session, case.reference).sent, "remote_access", "own")
    with pytest.raises(Overtaken):
        decide(session, case, user, seen=seen)
    decide(session, case, user, seen=review_side.score_of(session, case).inputs_hash)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"reason": "fine"}, "15 characters"),
        ({"valid_until": NOW.date()}, "beyond today"),
        ({"valid_until": date(2029, 7, 1)}, "3 years"),
        ({"outcome": Outcome.WITH_CONDITIONS}, "1 to 20 conditions"),
        ({"conditions": (CONDITION,)}, "Conditions belong"),
        ({"outcome": Outcome.WITH_CONDITIONS, "conditions": (replace(CONDITION, owner=" "),)}, "who sees to it"),
        ({"outcome": Outcome.WITH_CONDITIONS, "conditions": (replace(CONDITION, due=date(2026, 6, 29)),)}, "past"),
        ({"outcome": Outcome.WITH_CONDITIONS, "conditions": (CONDITION,) * 21}, "1 to 20"),
    ],
)
def test_a_decision_says_all_that_it_must(
    session: Session, case: Assessment, user: User, changed: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidAnswer, match=says):
        decide(session, case, user, replace(APPROVED, **changed))
    assert case.status is AssessmentStatus.REVIEW


def test_conditions_are_kept_in_order(session: Session, case: Assessment, user: User) -> None:
    second = Condition("=cmd|' /C calc'!A0 <b>", "李", date(2026, 12, 31))
    decide(session, case, user, replace(APPROVED, outcome=Outcome.WITH_CONDITIONS, conditions=(CONDITION, second)))
    assert view(session, case).conditions == (CONDITION, second)


def test_a_year_from_the_29th_of_february_is_the_28th() -> None:
    assert decisions.default_validity(date(2028, 2, 29)) == date(2029, 2, 28)
    assert decisions.years_after(date(2026, 6, 30), 3) == date(2029, 6, 30)


# ---------------------------------------------------------------- the auditor's list


def decided_case(session: Session, user: User, *, at: datetime = NOW, tier: int = 2) -> Assessment:
    """A case decided at some moment."""
    inherent = {1: "84", 2: "64", 3: "30", 4: "10"}[tier]
    case, _ = review_side.under_review(session, tier=tier, inherent=inherent)
    review_side.decide(session, case, user, now=at)
    return case


def found(session: Session, **filters: Any) -> set[str]:
    """The references that the list shows."""
    return {row.reference for row in decided.page(session, Filters(**filters), 1, EVERYTHING).items}


def test_the_list_holds_decided_cases_only(session: Session, case: Assessment, user: User) -> None:
    other = decided_case(session, user)
    page = decided.page(session, Filters(), 1, EVERYTHING)
    assert [row.reference for row in page.items] == [other.reference]
    (row,) = page.items
    assert (row.vendor, row.service) == ("Northwind Mail", "Mailing service for members")
    assert (row.outcome, row.decided_by, row.decided_at) == (Outcome.APPROVED, "Petra Novak", NOW)


def test_the_list_is_narrowed_by_year_band_tier_and_reference(session: Session, user: User) -> None:
    old = decided_case(session, user, at=datetime(2024, 12, 31, 23, 59, tzinfo=UTC), tier=4)
    new = decided_case(session, user, at=NOW, tier=1)
    assert found(session, year=2024) == {old.reference}
    assert found(session, tier=1) == {new.reference}
    assert found(session, band=new.band) == {new.reference}
    assert found(session, search=old.reference.lower()) == {old.reference}
    assert found(session, search="%") == set(), "a search is literal"
    assert found(session, year=2025) == set()
    assert decided.years(session, EVERYTHING) == (2026, 2025, 2024)


def test_the_list_is_paged_and_its_queries_are_few(session: Session, user: User) -> None:
    for number in range(27):
        decided_case(session, user, at=NOW + timedelta(minutes=number))
    first, second = (decided.page(session, Filters(), number, EVERYTHING) for number in (1, 2))
    assert (len(first.items), len(second.items), first.total) == (25, 2, 27)
    assert first.items[0].decided_at > second.items[-1].decided_at
    assert decided.page(session, Filters(), 99, EVERYTHING).number == 2


def test_without_decisions_there_are_no_years(session: Session) -> None:
    assert decided.years(session, EVERYTHING) == ()
    assert decided.page(session, Filters(), 1, EVERYTHING).total == 0
