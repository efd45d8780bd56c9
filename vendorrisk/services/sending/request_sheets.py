"""The request sheet: one request with all that its page shows, opened. Called by the staff's pages of one request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Invitation, Request, User
from vendorrisk.domain.assessment import RequestStatus
from vendorrisk.services import actors, copies
from vendorrisk.services.casework import assessments, cases, contacts, vendors
from vendorrisk.services.casework.contacts import ContactView
from vendorrisk.services.letters import outbox
from vendorrisk.services.letters.outbox import LetterView
from vendorrisk.services.sending import requests


@dataclass(frozen=True, slots=True)
class RequestSheet:
    """One request for its page."""

    id: UUID
    reference: str
    assessment: str
    vendor: str
    vendor_reference: str
    service: str
    status: RequestStatus
    to: ContactView
    invited_name: str
    invited_email: str
    questionnaires: tuple[tuple[str, str, int], ...]
    code_required: bool
    note: str
    due_at: datetime
    zone: str
    closes_at: datetime
    sent_at: datetime
    sent_by: str
    opened_at: datetime | None
    last_saved_at: datetime | None
    last_saved_by: str
    answered: int
    visible: int
    submitted_at: datetime | None
    submission_hash: str
    withdrawn_at: datetime | None
    links: tuple[datetime, ...]
    letters: tuple[LetterView, ...]

    @property
    def is_live(self) -> bool:
        """Whether the vendor may still answer."""
        return self.status in cases.LIVE


def show(session: Session, reference: str) -> RequestSheet:
    """One request for its page. Raises NotFound."""
    request, case, vendor = requests.get(session, reference)
    asked = copies.questionnaires(session, request.copies)
    contact = contacts.view(session, contacts.get(session, vendor, request.contact_id))
    issued = _issued(session, request)
    latest = issued[-1] if issued else None
    sender = session.get(User, request.sent_by) if request.sent_by else None
    return RequestSheet(
        id=request.id, reference=request.reference, assessment=case.reference,
        vendor=vendors.name_of(session, vendor), vendor_reference=vendor.reference,
        service=assessments.service_of(session, case), status=request.status, to=contact,
        invited_name=vault.open_text(session, latest.name, context="invitation.name") if latest else contact.name,
        invited_email=vault.open_text(session, latest.email, context="invitation.email") if latest else contact.email,
        questionnaires=tuple((str(q.title), q.version, len(q.questions)) for q in asked),
        code_required=request.code_required,
        note=vault.open_optional(session, request.note, context="request.note"), due_at=request.due_at,
        zone=request.zone, closes_at=request.closes_at, sent_at=request.sent_at,
        sent_by=actors.name(sender), opened_at=request.opened_at,
        last_saved_at=request.last_saved_at,
        last_saved_by=vault.open_optional(session, request.last_saved_by, context="request.last_saved_by"),
        answered=request.answered, visible=request.visible, submitted_at=request.submitted_at,
        submission_hash=request.submission_hash or "", withdrawn_at=request.withdrawn_at,
        links=tuple(invitation.created_at for invitation in issued),
        letters=tuple(outbox.of_request(session, request.id)),
    )  # fmt: skip


def _issued(session: Session, request: Request) -> list[Invitation]:
    query = select(Invitation).where(Invitation.request_id == request.id)
    return list(session.scalars(query.order_by(Invitation.created_at)))
