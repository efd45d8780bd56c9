"""A request with all three questionnaires and every question answered, and a browser that may go on; for benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from bench import respondent
from tests import builders
from vendorrisk.domain.answers import PartialDate, Signature, Value
from vendorrisk.domain.questionnaire import Question, QuestionType
from vendorrisk.services.answering import responses

COMMENT = "As agreed with our security team; see the policy on access to customer lists, section 4."
_CHOICE = (QuestionType.YES_NO, QuestionType.CHOICE)


@dataclass(frozen=True, slots=True)
class Visit:
    """Where the respondent is, by which cookie, and the questions that a code answers."""

    reference: str
    cookie: str
    choices: tuple[Question, ...]


def visit(session: Session, *, now: datetime) -> Visit:
    """Send the questionnaires, pass the code, answer everything."""
    seated = respondent.seat(session, now=now)
    request = seated.request
    questions = responses.load(session, request).questions
    for question in questions.values():
        builders.add_answer(session, request, question.id, _value(question, now.date()), comment=COMMENT, now=now)
    return Visit(seated.reference, seated.cookie, tuple(q for q in questions.values() if q.type in _CHOICE))


def _value(question: Question, today: date) -> Value:
    codes = [option.code for option in question.options]
    if question.type in _CHOICE:
        return codes[0]
    if question.type is QuestionType.CHOICES:
        return (codes[0],)
    if question.type is QuestionType.DATE:
        return PartialDate(today.year - 1)
    if question.type is QuestionType.DECLARATION:
        return Signature("Victor Lang", "Head of security", today)
    if question.type is QuestionType.FILE:
        return ("policy.pdf",)
    return (question.special or tuple(codes[-1:]) or ("Two paragraphs about how this is done. " * 8,))[0]


def form(question_id: str, code: str, version: int, token: str) -> dict[str, str]:
    """What the page's script sends for a choice."""
    name = f"q-{question_id}"
    return {
        "csrf_token": token, name: code, f"{name}-comment": COMMENT, f"{name}-na-reason": "",
        f"{name}-version": str(version), f"{name}-seen": "0123456789ab",
    }  # fmt: skip
