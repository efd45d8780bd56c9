"""The case: an assessment with its intake and figures, the request sent to the vendor, and the vendor's answers."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from vendorrisk.db.base import Base, Sealed, UuidKey, stored_enum
from vendorrisk.db.models.vendors import Vendor
from vendorrisk.domain.assessment import AssessmentStatus, Origin, RequestStatus


class Copy(Base):
    """A questionnaire or rule set as it was when used, stored under its own digest: it can never change."""

    __tablename__ = "copies"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True, doc="SHA-256 of the canonical JSON")
    kind: Mapped[str] = mapped_column(String(20), doc='"questionnaire" or "rules"')
    plain: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class Assessment(Base):
    """The case. Its figures are columns, so that no list reads answers."""

    __tablename__ = "assessments"
    __table_args__ = (
        # Each list has the index whose order it shows; see home.py and assessments.py in services/casework.
        # What Home asks of a case is in the index: rows are many, and lie scattered.
        Index("ix_assessments_status_due", "status", "due_at", "provisional", "vendor_id", "id"),
        Index("ix_assessments_status_active", "status", "active_at", "vendor_id", "id"),
        Index("ix_assessments_status_decided", "status", "decided_at", "vendor_id", "id"),
        Index("ix_assessments_band_active", "band", "active_at"),
        Index("ix_assessments_tier_active", "tier", "active_at"),
        Index("ix_assessments_vendor_created", "vendor_id", "created_at"),
    )

    id: Mapped[UuidKey]
    reference: Mapped[str] = mapped_column(String(20), unique=True, doc="A-2026-0042")
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"))
    service: Mapped[Sealed] = mapped_column(doc="What we buy; context assessment.service")
    status: Mapped[AssessmentStatus] = mapped_column(stored_enum(AssessmentStatus), default=AssessmentStatus.INTAKE)
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    intake_copy: Mapped[str] = mapped_column(ForeignKey("copies.digest"))
    intake: Mapped[Sealed | None] = mapped_column(doc="JSON, answers by question id; context assessment.intake")
    intake_done_at: Mapped[datetime | None]
    inherent: Mapped[Decimal | None] = mapped_column(Numeric(7, 4))
    tier: Mapped[int | None]
    due_at: Mapped[datetime | None]
    effectiveness: Mapped[Decimal | None] = mapped_column(Numeric(7, 4), doc="CE, assured")
    residual: Mapped[Decimal | None] = mapped_column(Numeric(7, 4), doc="assured")
    residual_declared: Mapped[Decimal | None] = mapped_column(Numeric(7, 4))
    band: Mapped[str | None] = mapped_column(String(20))
    provisional: Mapped[bool] = mapped_column(default=True)
    flags_critical: Mapped[int] = mapped_column(default=0)
    flags_high: Mapped[int] = mapped_column(default=0)
    flags_medium: Mapped[int] = mapped_column(default=0)
    decided_at: Mapped[datetime | None]
    active_at: Mapped[datetime] = mapped_column(index=True)
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    version: Mapped[int] = mapped_column(default=1)

    vendor: Mapped[Vendor] = relationship(lazy="raise")
    requests: Mapped[list[Request]] = relationship(back_populates="assessment", lazy="raise")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class Request(Base):
    """One sending to a vendor. `copies` are the digests of its questionnaires as they were when sent."""

    __tablename__ = "requests"
    __table_args__ = (Index("ix_requests_assessment_sent", "assessment_id", "sent_at", "id"),)

    id: Mapped[UuidKey]
    reference: Mapped[str] = mapped_column(String(20), unique=True, doc="R-7F3K2M")
    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessments.id"))
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), index=True)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id"))
    copies: Mapped[list[str]] = mapped_column(doc="Digests of the questionnaires, in order.")
    rules_copy: Mapped[str] = mapped_column(ForeignKey("copies.digest"))
    status: Mapped[RequestStatus] = mapped_column(stored_enum(RequestStatus), default=RequestStatus.SENT, index=True)
    code_required: Mapped[bool] = mapped_column(default=True)
    note: Mapped[Sealed | None] = mapped_column(doc="To the vendor; context request.note")
    due_at: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(64), default="UTC")
    closes_at: Mapped[datetime] = mapped_column(doc="Due + 14 days: the link lives until then.")
    sent_at: Mapped[datetime]
    sent_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    opened_at: Mapped[datetime | None]
    last_saved_at: Mapped[datetime | None]
    last_saved_by: Mapped[Sealed | None] = mapped_column(doc="context request.last_saved_by")
    answered: Mapped[int] = mapped_column(default=0, doc="Of `visible`; kept so that no list reads answers.")
    visible: Mapped[int] = mapped_column(default=0)
    submitted_at: Mapped[datetime | None]
    submission: Mapped[Sealed | None] = mapped_column(doc="JSON name, role, counts; context request.submission")
    submission_hash: Mapped[str | None] = mapped_column(String(64))
    withdrawn_at: Mapped[datetime | None]

    assessment: Mapped[Assessment] = relationship(back_populates="requests", lazy="raise")
    answers: Mapped[list[Answer]] = relationship(back_populates="request", lazy="raise")


class Answer(Base):
    """One answer. What was said is sealed as one JSON body; the row says only its state, version and origin.

    body: {"value": plain value or null, "not_applicable": reason or null, "comment": text, "source": link or text,
    "by": name of who answered}; context "answer:<request id>:<question id>".
    """

    __tablename__ = "answers"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    question_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    body: Mapped[Sealed]
    state: Mapped[str] = mapped_column(String(20), doc="answered, unanswered, not_applicable or unknown")
    version: Mapped[int] = mapped_column(default=1)
    origin: Mapped[Origin] = mapped_column(stored_enum(Origin))
    answered_on: Mapped[date] = mapped_column(doc="The last confirmation: the age in the score counts from here.")
    saved_at: Mapped[datetime]

    request: Mapped[Request] = relationship(back_populates="answers", lazy="raise")


class Invitation(Base):
    """A link. The token itself is only in the letter; here is its SHA-256. It lives until the request closes."""

    __tablename__ = "invitations"

    id: Mapped[UuidKey]
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    name: Mapped[Sealed] = mapped_column(doc="context invitation.name")
    email: Mapped[Sealed] = mapped_column(doc="context invitation.email")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]


class AccessCode(Base):
    """A six-digit code mailed to the invited mailbox: ten minutes, five tries, once."""

    __tablename__ = "access_codes"

    id: Mapped[UuidKey]
    invitation_id: Mapped[UUID] = mapped_column(ForeignKey("invitations.id"), index=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary(32), doc="The browser that asked; only it may redeem.")
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), doc="Keyed hash of code and row id.")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]


class RespondentSession(Base):
    """A browser at the vendor that has passed the code; remembered until the request closes."""

    __tablename__ = "respondent_sessions"

    id: Mapped[UuidKey]
    invitation_id: Mapped[UUID] = mapped_column(ForeignKey("invitations.id"), index=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True, doc="SHA-256 of the cookie.")
    name: Mapped[Sealed | None] = mapped_column(doc="context session.name")
    role: Mapped[Sealed | None] = mapped_column(doc="context session.role")
    started_at: Mapped[datetime | None] = mapped_column(doc="When Start was pressed on the landing page.")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]


class Attempt(Base):
    """One try at something limited (a code, a password, a fresh link): limits survive a restart."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_bucket_at", "bucket", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    bucket: Mapped[bytes] = mapped_column(LargeBinary(16), doc="Keyed hash of what is limited and for whom.")
    at: Mapped[datetime] = mapped_column(index=True)
