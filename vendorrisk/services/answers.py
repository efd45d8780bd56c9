"""The answers of a request: loading them with their reviews, and saving one; vendor and staff pages call it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Answer as Row
from vendorrisk.db.models import Request, Review
from vendorrisk.domain import question_types
from vendorrisk.domain.answers import Answer, Answers, EvidenceLevel, Value
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.questionnaire import Question, Questionnaire
from vendorrisk.services import audit


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A reviewer's word on one answer. `is_current` is False once the answer was changed after it."""

    evidence: EvidenceLevel
    na_approved: bool | None
    grade: str | None
    note: str
    at: datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """What somebody says: a value, or why the question does not apply, or that they do not know."""

    value: Value | None = None
    not_applicable: str | None = None
    unknown: bool = False
    comment: str = ""
    source: str = ""

    @property
    def state(self) -> str:
        """The state that the row says in plain."""
        if self.not_applicable is not None:
            return "not_applicable"
        if self.unknown:
            return "unknown"
        return "unanswered" if self.value is None else "answered"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """One answer as stored, opened."""

    question_id: str
    said: NewAnswer
    by: str
    origin: Origin
    version: int
    answered_on: date
    saved_at: datetime
    review: ReviewView | None = None

    @property
    def value(self) -> Value | None:
        """The value given."""
        return self.said.value


class Conflict(Exception):
    """Somebody else saved this answer first; `stored` is what they said (None if it cannot be found)."""

    def __init__(self, stored: StoredAnswer | None) -> None:
        super().__init__("somebody else has changed this answer")
        self.stored = stored


def _context(request_id: UUID, question_id: str) -> str:
    return f"answer:{request_id}:{question_id}"


def questions_by_id(questionnaires: Collection[Questionnaire]) -> dict[str, Question]:
    """All questions of a request by id."""
    return {question.id: question for questionnaire in questionnaires for question in questionnaire}


_OF_REQUEST = (
    select(Row, Review)
    .outerjoin(Review, and_(Review.request_id == Row.request_id, Review.question_id == Row.question_id))
    .where(Row.request_id == bindparam("request_id"))
    .order_by(Row.question_id)
)
"""Made once: making a statement anew for each page takes longer than running it."""


def load(session: Session, request: Request, questions: Mapping[str, Question]) -> dict[str, StoredAnswer]:
    """All answers of a request with their reviews, by question id; one query."""
    return {
        row.question_id: _opened(session, row, questions[row.question_id], review)
        for row, review in session.execute(_OF_REQUEST, {"request_id": request.id})
        if row.question_id in questions
    }


def load_one(session: Session, request_id: UUID, question: Question) -> StoredAnswer | None:
    """One answer, without its review."""
    row = session.get(Row, (request_id, question.id), populate_existing=True)
    return None if row is None else _opened(session, row, question, None)


def _opened(session: Session, row: Row, question: Question, review: Review | None) -> StoredAnswer:
    body = vault.open_json(session, row.body, context=_context(row.request_id, row.question_id))
    value = None if body["value"] is None else question_types.from_plain(question, body["value"])
    said = NewAnswer(value, body["not_applicable"], row.state == "unknown", body["comment"], body["source"])
    return StoredAnswer(
        row.question_id, said, body["by"], row.origin, row.version, row.answered_on, row.saved_at,
        None if review is None else _review_view(session, review, row.version),
    )  # fmt: skip


def _review_view(session: Session, review: Review, version: int) -> ReviewView:
    note = vault.open_optional(session, review.note, context="review.note")
    return ReviewView(
        review.evidence, review.na_approved, review.grade, note, review.at, review.answer_version == version
    )


def as_domain(stored: Mapping[str, StoredAnswer], contradicted: Collection[str] = ()) -> Answers:
    """The answers as the engine reads them. A review of an older version of an answer counts for nothing."""
    return {name: _as_domain(answer, name in contradicted) for name, answer in stored.items()}


def _as_domain(stored: StoredAnswer, contradicted: bool) -> Answer:
    review = stored.review if stored.review and stored.review.is_current else None
    answer = Answer(
        value=stored.said.value,
        not_applicable=stored.said.not_applicable,
        unknown=stored.said.unknown,
        answered_on=stored.answered_on,
        contradicted=contradicted,
    )
    if review is None:
        return answer
    return replace(answer, evidence=review.evidence, approved=review.na_approved is True, grade=review.grade)


def put(
    session: Session,
    request: Request,
    key_id: UUID,
    question: Question,
    said: NewAnswer,
    *,
    expected_version: int,
    origin: Origin,
    by: Actor,
    now: datetime,
    answered_on: date | None = None,
) -> int:
    """Save one answer over the version that its writer saw (0: none yet); returns the new version.

    One statement decides the race: of two writers with the same version one wins, the other gets `Conflict` with what
    was said meanwhile. The trail event goes with it. `answered_on` is the day of the answer where that is not today
    (staff entering a document). Raises Conflict.
    """
    body = {
        "value": None if said.value is None else question_types.to_plain(question, said.value),
        "not_applicable": said.not_applicable,
        "comment": said.comment,
        "source": said.source,
        "by": by.name,
    }
    values = {
        "body": vault.seal_json(session, key_id, body, context=_context(request.id, question.id)),
        "state": said.state,
        "origin": origin,
        "answered_on": answered_on or now.date(),
        "saved_at": now,
    }
    version = _upsert(session, request.id, question.id, values, expected_version)
    if version is None:
        raise Conflict(load_one(session, request.id, question))
    audit.record(
        session, EventKind.ANSWER_SAVED, object_kind="assessment", object_id=request.assessment_id, key_id=key_id,
        by=by, now=now, details={"request": request.reference, "question": question.code, "state": said.state,
                                 "version": version, "origin": origin.value},
    )  # fmt: skip
    return version


def _upsert(
    session: Session, request_id: UUID, question_id: str, values: dict[str, Any], expected_version: int
) -> int | None:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = (
        insert(Row)
        .values(request_id=request_id, question_id=question_id, version=1, **values)
        .on_conflict_do_update(
            index_elements=[Row.request_id, Row.question_id],
            set_={**values, "version": Row.version + 1},
            where=Row.version == expected_version,
        )
        .returning(Row.version)
    )
    version: int | None = session.scalar(statement)
    if version == 1 and expected_version > 0:
        return None
    return version
