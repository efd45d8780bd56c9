"""Vendors: adding and changing one, and its values opened. Called by the staff pages; `vendor_search` lists them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.base import Sealed
from vendorrisk.db.models import IndexTerm, Vendor
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.services import actors, audit, references
from vendorrisk.services.casework import contacts, names
from vendorrisk.services.casework.contacts import NewContact

ERASED = "Erased vendor"
"""What stands in lists instead of an erased vendor's name."""


@dataclass(frozen=True, slots=True)
class NewVendor:
    """What staff type about a vendor; `names` has been over name and website."""

    name: str
    website: str = ""
    aliases: tuple[str, ...] = ()
    contact: NewContact | None = None


@dataclass(frozen=True, slots=True)
class VendorView:
    """One vendor with its values opened."""

    id: UUID
    reference: str
    name: str
    website: str
    aliases: tuple[str, ...]
    created_at: datetime
    active_at: datetime
    version: int


def add(session: Session, new: NewVendor, *, by: Actor, now: datetime) -> Vendor:
    """Register a vendor under a data key of its own, with its first contact if one is given."""
    key_id = vault.add_key(session, "vendor", now=now)
    vendor = Vendor(
        reference=references.vendor(session, Vendor.reference), key_id=key_id, active_at=now, created_at=now,
        created_by=actors.user_id(by),
    )  # fmt: skip
    _fill(session, vendor, new)
    session.add(vendor)
    session.flush()
    _index(session, vendor, new)
    _record(session, EventKind.VENDOR_ADDED, vendor, new, by=by, now=now)
    if new.contact is not None:
        contacts.add(session, vendor, new.contact, by=by, now=now)
    return vendor


def change(session: Session, vendor: Vendor, new: NewVendor, *, expected: int, by: Actor, now: datetime) -> None:
    """Change a vendor's names and website. Raises WrongState where somebody else changed it since `expected`."""
    if vendor.version != expected:
        raise WrongState("Somebody else changed this vendor while you were typing.")
    _fill(session, vendor, new)
    vendor.active_at = now
    session.execute(delete(IndexTerm).where(IndexTerm.subject_id == vendor.id))
    _index(session, vendor, new)
    _record(session, EventKind.VENDOR_CHANGED, vendor, new, by=by, now=now)


def touch(session: Session, vendor_id: UUID, *, now: datetime) -> None:
    """Note that something happened with this vendor: lists sort by it. Leaves the row's version alone."""
    session.execute(update(Vendor).where(Vendor.id == vendor_id).values(active_at=now))


def get(session: Session, reference: str) -> Vendor:
    """The vendor with this reference. Raises NotFound."""
    vendor = session.scalar(select(Vendor).where(Vendor.reference == reference))
    if vendor is None:
        raise NotFound("There is no such vendor.")
    return vendor


def view(session: Session, vendor: Vendor) -> VendorView:
    """The vendor with its values opened."""
    aliases = vault.open_json(session, vendor.aliases, context="vendor.aliases") if vendor.aliases else []
    return VendorView(
        id=vendor.id, reference=vendor.reference, name=name_of(session, vendor),
        website=vault.open_optional(session, vendor.website, context="vendor.website"), aliases=tuple(aliases),
        created_at=vendor.created_at, active_at=vendor.active_at, version=vendor.version,
    )  # fmt: skip


def name_of(session: Session, vendor: Vendor) -> str:
    """The vendor's name."""
    return vault.open_text(session, vendor.name, context="vendor.name")


def shown_name(session: Session, name: Sealed) -> str:
    """The vendor's name for lists and headings, where an erased vendor still has its row."""
    return vault.show_text(session, name, context="vendor.name", erased=ERASED)


def _fill(session: Session, vendor: Vendor, new: NewVendor) -> None:
    def seal(text: str, what: str) -> Sealed:
        return vault.seal_text(session, vendor.key_id, text, context=f"vendor.{what}")

    vendor.name = seal(new.name, "name")
    vendor.website = seal(new.website, "website") if new.website else None
    aliases = list(new.aliases)
    vendor.aliases = vault.seal_json(session, vendor.key_id, aliases, context="vendor.aliases") if aliases else None


def _index(session: Session, vendor: Vendor, new: NewVendor) -> None:
    for kind, word in sorted(names.terms((new.name, *new.aliases), new.website)):
        session.add(IndexTerm(kind=kind, term=vault.index_term(session, kind, word), subject_id=vendor.id))


def _record(session: Session, kind: EventKind, vendor: Vendor, new: NewVendor, *, by: Actor, now: datetime) -> None:
    details = {"vendor": vendor.reference, "name": new.name, "website": new.website, "aliases": list(new.aliases)}
    audit.record(
        session, kind, object_kind="vendor", object_id=vendor.id, key_id=vendor.key_id, by=by, now=now, details=details
    )
