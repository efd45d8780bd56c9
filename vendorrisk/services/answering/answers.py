"""The answers of a request: loading them with their reviews, and saving one; vendor and staff pages call it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Select, Update, and_, bindparam, exists, false, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert, UpdateBase

from vendorrisk.db import vault
from vendorrisk.db.base import Sealed
from vendorrisk.db.models import Answer as Row
from vendorrisk.db.models import Request, Review
from vendorrisk.db.prepared import Chain, Prepared
from vendorrisk.domain import progress, question_types
from vendorrisk.domain.answers import Answer, Answers, EvidenceLevel, Value
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.questionnaire import Question, Questionnaire
from vendorrisk.services import audit
from vendorrisk.services.answering.seats import Sent

_ANSWERED, _UNANSWERED, _UNKNOWN = "answered", "unanswered", "unknown"


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
        return _UNANSWERED if progress.is_empty(self.value) else _ANSWERED


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


@lru_cache(maxsize=256)
def questions_by_id(questionnaires: tuple[Questionnaire, ...]) -> Mapping[str, Question]:
    """All questions of a request by id."""
    found = {question.id: question for questionnaire in questionnaires for question in questionnaire}
    return MappingProxyType(found)


@dataclass(frozen=True, slots=True)
class Outline:
    """Which questions of a request are dealt with, and some answers still sealed."""

    said: frozenset[str]
    sealed: Mapping[str, Sealed]


_ANSWERS, _REVIEWS, _REQUESTS = (Row.metadata.tables[model.__tablename__] for model in (Row, Review, Request))
_LINES = (
    select(
        _ANSWERS.c.question_id, _ANSWERS.c.body, _ANSWERS.c.state, _ANSWERS.c.version, _ANSWERS.c.origin,
        _ANSWERS.c.answered_on, _ANSWERS.c.saved_at, _REVIEWS.c.answer_version, _REVIEWS.c.evidence,
        _REVIEWS.c.na_approved, _REVIEWS.c.grade, _REVIEWS.c.note, _REVIEWS.c.at,
    )
    .outerjoin_from(_ANSWERS, _REVIEWS, and_(
        _REVIEWS.c.request_id == _ANSWERS.c.request_id, _REVIEWS.c.question_id == _ANSWERS.c.question_id,
    ))
    .where(_ANSWERS.c.request_id == bindparam("request_id"))
)  # fmt: skip
_OF_REQUEST = Prepared(_LINES.order_by(_ANSWERS.c.question_id))
_OF_QUESTION = Prepared(_LINES.where(_ANSWERS.c.question_id == bindparam("question_id")))


def load(session: Session, request: Sent, questions: Mapping[str, Question]) -> dict[str, StoredAnswer]:
    """All answers of a request with their reviews, by question id; one query."""
    session.flush()  # a review that was just given is not missed
    lines = [_Line(*line) for line in _OF_REQUEST.rows(session, request_id=request.id)]
    return {
        line.question_id: _opened(session, request, line, questions[line.question_id])
        for line in lines
        if line.question_id in questions
    }


def load_some(session: Session, request: Sent, questions: Collection[Question]) -> dict[str, StoredAnswer]:
    """The answers to these questions that there are, with their reviews, by question id; at most one query."""
    if len(questions) == 1:
        (question,) = questions
        one = load_one(session, request, question)
        return {} if one is None else {question.id: one}
    asked = {question.id: question for question in questions}
    lines = _of_questions(tuple(asked)).rows(session, request_id=request.id) if asked else []
    return {line[0]: _opened(session, request, _Line(*line), asked[line[0]]) for line in lines}


@lru_cache(maxsize=256)
def _of_questions(ids: tuple[str, ...]) -> Prepared:
    return Prepared(_LINES.where(or_(*(_ANSWERS.c.question_id == name for name in ids))))


def load_one(session: Session, request: Sent, question: Question) -> StoredAnswer | None:
    """One answer with its review."""
    line = _OF_QUESTION.one(session, request_id=request.id, question_id=question.id)
    return None if line is None else _opened(session, request, _Line(*line), question)


def outline(session: Session, request: Sent, wanted: Collection[str]) -> Outline:
    """Which questions are dealt with, and those of the `wanted` answers that have a value; one query."""
    lines = _outline(tuple(sorted(wanted))).rows(session, request_id=request.id)
    said: str | None = lines[0][0]
    sealed = {name: body for _, name, body in lines if name is not None}
    return Outline(frozenset(said.split(",") if said else ()), sealed)


def open_values(
    session: Session, request: Sent, questions: Mapping[str, Question], sealed: Mapping[str, Sealed]
) -> Answers:
    """The values of sealed answers, without whatever else was said."""
    return {name: Answer(_value(questions[name], _body(session, request, name, body))) for name, body in sealed.items()}


@lru_cache(maxsize=256)
def _outline(opened: tuple[str, ...]) -> Prepared:
    return Prepared(_outline_by(func.group_concat, opened), on_postgresql=_outline_by(func.string_agg, opened))


def _outline_by(join: Callable[..., ColumnElement[str]], opened: tuple[str, ...]) -> Select[Any]:
    of_request = _ANSWERS.c.request_id == bindparam("request_id")
    said = select(join(_ANSWERS.c.question_id, ",").label("ids")).where(of_request, _ANSWERS.c.state != _UNANSWERED)
    values = and_(
        of_request, _ANSWERS.c.state == _ANSWERED, or_(false(), *(_ANSWERS.c.question_id == name for name in opened))
    )
    all_said = said.subquery()
    return select(all_said.c.ids, _ANSWERS.c.question_id, _ANSWERS.c.body).outerjoin_from(all_said, _ANSWERS, values)


class _Line(NamedTuple):
    """One row of an answer with its review."""

    question_id: str
    body: Sealed
    state: str
    version: int
    origin: Origin
    answered_on: date
    saved_at: datetime
    review_of: int | None
    evidence: EvidenceLevel
    na_approved: bool | None
    grade: str | None
    note: Sealed | None
    at: datetime


def _opened(session: Session, request: Sent, line: _Line, question: Question) -> StoredAnswer:
    body = _body(session, request, line.question_id, line.body)
    value = _value(question, body)
    said = NewAnswer(value, body["not_applicable"], line.state == _UNKNOWN, body["comment"], body["source"])
    return StoredAnswer(
        line.question_id, said, body["by"], line.origin, line.version, line.answered_on, line.saved_at,
        None if line.review_of is None else _review_view(session, line),
    )  # fmt: skip


def _body(session: Session, request: Sent, question_id: str, sealed: Sealed) -> dict[str, Any]:
    body: dict[str, Any] = vault.open_json(session, sealed, context=_context(request.id, question_id))
    return body


def _value(question: Question, body: Mapping[str, Any]) -> Value | None:
    return None if body["value"] is None else question_types.from_plain(question, body["value"])


def _review_view(session: Session, line: _Line) -> ReviewView:
    note = vault.open_optional(session, line.note, context="review.note")
    return ReviewView(line.evidence, line.na_approved, line.grade, note, line.at, line.review_of == line.version)


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
    standing: Mapping[str, Any] | None = None,
) -> int:
    """Save one answer over the version that its writer saw (0: none yet); returns the new version.

    One statement decides the race: of two writers with the same version one wins, the other gets `Conflict` with what
    was said meanwhile. The trail event goes with it, and how far the request stands then, where that is given (columns
    of STANDING). `answered_on` is the day of the answer where that is not today (staff entering a document). Raises
    Conflict.
    """
    body = {
        "value": None if said.value is None else question_types.to_plain(question, said.value),
        "not_applicable": said.not_applicable,
        "comment": said.comment,
        "source": said.source,
        "by": by.name,
    }
    values = {
        "of_request": request.id,
        "of_question": question.id,
        "body": vault.seal_json(session, key_id, body, context=_context(request.id, question.id)),
        "state": said.state,
        "origin": origin,
        "answered_on": answered_on or now.date(),
        "saved_at": now,
        "expected": expected_version,
    }
    event = audit.event(
        session, EventKind.ANSWER_SAVED, ("assessment", request.assessment_id), key_id=key_id, by=by, now=now,
        details={"request": request.reference, "question": question.code, "state": said.state,
                 "version": expected_version + 1, "origin": origin.value},
    )  # fmt: skip
    chains = _ALONE if standing is None else _WITH_STANDING
    if chains[expected_version > 0].one(session, **values, **event, **(standing or {})) is None:
        raise Conflict(load_one(session, request, question))
    return expected_version + 1


_SAID: dict[str, Any] = {name: bindparam(name) for name in ("body", "state", "origin", "answered_on", "saved_at")}


def _make_add(insert: Callable[..., Any]) -> ReturningInsert[int]:
    statement: ReturningInsert[int] = (
        insert(_ANSWERS)
        .values(request_id=bindparam("of_request"), question_id=bindparam("of_question"), version=1, **_SAID)
        .on_conflict_do_nothing()
        .returning(_ANSWERS.c.version)
    )
    return statement


_CHANGE = (
    update(_ANSWERS)
    .where(
        _ANSWERS.c.request_id == bindparam("of_request"), _ANSWERS.c.question_id == bindparam("of_question"),
        _ANSWERS.c.version == bindparam("expected"),
    )
    .values(version=_ANSWERS.c.version + 1, **_SAID)
    .returning(_ANSWERS.c.version)
)  # fmt: skip
STANDING = ("answered", "visible", "last_saved_at", "last_saved_by")


def _stand(done: CTE | None) -> Update:
    statement = update(_REQUESTS).where(_REQUESTS.c.id == bindparam("of_request", type_=_REQUESTS.c.id.type))
    statement = statement.values({name: bindparam(name) for name in STANDING})
    return statement if done is None else statement.where(exists(select(done)))


def _chains(*others: Callable[[CTE | None], UpdateBase]) -> Mapping[bool, Chain]:
    """By whether there is an answer already."""
    return {
        False: Chain(_make_add(sqlite.insert), audit.adding, *others, on_postgresql=_make_add(postgresql.insert)),
        True: Chain(_CHANGE, audit.adding, *others, on_postgresql=_CHANGE),
    }


_ALONE, _WITH_STANDING = _chains(), _chains(_stand)
