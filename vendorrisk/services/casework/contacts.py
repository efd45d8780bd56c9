"""Contacts: the people at a vendor who can be asked. Called by the vendor and send pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.base import Sealed
from vendorrisk.db.models import Contact, IndexTerm, Vendor
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.errors import NotFound
from vendorrisk.services import audit


@dataclass(frozen=True, slots=True)
class NewContact:
    """What staff type about a contact; `names.email` has been over the address."""

    name: str
    email: str
    role: str = ""
    phone: str = ""
    is_primary: bool = False


@dataclass(frozen=True, slots=True)
class ContactView:
    """A contact with its values opened."""

    id: UUID
    name: str
    email: str
    role: str
    phone: str
    is_primary: bool


def add(session: Session, vendor: Vendor, new: NewContact, *, by: Actor, now: datetime) -> Contact:
    """Add a contact; the first one becomes the one who is asked by default."""
    first = session.scalar(select(Contact.id).where(Contact.vendor_id == vendor.id).limit(1)) is None
    contact = Contact(vendor_id=vendor.id, created_at=now, is_primary=first)
    _fill(session, vendor, contact, new)
    session.add(contact)
    session.flush()
    _settle(session, vendor, contact, new)
    _record(session, EventKind.CONTACT_ADDED, vendor, contact, new, by=by, now=now)
    return contact


def change(session: Session, vendor: Vendor, contact_id: UUID, new: NewContact, *, by: Actor, now: datetime) -> Contact:
    """Change a contact of this vendor. Requests that were sent keep the name and address they were sent to."""
    contact = get(session, vendor, contact_id)
    _fill(session, vendor, contact, new)
    session.execute(delete(IndexTerm).where(IndexTerm.subject_id == contact.id))
    _settle(session, vendor, contact, new)
    _record(session, EventKind.CONTACT_CHANGED, vendor, contact, new, by=by, now=now)
    return contact


def get(session: Session, vendor: Vendor, contact_id: UUID) -> Contact:
    """The contact, if it is one of this vendor's. Raises NotFound."""
    contact = session.scalar(select(Contact).where(Contact.id == contact_id, Contact.vendor_id == vendor.id))
    if contact is None:
        raise NotFound("There is no such contact at this vendor.")
    return contact


def of_vendor(session: Session, vendor_id: UUID) -> list[ContactView]:
    """The vendor's contacts, the one who is asked by default first."""
    rows = session.scalars(
        select(Contact)
        .where(Contact.vendor_id == vendor_id)
        .order_by(Contact.is_primary.desc(), Contact.created_at, Contact.id)
    )
    return views(session, rows)


def views(session: Session, rows: Iterable[Contact]) -> list[ContactView]:
    """The contacts with their values opened."""
    return [view(session, row) for row in rows]


def view(session: Session, row: Contact) -> ContactView:
    """One contact with its values opened."""
    return ContactView(
        id=row.id,
        name=vault.open_text(session, row.name, context="contact.name"),
        email=vault.open_text(session, row.email, context="contact.email"),
        role=vault.open_optional(session, row.role, context="contact.role"),
        phone=vault.open_optional(session, row.phone, context="contact.phone"),
        is_primary=row.is_primary,
    )


def _fill(session: Session, vendor: Vendor, contact: Contact, new: NewContact) -> None:
    def seal(text: str, what: str) -> Sealed:
        return vault.seal_text(session, vendor.key_id, text, context=f"contact.{what}")

    contact.name = seal(new.name, "name")
    contact.email = seal(new.email, "email")
    contact.role = seal(new.role, "role") if new.role else None
    contact.phone = seal(new.phone, "phone") if new.phone else None


def _settle(session: Session, vendor: Vendor, contact: Contact, new: NewContact) -> None:
    """Index the address, and make sure that one contact only is the default one."""
    term = vault.index_term(session, "email", new.email.casefold())
    session.add(IndexTerm(kind="email", term=term, subject_id=contact.id))
    if new.is_primary:
        others = update(Contact).where(Contact.vendor_id == vendor.id, Contact.id != contact.id)
        session.execute(others.values(is_primary=False))
        contact.is_primary = True


def _record(
    session: Session, kind: EventKind, vendor: Vendor, contact: Contact, new: NewContact, *, by: Actor, now: datetime
) -> None:
    details = {"vendor": vendor.reference, "contact": str(contact.id), "name": new.name, "email": new.email}
    audit.record(
        session, kind, object_kind="vendor", object_id=vendor.id, key_id=vendor.key_id, by=by, now=now, details=details
    )
