"""Vendors: adding them without doubles, changing, finding and listing them. Called by the staff pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, false, func, or_, select, update
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.base import Sealed
from vendorrisk.db.models import Assessment, Contact, IndexTerm, Vendor
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.services import actors, audit, paging, references
from vendorrisk.services.casework import contacts, names
from vendorrisk.services.casework.contacts import NewContact
from vendorrisk.services.paging import Page

PAGE_SIZE = 25
ERASED = "Erased vendor"
"""What stands in lists instead of an erased vendor's name."""
UNRATED = "none"
"""The band filter that finds vendors whose latest assessment has no band yet."""


@dataclass(frozen=True, slots=True)
class NewVendor:
    """What staff type about a vendor; `names` has been over name and website."""

    name: str
    website: str = ""
    aliases: tuple[str, ...] = ()
    contact: NewContact | None = None


@dataclass(frozen=True, slots=True)
class Double:
    """A vendor that is perhaps the one about to be added."""

    reference: str
    name: str
    website: str
    why: str


@dataclass(frozen=True, slots=True)
class VendorRow:
    """One line of the list of vendors, with the figures of its latest assessment."""

    reference: str
    name: str
    active_at: datetime
    assessment: str | None
    status: AssessmentStatus | None
    tier: int | None
    band: str | None
    provisional: bool


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


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list of vendors is narrowed to."""

    search: str = ""
    tier: int | None = None
    band: str = ""
    sort: str = "activity"

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return bool(self.search or self.tier or self.band)


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


def doubles(session: Session, new: NewVendor, *, apart_from: UUID | None = None) -> list[Double]:
    """Vendors of the same domain or the same name (compared without case, accents and legal form); at most five."""
    host = names.domain(new.website)
    alike = {vault.index_term(session, "name", names.same(name)) for name in (new.name, *new.aliases)}
    same_name = and_(IndexTerm.kind == "name", IndexTerm.term.in_(alike))
    same_domain = _has("domain", vault.index_term(session, "domain", host)) if host else false()
    query = (
        select(Vendor, func.max(IndexTerm.kind))
        .join(IndexTerm, IndexTerm.subject_id == Vendor.id)
        .where(or_(same_name, same_domain), Vendor.id != apart_from if apart_from else Vendor.id.is_not(None))
        .group_by(Vendor.id)
        .order_by(Vendor.active_at.desc())
        .limit(5)
    )
    found = [(vendor, kind) for vendor, kind in session.execute(query)]
    vault.preload(session, [vendor.key_id for vendor, _ in found])
    return [_double(session, vendor, kind) for vendor, kind in found]


def _double(session: Session, vendor: Vendor, kind: str) -> Double:
    shown = view(session, vendor)
    why = "the same name" if kind == "name" else "the same web address"
    return Double(shown.reference, shown.name, shown.website, why)


def page(session: Session, filters: Filters, number: int) -> Page[VendorRow]:
    """One page of the list of vendors. Four queries, however many vendors there are."""
    latest = (
        select(Assessment.id)
        .where(Assessment.vendor_id == Vendor.id)
        .order_by(Assessment.created_at.desc(), Assessment.id)
        .limit(1)
        .correlate(Vendor)
        .scalar_subquery()
    )
    conditions = _conditions(session, filters)
    joined = select(Vendor, Assessment).outerjoin(Assessment, Assessment.id == latest).where(*conditions)
    by_case = filters.band or filters.tier is not None
    total = paging.count(
        session, joined.with_only_columns(Vendor.id) if by_case else select(Vendor.id).where(*conditions)
    )
    number = paging.within(number, total, PAGE_SIZE)
    order = {"reference": (Vendor.reference,), "tier": (Assessment.tier.is_(None), Assessment.tier)}.get(
        filters.sort, ()
    )
    rows = session.execute(
        joined.order_by(*order, Vendor.active_at.desc(), Vendor.id).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    ).all()
    vault.preload(session, [vendor.key_id for vendor, _ in rows])
    items = tuple(_row(session, vendor, assessment) for vendor, assessment in rows)
    return Page(items=items, number=number, size=PAGE_SIZE, total=total)


def _row(session: Session, vendor: Vendor, latest: Assessment | None) -> VendorRow:
    return VendorRow(
        reference=vendor.reference, name=shown_name(session, vendor.name),
        active_at=vendor.active_at,
        assessment=latest.reference if latest else None, status=latest.status if latest else None,
        tier=latest.tier if latest else None, band=latest.band if latest else None,
        provisional=latest.provisional if latest else False,
    )  # fmt: skip


def _conditions(session: Session, filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.search.strip():
        conditions.append(found_by(session, filters.search))
    if filters.tier is not None:
        conditions.append(Assessment.tier == filters.tier)
    if filters.band:
        conditions.append(Assessment.band.is_(None) if filters.band == UNRATED else Assessment.band == filters.band)
    return conditions


def found_by(session: Session, query: str) -> ColumnElement[bool]:
    """What a search finds: by words of the name or their beginnings, domain, contact's address, reference."""
    text = query.strip()
    ways: list[ColumnElement[bool]] = [Vendor.reference == text.upper()]
    sought = names.sought(text)
    if sought:
        ways.append(and_(*(_indexed(session, "prefix", word) for word in sought)))
    ways.append(_indexed(session, "domain", text.lower().rpartition("://")[2].partition("/")[0].removeprefix("www.")))
    address = vault.index_term(session, "email", text.casefold())
    by_address = select(Contact.vendor_id).join(IndexTerm, IndexTerm.subject_id == Contact.id)
    ways.append(Vendor.id.in_(by_address.where(_has("email", address))))
    return or_(*ways)


def _has(kind: str, term: bytes) -> ColumnElement[bool]:
    return and_(IndexTerm.kind == kind, IndexTerm.term == term)


def _indexed(session: Session, kind: str, word: str) -> ColumnElement[bool]:
    return Vendor.id.in_(select(IndexTerm.subject_id).where(_has(kind, vault.index_term(session, kind, word))))


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
