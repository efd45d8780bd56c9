"""Respondents for fault tests: requests made straight in the database, each with the cookie of one who may answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench import respondent
from vendorrisk.db import vault
from vendorrisk.db.engine import Database
from vendorrisk.db.models import Answer, Event, Letter, Request, Vendor
from vendorrisk.services.operating import keys, opening
from vendorrisk.settings import Settings


@dataclass(frozen=True, slots=True)
class Seat:
    """One respondent at one request: `sections` leads from the id of a question to the address of its page."""

    request_id: UUID
    reference: str
    cookie: str
    sections: Mapping[str, str]


def take(environ: Mapping[str, str], number: int) -> list[Seat]:
    """Make `number` requests with all our questionnaires, each with a respondent who has passed the code."""
    settings = Settings.from_env(environ)
    if not settings.key_file.exists():
        keys.create(settings.key_file)
    database = opened(environ)
    try:
        with database.writing() as session:
            return [_seat(session) for _ in range(number)]
    finally:
        database.close()


def opened(environ: Mapping[str, str]) -> Database:
    """The database of the service under test, with its key."""
    return opening.database(Settings.from_env(environ))


def _seat(session: Session) -> Seat:
    seated = respondent.seat(session, now=datetime.now(UTC))
    request, cookie = seated.request, seated.cookie
    sections = {
        question.id: f"/respond/{request.reference}/sections/{questionnaire.id}/{section.id}"
        for questionnaire in respondent.themes()
        for section in questionnaire.sections
        for question in section.questions
    }
    return Seat(request.id, request.reference, cookie, sections)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database holds: comments and versions of answers, and every save that the trail knows."""

    answers: Mapping[tuple[UUID, str], tuple[int, str]]
    saves: int
    letters: Mapping[str, int]
    submitted: int


def kept(environ: Mapping[str, str]) -> Kept:
    """Read everything back, opening what is sealed."""
    database = opened(environ)
    try:
        with database.reading() as session:
            vault.preload(session, set(session.scalars(select(Vendor.key_id))))
            answers = {
                (row.request_id, row.question_id): (row.version, _comment(session, row))
                for row in session.scalars(select(Answer))
            }
            saves = session.scalar(select(func.count()).select_from(Event).where(Event.kind == "answer.saved")) or 0
            letters = dict(session.execute(select(Letter.kind, func.count()).group_by(Letter.kind)).all())
            submitted = session.scalar(select(func.count()).where(Request.submitted_at.is_not(None))) or 0
            return Kept(answers, saves, letters, submitted)
    finally:
        database.close()


def _comment(session: Session, row: Answer) -> str:
    return str(vault.open_json(session, row.body, context=f"answer:{row.request_id}:{row.question_id}")["comment"])
