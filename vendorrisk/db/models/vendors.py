"""Vendors, their keys, their contacts, and the blind index by which sealed names are found."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from vendorrisk.db.base import Base, Sealed, UuidKey

_IS_ERASED = text("erased_at IS NOT NULL")


class DataKey(Base):
    """A key that seals one vendor's data, or the system's own, wrapped by a master key; see db/vault.py."""

    __tablename__ = "data_keys"

    id: Mapped[UuidKey]
    purpose: Mapped[str] = mapped_column(String(20), index=True, doc='"vendor", "system" or "root"')
    wrapped: Mapped[bytes | None] = mapped_column(doc="None once destroyed: what it sealed is gone for good.")
    master_id: Mapped[str] = mapped_column(String(32), doc="Which master key wraps it.")
    created_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]


class Vendor(Base):
    """A company that we buy from, or may. Everything that names it is sealed with its key."""

    __tablename__ = "vendors"
    __table_args__ = (Index("ix_vendors_erased", "id", sqlite_where=_IS_ERASED, postgresql_where=_IS_ERASED),)

    id: Mapped[UuidKey]
    reference: Mapped[str] = mapped_column(String(20), unique=True, doc="V-7F3K2: random, so that it tells no count.")
    key_id: Mapped[UUID] = mapped_column(ForeignKey("data_keys.id"))
    name: Mapped[Sealed] = mapped_column(doc="context vendor.name")
    website: Mapped[Sealed | None] = mapped_column(doc="context vendor.website")
    aliases: Mapped[Sealed | None] = mapped_column(doc="JSON list, context vendor.aliases")
    active_at: Mapped[datetime] = mapped_column(index=True, doc="Last activity, for sorting.")
    erased_at: Mapped[datetime | None] = mapped_column(doc="When its key was destroyed: nothing sealed opens any more.")
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    version: Mapped[int] = mapped_column(default=1)

    key: Mapped[DataKey] = relationship(lazy="raise")
    contacts: Mapped[list[Contact]] = relationship(back_populates="vendor", lazy="raise")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class Contact(Base):
    """Somebody at a vendor who can be asked."""

    __tablename__ = "contacts"

    id: Mapped[UuidKey]
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), index=True)
    name: Mapped[Sealed] = mapped_column(doc="context contact.name")
    email: Mapped[Sealed] = mapped_column(doc="context contact.email")
    role: Mapped[Sealed | None] = mapped_column(doc="context contact.role")
    phone: Mapped[Sealed | None] = mapped_column(doc="context contact.phone")
    is_primary: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    vendor: Mapped[Vendor] = relationship(back_populates="contacts", lazy="raise")


class IndexTerm(Base):
    """One keyed hash of a word, prefix, domain or address: finds sealed rows without opening them."""

    __tablename__ = "index_terms"
    __table_args__ = (Index("ix_index_terms_look_up", "kind", "term", "subject_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(20), doc="name, prefix, domain or email")
    term: Mapped[bytes] = mapped_column(LargeBinary(16))
    subject_id: Mapped[UUID] = mapped_column(index=True, doc="A vendor's or contact's id.")
