"""The rows of answers, read with their reviews and opened; `saves` writes them.

Called by `responses`, the vendor's side of a request, by `scores`, and by what staff do with answers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, false, func, or_, select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.base import Sealed
from vendorrisk.db.models import Answer as Row
from vendorrisk.db.models import Review
from vendorrisk.db.prepared import Prepared
from vendorrisk.domain import question_types
from vendorrisk.domain.answers import Answer, Answers, EvidenceLevel, Value
from vendorrisk.domain.assessment import Origin
from vendorrisk.domain.questionnaire import Question
from vendorrisk.services.answering.answers import ANSWERED, UNANSWERED, UNKNOWN, NewAnswer, ReviewView, StoredAnswer
from vendorrisk.services.answering.seats import Sent

_ANSWERS, _REVIEWS = (model.metadata.tables[model.__tablename__] for model in (Row, Review))
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


@dataclass(frozen=True, slots=True)
class Outline:
    """Which questions of a request are dealt with, and some answers still sealed."""

    said: frozenset[str]
    sealed: Mapping[str, Sealed]


def outline(session: Session, request: Sent, wanted: Collection[str]) -> Outline:
    """Which questions are dealt with, and those of the `wanted` answers that have a value; one query."""
    lines = _outline(tuple(sorted(wanted))).rows(session, request_id=request.id)
    said: str | None = lines[0][0]
    sealed = {name: body for _, name, body in lines if name is not None}
    return Outline(frozenset(said.split(",") if said else ()), sealed)


@lru_cache(maxsize=256)
def _outline(opened: tuple[str, ...]) -> Prepared:
    return Prepared(_outline_by(func.group_concat, opened), on_postgresql=_outline_by(func.string_agg, opened))


def _outline_by(join: Callable[..., ColumnElement[str]], opened: tuple[str, ...]) -> Select[Any]:
    of_request = _ANSWERS.c.request_id == bindparam("request_id")
    said = select(join(_ANSWERS.c.question_id, ",").label("ids")).where(of_request, _ANSWERS.c.state != UNANSWERED)
    values = and_(
        of_request, _ANSWERS.c.state == ANSWERED, or_(false(), *(_ANSWERS.c.question_id == name for name in opened))
    )
    all_said = said.subquery()
    return select(all_said.c.ids, _ANSWERS.c.question_id, _ANSWERS.c.body).outerjoin_from(all_said, _ANSWERS, values)


def open_values(
    session: Session, request: Sent, questions: Mapping[str, Question], sealed: Mapping[str, Sealed]
) -> Answers:
    """The values of sealed answers, without whatever else was said."""
    return {name: Answer(_value(questions[name], _body(session, request, name, body))) for name, body in sealed.items()}


def context(request_id: UUID, question_id: str) -> str:
    """The place that an answer's body is sealed for."""
    return f"answer:{request_id}:{question_id}"


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
    said = NewAnswer(value, body["not_applicable"], line.state == UNKNOWN, body["comment"], body["source"])
    return StoredAnswer(
        line.question_id, said, body["by"], line.origin, line.version, line.answered_on, line.saved_at,
        None if line.review_of is None else _review_view(session, line),
    )  # fmt: skip


def _body(session: Session, request: Sent, question_id: str, sealed: Sealed) -> dict[str, Any]:
    body: dict[str, Any] = vault.open_json(session, sealed, context=context(request.id, question_id))
    return body


def _value(question: Question, body: Mapping[str, Any]) -> Value | None:
    return None if body["value"] is None else question_types.from_plain(question, body["value"])


def _review_view(session: Session, line: _Line) -> ReviewView:
    note = vault.open_optional(session, line.note, context="review.note")
    return ReviewView(line.evidence, line.na_approved, line.grade, note, line.at, line.review_of == line.version)
