"""The ledger of stored files: what lies in the storage, or is about to, or has to go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from vendorrisk.db.base import Base, stored_enum
from vendorrisk.domain.assessment import FileState


class StoredFile(Base):
    """One name in the storage. Written before the file is, deleted after it: see services/files.py."""

    __tablename__ = "stored_files"
    __table_args__ = (Index("ix_stored_files_work", "state", "leased_until"),)

    name: Mapped[str] = mapped_column(String(80), primary_key=True, doc="Random; evidence and reports point to it.")
    state: Mapped[FileState] = mapped_column(stored_enum(FileState))
    leased_until: Mapped[datetime] = mapped_column(doc="Until when somebody may still be writing it.")
