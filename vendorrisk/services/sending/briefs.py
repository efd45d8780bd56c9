"""What a vendor is told about a request before answering: who asks, about what, how much it is, until when.

Called by the vendor's pages, by `invitations` for its letters, and by `requests` for the preview of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Assessment, Request, User
from vendorrisk.domain import conditions
from vendorrisk.domain.questionnaire import Questionnaire
from vendorrisk.services import actors, copies
from vendorrisk.settings import Settings

SECONDS_A_QUESTION = 45


@dataclass(frozen=True, slots=True)
class Brief:
    """The request in plain values. `questions` are those asked of everybody, `more` depend on answers."""

    reference: str
    organisation: str
    sender_name: str
    sender_email: str
    sender_phone: str
    service: str
    note: str
    titles: tuple[str, ...]
    sections: int
    questions: int
    more: int
    minutes: int
    due_at: datetime
    closes_at: datetime
    zone: str


def of(session: Session, request: Request, *, settings: Settings) -> Brief:
    """The brief of one request."""
    assessment = session.get_one(Assessment, request.assessment_id)
    return draw_up(
        copies.questionnaires(session, request.copies),
        session.get(User, request.sent_by) if request.sent_by else None,
        organisation=settings.organisation, reference=request.reference,
        service=vault.open_text(session, assessment.service, context="assessment.service"),
        note=vault.open_optional(session, request.note, context="request.note"),
        due_at=request.due_at, closes_at=request.closes_at, zone=request.zone,
    )  # fmt: skip


def draw_up(
    questionnaires: Sequence[Questionnaire], sender: User | None, *, organisation: str, reference: str, service: str,
    note: str, due_at: datetime, closes_at: datetime, zone: str,
) -> Brief:  # fmt: skip
    """The brief of what was sent, or is about to be. Without a sender the organisation itself asks."""
    asked, more = counts(questionnaires)
    return Brief(
        reference=reference, organisation=organisation,
        sender_name=actors.name(sender) or organisation,
        sender_email=sender.email if sender else "", sender_phone=sender.phone if sender else "", service=service,
        note=note, titles=tuple(str(questionnaire.title) for questionnaire in questionnaires),
        sections=sum(len(questionnaire.sections) for questionnaire in questionnaires), questions=asked, more=more,
        minutes=minutes_for(asked), due_at=due_at, closes_at=closes_at, zone=zone,
    )  # fmt: skip


def counts(questionnaires: Sequence[Questionnaire]) -> tuple[int, int]:
    """How many questions are asked of everybody, and how many more depend on answers."""
    asked = len(conditions.visible(questionnaires, {}))
    return asked, sum(len(questionnaire.questions) for questionnaire in questionnaires) - asked


def minutes_for(questions: int) -> int:
    """How long that many questions take: 45 seconds each, rounded up to five minutes."""
    return max(5, -(-questions * SECONDS_A_QUESTION // 300) * 5)
