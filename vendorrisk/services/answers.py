"""The answers of a request: loading them with their reviews, and saving one; vendor and staff pages call it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row as Line
from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from vendorrisk.db import vault
from vendorrisk.db.models import Answer as Row
from vendorrisk.domain import progress, question_types
from vendorrisk.domain.answers import Answer, Answers, EvidenceLevel, Value
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.questionnaire import Question, Questionnaire
from vendorrisk.services import audit
from vendorrisk.services.seats import Sent

_UNANSWERED, _UNKNOWN = "unanswered", "unknown"


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
            return _UNKNOWN
        return _UNANSWERED if progress.is_empty(self.value) else "answered"


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

    @property
    def is_said(self) -> bool:
        """Whether the question is dealt with: a value, "not applicable" or "do not know"."""
        return self.said.state != _UNANSWERED


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


_ANSWERS, _REVIEWS = Row.metadata.tables["answers"], Row.metadata.tables["reviews"]
# Columns, not objects, and statements made once: these run with every save.
_OF_REQUEST = (
    select(
        _ANSWERS, _REVIEWS.c.answer_version, _REVIEWS.c.evidence, _REVIEWS.c.na_approved, _REVIEWS.c.grade,
        _REVIEWS.c.note, _REVIEWS.c.at,
    )
    .outerjoin_from(_ANSWERS, _REVIEWS, and_(
        _REVIEWS.c.request_id == _ANSWERS.c.request_id, _REVIEWS.c.question_id == _ANSWERS.c.question_id,
    ))
    .where(_ANSWERS.c.request_id == bindparam("request_id"))
    .order_by(_ANSWERS.c.question_id)
)  # fmt: skip
_SOME_OF_REQUEST = _OF_REQUEST.where(_ANSWERS.c.question_id.in_(bindparam("question_ids", expanding=True)))
_SAID = select(func.aggregate_strings(_ANSWERS.c.question_id, ",")).where(
    _ANSWERS.c.request_id == bindparam("request_id"), _ANSWERS.c.state != _UNANSWERED
)


def load(
    session: Session, request: Sent, questions: Mapping[str, Question], *, only: Collection[str] | None = None
) -> dict[str, StoredAnswer]:
    """All answers of a request with their reviews, by question id, or `only` those of some questions; one query."""
    session.flush()  # these statements are not the ORM's: a review just given would be missed
    chosen = {} if only is None else {"question_ids": sorted(only)}
    lines = session.connection().execute(
        _OF_REQUEST if only is None else _SOME_OF_REQUEST, {"request_id": request.id, **chosen}
    )
    return {
        line.question_id: _opened(session, line, questions[line.question_id])
        for line in lines
        if line.question_id in questions
    }


def said(session: Session, request: Sent) -> frozenset[str]:
    """Ids of the questions dealt with; one query, and nothing is opened."""
    found: str | None = session.connection().scalar(_SAID, {"request_id": request.id})
    return frozenset(found.split(",") if found else ())


def load_one(session: Session, request: Sent, question: Question) -> StoredAnswer | None:
    """One answer with its review."""
    return load(session, request, {question.id: question}, only=[question.id]).get(question.id)


def _opened(session: Session, line: Line[Any], question: Question) -> StoredAnswer:
    body = vault.open_json(session, line.body, context=_context(line.request_id, line.question_id))
    value = None if body["value"] is None else question_types.from_plain(question, body["value"])
    said = NewAnswer(value, body["not_applicable"], line.state == _UNKNOWN, body["comment"], body["source"])
    return StoredAnswer(
        line.question_id, said, body["by"], line.origin, line.version, line.answered_on, line.saved_at,
        None if line.answer_version is None else _review_view(session, line),
    )  # fmt: skip


def _review_view(session: Session, line: Line[Any]) -> ReviewView:
    note = vault.open_optional(session, line.note, context="review.note")
    is_current = line.answer_version == line.version
    return ReviewView(line.evidence, line.na_approved, line.grade, note, line.at, is_current)


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
    request: Sent,
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
        "request_id": request.id,
        "question_id": question.id,
        "body": vault.seal_json(session, key_id, body, context=_context(request.id, question.id)),
        "state": said.state,
        "origin": origin,
        "answered_on": answered_on or now.date(),
        "saved_at": now,
    }
    version = _upsert(session, values, expected_version)
    if version is None:
        raise Conflict(load_one(session, request, question))
    audit.record(
        session, EventKind.ANSWER_SAVED, object_kind="assessment", object_id=request.assessment_id, key_id=key_id,
        by=by, now=now, details={"request": request.reference, "question": question.code, "state": said.state,
                                 "version": version, "origin": origin.value},
    )  # fmt: skip
    return version


def _upsert(session: Session, values: Mapping[str, Any], expected_version: int) -> int | None:
    connection = session.connection()
    version: int | None = connection.scalar(_UPSERTS[connection.dialect.name], {**values, "expected": expected_version})
    if version == 1 and expected_version > 0:
        return None
    return version


def _make_upsert(insert: Callable[..., Any]) -> ReturningInsert[int]:
    """Insert version 1, or the next version over the one that was expected; nothing comes back where that is gone."""
    new = insert(_ANSWERS)
    said = ("body", "state", "origin", "answered_on", "saved_at")
    statement: ReturningInsert[int] = (
        new.values(version=1, **{name: bindparam(name) for name in ("request_id", "question_id", *said)})
        .on_conflict_do_update(
            index_elements=[_ANSWERS.c.request_id, _ANSWERS.c.question_id],
            set_={**{name: new.excluded[name] for name in said}, "version": _ANSWERS.c.version + 1},
            where=_ANSWERS.c.version == bindparam("expected"),
        )
        .returning(_ANSWERS.c.version)
    )
    return statement


_UPSERTS = {"sqlite": _make_upsert(sqlite.insert), "postgresql": _make_upsert(postgresql.insert)}
