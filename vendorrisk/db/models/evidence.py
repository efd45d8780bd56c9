"""Files that vendors attach: sealed on disk or in a bucket, described here."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from vendorrisk.db.base import Base, Sealed, UuidKey


class Evidence(Base):
    """One file. Removed files keep their row (the trail names them) but lose their bytes."""

    __tablename__ = "evidence"

    id: Mapped[UuidKey]
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), index=True)
    name: Mapped[Sealed] = mapped_column(doc="File name as sent; context evidence.name")
    kind: Mapped[str] = mapped_column(String(10), doc="pdf, png, jpg, docx, xlsx, csv or txt")
    size: Mapped[int] = mapped_column(doc="bytes")
    sha256: Mapped[Sealed | None] = mapped_column(doc="Of the plain bytes, in hex; context evidence.sha256")
    storage_name: Mapped[str] = mapped_column(String(80), doc="Of a stored file, while it is not removed.")
    scan: Mapped[str] = mapped_column(String(20), default="not_scanned", doc="not_scanned or clean")
    scanned_at: Mapped[datetime | None]
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[Sealed] = mapped_column(doc="context evidence.uploaded_by")
    removed_at: Mapped[datetime | None]


class EvidenceUse(Base):
    """Which question a file backs; one file may back several."""

    __tablename__ = "evidence_uses"

    evidence_id: Mapped[UUID] = mapped_column(ForeignKey("evidence.id"), primary_key=True)
    question_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), index=True)
