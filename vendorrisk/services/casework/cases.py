"""Cases as lists show them: an assessment with its vendor, its latest request and whether a letter came back.

Called by `assessments`, `home` and the page of one vendor. Two queries for a whole list: the rows, and the keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Assessment, Letter, Request, Vendor
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.services.casework import vendors
from vendorrisk.services.letters import outbox

LIVE = (RequestStatus.SENT, RequestStatus.OPEN)
"""The states in which a vendor may still answer."""
LATEST_FIRST = (Request.sent_at.desc(), Request.id.desc())
"""The order of a case's requests: its index, read from its end."""
UNRATED = "none"
"""The band filter that finds cases without a band as yet."""


class NextStep(StrEnum):
    """What staff do next with a case."""

    INTAKE = "intake"
    SEND = "send"
    FIX_LETTER = "fix_letter"
    WAIT = "wait"
    CHASE = "chase"
    REVIEW = "review"
    NONE = "none"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case in a list. `answered` of `visible` is the vendor's progress in the latest request."""

    id: UUID
    reference: str
    vendor_id: UUID
    vendor_reference: str
    vendor: str
    service: str
    status: AssessmentStatus
    tier: int | None
    band: str | None
    provisional: bool
    active_at: datetime
    created_at: datetime
    decided_at: datetime | None
    request: str | None
    request_status: RequestStatus | None
    due_at: datetime | None
    answered: int
    visible: int
    submitted_at: datetime | None
    undelivered: bool
    next_step: NextStep

    @property
    def is_erased(self) -> bool:
        """Whether the vendor was erased: only what is not sealed is left of the case."""
        return self.next_step is NextStep.ERASED


@cache
def latest_request() -> ScalarSelect[UUID]:
    """The id of an assessment's latest request, for a join."""
    return (
        select(Request.id)
        .where(Request.assessment_id == Assessment.id)
        .order_by(*LATEST_FIRST)
        .limit(1)
        .correlate(Assessment)
        .scalar_subquery()
    )


@cache
def undelivered() -> ColumnElement[bool]:
    """Whether a letter of this request was given up."""
    return exists().where(Letter.request_id == Request.id, outbox.given_up())


_COLUMNS: tuple[Any, ...] = (
    Assessment.id, Assessment.reference, Assessment.vendor_id, Assessment.service, Assessment.status, Assessment.tier,
    Assessment.band, Assessment.provisional, Assessment.active_at, Assessment.created_at, Assessment.decided_at,
    Vendor.reference.label("vendor_reference"), Vendor.name.label("vendor"), Vendor.key_id, Vendor.erased_at,
    Request.reference.label("request"), Request.status.label("request_status"), Request.due_at, Request.answered,
    Request.visible, Request.submitted_at,
)  # fmt: skip
"""What a CaseRow is made of: a list needs a third of the columns, and no objects around them."""


def query(*extra: Any) -> Select[Any]:
    """Cases with vendor and latest request; the caller narrows, orders and limits."""
    return (
        select(*_COLUMNS, undelivered().label("undelivered"), *extra)
        .select_from(Assessment)
        .join(Vendor, Vendor.id == Assessment.vendor_id)
        .outerjoin(Request, Request.id == latest_request())
    )


def rows(session: Session, found: Sequence[Any], *, now: datetime) -> tuple[CaseRow, ...]:
    """What `query` gave, opened with one look-up of keys."""
    vault.preload(session, [line.key_id for line in found])
    return tuple(_row(session, line, now=now) for line in found)


def shown(session: Session, ids: Sequence[UUID], *, now: datetime) -> tuple[CaseRow, ...]:
    """The cases with these ids, in this order: lists look for ids first, which an index alone can answer."""
    found = session.execute(_shown(), {"ids": ids}).all() if ids else []
    by_id = {row.id: row for row in rows(session, found, now=now)}
    return tuple(by_id[case_id] for case_id in ids if case_id in by_id)


@cache
def _shown() -> Select[Any]:
    return query().where(Assessment.id.in_(bindparam("ids", expanding=True)))


def of_band(band: str) -> ColumnElement[bool]:
    """Whether a case has this band, or none at all where `band` is UNRATED."""
    return Assessment.band.is_(None) if band == UNRATED else Assessment.band == band


@cache
def live() -> ColumnElement[bool]:
    """Whether the latest request may still be answered."""
    return and_(or_(*(Request.status == each for each in LIVE)), Assessment.status == AssessmentStatus.SENT)


def _next_step(line: Any, *, now: datetime) -> NextStep:
    if line.erased_at is not None:
        return NextStep.ERASED
    if line.status is AssessmentStatus.SENT and line.request_status in LIVE:
        if line.undelivered:
            return NextStep.FIX_LETTER
        return NextStep.CHASE if line.due_at < now else NextStep.WAIT
    return _STEPS[line.status]


_STEPS = {
    AssessmentStatus.INTAKE: NextStep.INTAKE,
    AssessmentStatus.READY: NextStep.SEND,
    AssessmentStatus.SENT: NextStep.WAIT,
    AssessmentStatus.REVIEW: NextStep.REVIEW,
    AssessmentStatus.DECIDED: NextStep.NONE,
}


def _row(session: Session, line: Any, *, now: datetime) -> CaseRow:
    return CaseRow(
        id=line.id, reference=line.reference, vendor_id=line.vendor_id, vendor_reference=line.vendor_reference,
        vendor=vendors.shown_name(session, line.vendor),
        service=vault.show_text(session, line.service, context="assessment.service"),
        status=line.status, tier=line.tier, band=line.band, provisional=line.provisional, active_at=line.active_at,
        created_at=line.created_at, decided_at=line.decided_at, request=line.request,
        request_status=line.request_status, due_at=line.due_at, answered=line.answered or 0, visible=line.visible or 0,
        submitted_at=line.submitted_at, undelivered=bool(line.undelivered), next_step=_next_step(line, now=now),
    )  # fmt: skip
