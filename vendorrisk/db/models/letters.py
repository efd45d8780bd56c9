"""The outbox: a letter is a row written in the same transaction as the change it tells of."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from vendorrisk.db.base import Base, Sealed, UuidKey, stored_enum
from vendorrisk.domain.assessment import WorkState


class Letter(Base):
    """One letter. What it says and to whom is sealed (it may hold a link); state and times are plain."""

    __tablename__ = "letters"
    __table_args__ = (
        Index("ix_letters_work", "state", "not_before"),
        Index("ix_letters_request_state", "request_id", "state"),
    )

    id: Mapped[UuidKey]
    kind: Mapped[str] = mapped_column(String(40), doc="A function of mail/messages.py.")
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("requests.id"))
    content: Mapped[Sealed] = mapped_column(
        doc="JSON to, to_name, reply_to, subject, text, html; context letter.content"
    )
    message_id: Mapped[str] = mapped_column(String(200), unique=True, doc="Without the domain; the same at each try.")
    state: Mapped[WorkState] = mapped_column(stored_enum(WorkState), default=WorkState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(String(500), default="", doc="The mail server's codes, or our own words.")
    said: Mapped[Sealed | None] = mapped_column(doc="The mail server's words, which may name it; context letter.said")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
