"""What we make of the answers: reviews, dismissed contradictions, scores, decisions and reports."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from vendorrisk.db.base import Base, Sealed, UuidKey, stored_enum
from vendorrisk.domain.answers import EvidenceLevel
from vendorrisk.domain.assessment import Outcome, WorkState


class Review(Base):
    """A reviewer's word on one answer: how well it is backed, whether "not applicable" stands, a changed grade."""

    __tablename__ = "reviews"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    question_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    answer_version: Mapped[int] = mapped_column(doc="The version that was looked at; a later one needs a new look.")
    evidence: Mapped[EvidenceLevel] = mapped_column(stored_enum(EvidenceLevel), default=EvidenceLevel.CLAIMED)
    na_approved: Mapped[bool | None] = mapped_column(doc="None: not decided; False: refused.")
    grade: Mapped[str | None] = mapped_column(String(40), doc="Of a table or file, where changed by the reviewer.")
    note: Mapped[Sealed | None] = mapped_column(doc="Internal, with the reason of a change; context review.note")
    by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]


class Dismissal(Base):
    """A contradiction that a reviewer set aside, with the reason. It holds only while the inputs stay the same."""

    __tablename__ = "dismissals"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), primary_key=True)
    rule_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    inputs_hash: Mapped[str] = mapped_column(String(64))
    reason: Mapped[Sealed] = mapped_column(doc="context dismissal.reason")
    by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]


class Score(Base):
    """One computed score with all its working, sealed. The figures that lists need are on the assessment."""

    __tablename__ = "scores"
    __table_args__ = (Index("ix_scores_assessment_computed", "assessment_id", "computed_at"),)

    id: Mapped[UuidKey]
    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessments.id"))
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"))
    method: Mapped[str] = mapped_column(String(20))
    inputs_hash: Mapped[str] = mapped_column(String(64))
    working: Mapped[Sealed] = mapped_column(doc="JSON of domain.scoring.Score; context score.working")
    provisional: Mapped[bool]
    computed_at: Mapped[datetime]


class Decision(Base):
    """What was decided, why, until when. A later one supersedes it; none is changed."""

    __tablename__ = "decisions"

    id: Mapped[UuidKey]
    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessments.id"), index=True)
    score_id: Mapped[UUID] = mapped_column(ForeignKey("scores.id"))
    outcome: Mapped[Outcome] = mapped_column(stored_enum(Outcome))
    reason: Mapped[Sealed] = mapped_column(doc="context decision.reason")
    conditions: Mapped[Sealed | None] = mapped_column(
        doc="JSON list of {what, owner, due}; context decision.conditions"
    )
    valid_until: Mapped[date]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime]


class Report(Base):
    """A PDF: asked for, made once by a job, kept. The same `snapshot` (every value in it) is the same bytes."""

    __tablename__ = "reports"
    __table_args__ = (Index("ix_reports_work", "state", "not_before"),)

    id: Mapped[UuidKey]
    reference: Mapped[str] = mapped_column(String(30), unique=True, doc="P-2026-7K3M2Q")
    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessments.id"), index=True)
    decision_id: Mapped[UUID | None] = mapped_column(ForeignKey("decisions.id"))
    snapshot: Mapped[Sealed] = mapped_column(doc="JSON of reports.view.Report; context report.snapshot")
    snapshot_hash: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[WorkState] = mapped_column(stored_enum(WorkState), default=WorkState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(String(500), default="")
    storage_name: Mapped[str | None] = mapped_column(String(80))
    sha256: Mapped[str | None] = mapped_column(String(64), doc="Of the PDF.")
    size: Mapped[int | None]
    head_position: Mapped[int | None] = mapped_column(BigInteger, doc="The trail's head that is printed in it.")
    head_chain: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime]
    made_at: Mapped[datetime | None]
