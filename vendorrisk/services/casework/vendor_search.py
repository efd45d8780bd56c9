"""Vendors found: a page of the list, narrowed, and those that a new one may be already. Called by the staff pages.

Names are sealed: keyed hashes of their words and beginnings (`index_terms`) find them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, and_, false, func, or_, select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Assessment, Contact, IndexTerm, Vendor
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.services import paging
from vendorrisk.services.casework import cases, names, vendors
from vendorrisk.services.casework.vendors import NewVendor
from vendorrisk.services.paging import Page

PAGE_SIZE = 25
_FIRST = {"reference": (Vendor.reference,), "tier": (Assessment.tier.is_(None), Assessment.tier)}
"""What a `sort` goes by before activity."""


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


@dataclass(frozen=True, slots=True)
class VendorRow:
    """One line of the list of vendors, with the figures of its latest assessment."""

    id: UUID
    reference: str
    name: str
    active_at: datetime
    assessment: str | None
    status: AssessmentStatus | None
    tier: int | None
    band: str | None
    provisional: bool


def page(session: Session, filters: Filters, number: int) -> Page[VendorRow]:
    """One page of the list of vendors. Four queries, however many vendors there are."""
    conditions = _conditions(session, filters)
    joined = select(Vendor, Assessment).outerjoin(Assessment, Assessment.id == _latest_case()).where(*conditions)
    by_case = filters.band or filters.tier is not None
    total = paging.count(
        session, joined.with_only_columns(Vendor.id) if by_case else select(Vendor.id).where(*conditions)
    )
    number = paging.within(number, total, PAGE_SIZE)
    ordered = joined.order_by(*_FIRST.get(filters.sort, ()), Vendor.active_at.desc(), Vendor.id)
    rows = session.execute(ordered.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    vault.preload(session, [vendor.key_id for vendor, _ in rows])
    items = tuple(_row(session, vendor, assessment) for vendor, assessment in rows)
    return Page(items=items, number=number, size=PAGE_SIZE, total=total)


@cache
def _latest_case() -> ScalarSelect[UUID]:
    """The id of a vendor's latest assessment, for a join."""
    return (
        select(Assessment.id)
        .where(Assessment.vendor_id == Vendor.id)
        .order_by(Assessment.created_at.desc(), Assessment.id)
        .limit(1)
        .correlate(Vendor)
        .scalar_subquery()
    )


def _row(session: Session, vendor: Vendor, latest: Assessment | None) -> VendorRow:
    return VendorRow(
        id=vendor.id, reference=vendor.reference, name=vendors.shown_name(session, vendor.name),
        active_at=vendor.active_at,
        assessment=latest.reference if latest else None, status=latest.status if latest else None,
        tier=latest.tier if latest else None, band=latest.band if latest else None,
        provisional=latest.provisional if latest else False,
    )  # fmt: skip


def _conditions(session: Session, filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.search.strip():
        conditions.append(_found_by(session, filters.search))
    if filters.tier is not None:
        conditions.append(Assessment.tier == filters.tier)
    if filters.band:
        conditions.append(cases.of_band(filters.band))
    return conditions


def _found_by(session: Session, query: str) -> ColumnElement[bool]:
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


@dataclass(frozen=True, slots=True)
class Double:
    """A vendor that is perhaps the one about to be added."""

    reference: str
    name: str
    website: str
    why: str


def doubles(session: Session, new: NewVendor) -> list[Double]:
    """Vendors of the same domain or the same name (compared without case, accents and legal form); at most five."""
    host = names.domain(new.website)
    alike = {vault.index_term(session, "name", names.same(name)) for name in (new.name, *new.aliases)}
    same_name = and_(IndexTerm.kind == "name", IndexTerm.term.in_(alike))
    same_domain = _has("domain", vault.index_term(session, "domain", host)) if host else false()
    query = (
        select(Vendor, func.max(IndexTerm.kind))
        .join(IndexTerm, IndexTerm.subject_id == Vendor.id)
        .where(or_(same_name, same_domain))
        .group_by(Vendor.id)
        .order_by(Vendor.active_at.desc())
        .limit(5)
    )
    found = [(vendor, kind) for vendor, kind in session.execute(query)]
    vault.preload(session, [vendor.key_id for vendor, _ in found])
    return [_double(session, vendor, kind) for vendor, kind in found]


def _double(session: Session, vendor: Vendor, kind: str) -> Double:
    shown = vendors.view(session, vendor)
    why = "the same name" if kind == "name" else "the same web address"
    return Double(shown.reference, shown.name, shown.website, why)
