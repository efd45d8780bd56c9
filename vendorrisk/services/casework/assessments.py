"""Assessments: opening a case, finding and listing cases. Called by the staff pages; `intake` and `requests` go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Assessment, User, Vendor
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.errors import NotFound
from vendorrisk.domain.questionnaire import Questionnaire
from vendorrisk.services import actors, audit, copies, paging, references
from vendorrisk.services.casework import cases, vendors
from vendorrisk.services.casework.cases import CaseRow
from vendorrisk.services.paging import Page

PAGE_SIZE = 25
DUE_SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list of assessments is narrowed to; `due` is "overdue" or "soon"."""

    status: AssessmentStatus | None = None
    band: str = ""
    tier: int | None = None
    due: str = ""

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return bool(self.status or self.band or self.tier or self.due)


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case for its page: the row of the list, and what only the page shows."""

    row: CaseRow
    owner: str
    inherent: Decimal | None
    effectiveness: Decimal | None
    residual: Decimal | None
    residual_declared: Decimal | None
    flags_critical: int
    flags_high: int
    flags_medium: int
    intake_done_at: datetime | None


def open_case(
    session: Session, vendor_id: UUID, service: str, *, intake: Questionnaire, by: Actor, now: datetime
) -> Assessment:
    """Open an assessment of one service of a vendor. The intake questionnaire is frozen into it."""
    vendor = session.get(Vendor, vendor_id)
    if vendor is None:
        raise NotFound("There is no such vendor.")
    case = Assessment(
        reference=references.assessment(session, Assessment.reference, now=now), vendor_id=vendor.id,
        service=vault.seal_text(session, vendor.key_id, service, context="assessment.service"),
        owner_id=actors.user_id(by), intake_copy=copies.keep(session, intake, now=now), active_at=now, created_at=now,
        created_by=actors.user_id(by),
    )  # fmt: skip
    session.add(case)
    session.flush()
    vendors.touch(session, vendor.id, now=now)
    record(session, EventKind.ASSESSMENT_OPENED, case, vendor, by=by, now=now, details={"service": service})
    return case


def get(session: Session, reference: str) -> tuple[Assessment, Vendor]:
    """The assessment with this reference, and its vendor. Raises NotFound."""
    query = select(Assessment, Vendor).join(Vendor, Vendor.id == Assessment.vendor_id)
    found = session.execute(query.where(Assessment.reference == reference)).one_or_none()
    if found is None:
        raise NotFound("There is no such assessment.")
    return found[0], found[1]


def service_of(session: Session, case: Assessment) -> str:
    """What we buy."""
    return vault.open_text(session, case.service, context="assessment.service")


def record(
    session: Session, kind: EventKind, case: Assessment, vendor: Vendor, *, by: Actor, now: datetime,
    details: dict[str, object] | None = None,
) -> None:  # fmt: skip
    """One event of this case, and the note that it is active."""
    case.active_at = now
    audit.record(
        session, kind, object_kind="assessment", object_id=case.id, key_id=vendor.key_id, by=by, now=now,
        details={"assessment": case.reference, **(details or {})},
    )  # fmt: skip


def show(session: Session, reference: str, *, now: datetime) -> CaseView:
    """One case for its page. Raises NotFound."""
    found = session.execute(cases.query(Assessment).where(Assessment.reference == reference)).one_or_none()
    if found is None:
        raise NotFound("There is no such assessment.")
    (row,) = cases.rows(session, [found], now=now)
    case: Assessment = found.Assessment
    owner = session.get(User, case.owner_id) if case.owner_id else None
    return CaseView(
        row=row, owner=actors.name(owner), inherent=case.inherent,
        effectiveness=case.effectiveness, residual=case.residual, residual_declared=case.residual_declared,
        flags_critical=case.flags_critical, flags_high=case.flags_high, flags_medium=case.flags_medium,
        intake_done_at=case.intake_done_at,
    )  # fmt: skip


def of_vendor(session: Session, vendor_id: UUID, *, now: datetime) -> tuple[CaseRow, ...]:
    """The vendor's cases, the newest first; a hundred at most."""
    query = cases.query().where(Assessment.vendor_id == vendor_id).order_by(Assessment.created_at.desc()).limit(100)
    return cases.rows(session, session.execute(query).all(), now=now)


def page(session: Session, filters: Filters, number: int, *, now: datetime) -> Page[CaseRow]:
    """One page of the list of assessments, the most lately active first; those due by when. Four queries."""
    narrowed = select(Assessment.id).where(*_conditions(filters, now))
    total = paging.count(session, narrowed)
    number = paging.within(number, total, PAGE_SIZE)
    order = (Assessment.due_at, Assessment.id) if filters.due else (Assessment.active_at.desc(), Assessment.id)
    ids = session.scalars(narrowed.order_by(*order).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return Page(items=cases.shown(session, ids, now=now), number=number, size=PAGE_SIZE, total=total)


def _conditions(filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.status is not None:
        conditions.append(Assessment.status == filters.status)
    if filters.tier is not None:
        conditions.append(Assessment.tier == filters.tier)
    if filters.band:
        conditions.append(cases.of_band(filters.band))
    if filters.due == "overdue":
        conditions += [Assessment.status == AssessmentStatus.SENT, Assessment.due_at < now]
    if filters.due == "soon":
        soon = Assessment.due_at.between(now, now + DUE_SOON)
        conditions += [Assessment.status == AssessmentStatus.SENT, soon]
    return conditions
