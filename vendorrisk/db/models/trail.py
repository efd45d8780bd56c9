"""The trail: append-only events, each with its own HMAC, and the chain that the sealer makes of them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from vendorrisk.db.base import Base, Sealed

_Position = BigInteger().with_variant(Integer, "sqlite")


class Event(Base):
    """Something that happened. `details` is sealed; the HMAC covers every column, over the ciphertext."""

    __tablename__ = "trail_events"
    __table_args__ = (
        Index("ix_trail_events_object", "object_kind", "object_id", "at"),
        Index("ix_trail_events_actor", "actor_id", "at"),
        Index("ix_trail_events_kind", "kind", "at"),
    )

    number: Mapped[int] = mapped_column(_Position, primary_key=True, autoincrement=True)
    id: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    at: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(40))
    actor_kind: Mapped[str] = mapped_column(String(10))
    actor_id: Mapped[str] = mapped_column(String(64))
    object_kind: Mapped[str] = mapped_column(String(20), doc="assessment, vendor, user, …")
    object_id: Mapped[UUID]
    details: Mapped[Sealed] = mapped_column(doc="JSON with the actor's name; context trail.details")
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class Link(Base):
    """One event's place in the chain (domain/chain.py). The sealer adds them; none is ever changed."""

    __tablename__ = "trail_links"

    position: Mapped[int] = mapped_column(_Position, primary_key=True, autoincrement=False)
    event_number: Mapped[int] = mapped_column(_Position, ForeignKey("trail_events.number"), unique=True)
    chain: Mapped[bytes] = mapped_column(LargeBinary(32), doc="SHA-256 over the link before it and the whole event.")
    sealed_at: Mapped[datetime]
    seal: Mapped[bytes | None] = mapped_column(LargeBinary(32), doc="HMAC of `chain`. A check names a link without.")


class MailedHead(Base):
    """The chain's head as it was mailed on one day. Its row decides which worker mails it."""

    __tablename__ = "trail_heads"

    day: Mapped[date] = mapped_column(primary_key=True, doc="In UTC.")
    position: Mapped[int] = mapped_column(_Position)
    chain: Mapped[bytes] = mapped_column(LargeBinary(32))
    mailed_at: Mapped[datetime]
