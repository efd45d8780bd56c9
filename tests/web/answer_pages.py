"""The answers pages of a case: what their tests put there, and where they look."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import builders, review_side
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Assessment, Event

GATE = "EX-13"
"""The code of the question of the tiny questionnaire on which the others hang."""


def under_review(database: Database, *names: str, **answers: object) -> str:
    """A case under review; `answers` by question id. Returns its reference."""
    with database.writing() as session:
        case, request = review_side.under_review(session, *names)
        for question, value in answers.items():
            builders.add_answer(session, request, question, value)  # type: ignore[arg-type]
        return case.reference


def address(case: str, query: str = "") -> str:
    """The answers page."""
    return f"/assessments/{case}/answers{query}"


def kinds(session: Session, case: str) -> list[str]:
    """The kinds of events of a case, in order."""
    found = session.scalar(select(Assessment).where(Assessment.reference == case))
    assert found is not None
    return list(session.scalars(select(Event.kind).where(Event.object_id == found.id).order_by(Event.number)))


def behalf(case: str) -> str:
    """The form for the gate."""
    return address(case, f"/{GATE}/on-behalf")


FACTS = {
    "q-remote_access": "own", "q-remote_access-version": "0", "q-remote_access-comment": "", "origin": "public",
    "source": "https://example.org/finding", "answered_on": "1 March 2026",
}  # fmt: skip
"""That form, filled in."""
