"""The decided assessments, as auditors list and open them: those in their scope, narrowed, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Assessment, Decision, User, Vendor
from vendorrisk.domain.assessment import Outcome
from vendorrisk.domain.errors import NotFound
from vendorrisk.services import actors, paging
from vendorrisk.services.casework import dossiers, vendors
from vendorrisk.services.casework.dossiers import Dossier
from vendorrisk.services.paging import DEFAULT_SIZE, Page
from vendorrisk.services.people import scopes
from vendorrisk.services.people.scopes import Scope


@dataclass(frozen=True, slots=True)
class DecidedRow:
    """One line of the auditor's list."""

    reference: str
    vendor_id: UUID
    vendor: str
    service: str
    tier: int | None
    band: str | None
    provisional: bool
    residual: Decimal | None
    outcome: Outcome
    decided_at: datetime
    decided_by: str
    valid_until: date


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list of decided assessments is narrowed to."""

    search: str = ""
    year: int | None = None
    band: str = ""
    tier: int | None = None

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return bool(self.search or self.year or self.band or self.tier)


def page(session: Session, filters: Filters, number: int, scope: Scope) -> Page[DecidedRow]:
    """One page of the decided assessments, the latest decision first. Three queries, however many."""
    query = _decided(scope).where(*_conditions(filters))
    total = paging.count(session, query.with_only_columns(Decision.id))
    number = paging.within(number, total, DEFAULT_SIZE)
    ordered = query.order_by(Decision.decided_at.desc(), Decision.id)
    found = session.execute(ordered.limit(DEFAULT_SIZE).offset((number - 1) * DEFAULT_SIZE)).all()
    vault.preload(session, [vendor.key_id for _, vendor, _, _ in found])
    rows = tuple(_row(session, case, vendor, decision, user) for case, vendor, decision, user in found)
    return Page(rows, number, DEFAULT_SIZE, total)


def find(session: Session, reference: str, scope: Scope) -> Dossier:
    """The dossier of a decided case. Raises NotFound for any other: auditors see nothing that is open, or outside."""
    return dossiers.find(session, reference, scopes.covers(scope))


def show(session: Session, reference: str, scope: Scope) -> DecidedRow:
    """One decided assessment as the list shows it: all that is left where its vendor was erased. Raises NotFound."""
    found = session.execute(_decided(scope).where(Assessment.reference == reference)).one_or_none()
    if found is None:
        raise NotFound("There is no such assessment.")
    return _row(session, *found)


def _decided(scope: Scope) -> Select[Assessment, Vendor, Decision, User]:
    latest = (
        select(Decision.id)
        .where(Decision.assessment_id == Assessment.id)
        .order_by(Decision.decided_at.desc(), Decision.id)
        .limit(1)
        .correlate(Assessment)
        .scalar_subquery()
    )
    return (
        select(Assessment, Vendor, Decision, User)
        .select_from(Assessment)
        .join(Vendor, Vendor.id == Assessment.vendor_id)
        .join(Decision, Decision.id == latest)
        .outerjoin(User, User.id == Decision.decided_by)
        .where(scopes.covers(scope))
    )


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.search:
        conditions.append(Assessment.reference.ilike(f"%{_literally(filters.search)}%", escape="\\"))
    if filters.year is not None:
        first = datetime(filters.year, 1, 1, tzinfo=UTC)
        last = datetime.combine(date(filters.year, 12, 31), time.max, UTC)
        conditions.append(Decision.decided_at.between(first, last))
    if filters.band:
        conditions.append(Assessment.band == filters.band)
    if filters.tier is not None:
        conditions.append(Assessment.tier == filters.tier)
    return conditions


def _literally(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _row(session: Session, case: Assessment, vendor: Vendor, decision: Decision, user: User | None) -> DecidedRow:
    return DecidedRow(
        reference=case.reference, vendor_id=vendor.id, vendor=vendors.shown_name(session, vendor.name),
        service=vault.show_text(session, case.service, context="assessment.service"), tier=case.tier, band=case.band,
        provisional=case.provisional, residual=case.residual, outcome=decision.outcome,
        decided_at=decision.decided_at, decided_by=actors.name(user),
        valid_until=decision.valid_until,
    )  # fmt: skip


def years(session: Session, scope: Scope) -> tuple[int, ...]:
    """The years in which something was decided, from the first to the last, the last first."""
    span = select(func.min(Assessment.decided_at), func.max(Assessment.decided_at)).where(scopes.covers(scope))
    first, last = session.execute(span).one()
    return tuple(range(last.year, first.year - 1, -1)) if first and last else ()
