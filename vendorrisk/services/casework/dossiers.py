"""Dossiers: an assessment with its vendor and the request whose answers are under review.

Called by `reviews`, `on_behalf`, `answer_sheets`, `decisions`, `trail` and the pages on top of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Assessment, Request, Vendor
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.domain.questionnaire import Question
from vendorrisk.services import copies
from vendorrisk.services.casework import cases, vendors

_ANSWERABLE = (AssessmentStatus.SENT, AssessmentStatus.REVIEW)


@dataclass(frozen=True, slots=True)
class Dossier:
    """What reviewing and deciding are about. `request` is the latest not withdrawn; None before sending."""

    case: Assessment
    vendor: Vendor
    request: Request | None

    @property
    def key_id(self) -> UUID:
        """The key of the vendor concerned."""
        return self.vendor.key_id

    @property
    def sent(self) -> Request:
        """The request. Raises WrongState where nothing was sent yet."""
        if self.request is None:
            raise WrongState("Nothing has been sent to this vendor yet, so there are no answers.")
        return self.request

    @property
    def can_review(self) -> bool:
        """Whether answers may be reviewed: they are in, and nothing is decided."""
        return self.case.status is AssessmentStatus.REVIEW and self.request is not None

    @property
    def can_answer(self) -> bool:
        """Whether staff may answer on the vendor's behalf: from sending until the decision."""
        return self.case.status in _ANSWERABLE and self.request is not None

    @property
    def can_start_review(self) -> bool:
        """Whether staff may close the request without the vendor's own submission."""
        live = self.request is not None and self.request.status in (RequestStatus.SENT, RequestStatus.OPEN)
        return live and self.case.status is AssessmentStatus.SENT


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands at the head of every page of one case."""

    reference: str
    vendor: str
    vendor_reference: str
    service: str
    status: AssessmentStatus
    tier: int | None
    request: str
    request_status: RequestStatus | None
    submitted_at: datetime | None
    decided_at: datetime | None
    can_review: bool
    can_answer: bool
    can_start_review: bool
    is_erased: bool


def find(session: Session, reference: str, *where: ColumnElement[bool], for_update: bool = False) -> Dossier:
    """The dossier of the assessment with this reference, if it fulfils `where` as well. Raises NotFound.

    `for_update` holds the request, then the case, in the order in which the vendor's submission takes them.
    """
    query = select(Assessment, Vendor).join(Vendor, Vendor.id == Assessment.vendor_id)
    found = session.execute(query.where(Assessment.reference == reference, *where)).one_or_none()
    if found is None:
        raise NotFound("There is no such assessment.")
    case, vendor = found
    latest = (
        select(Request)
        .where(Request.assessment_id == case.id, Request.status != RequestStatus.WITHDRAWN)
        .order_by(*cases.LATEST_FIRST)
        .limit(1)
    )
    if for_update:
        latest = latest.with_for_update().execution_options(populate_existing=True)
    request = session.scalar(latest)
    if for_update:
        session.refresh(case, with_for_update=True)
    return Dossier(case, vendor, request)


def question(session: Session, dossier: Dossier, question_id: str) -> Question:
    """A question of the dossier's request. Raises NotFound, and WrongState where nothing was sent."""
    asked = copies.questions_by_id(copies.questionnaires(session, dossier.sent.copies))
    if question_id not in asked:
        raise NotFound("There is no such question.")
    return asked[question_id]


def heading(session: Session, dossier: Dossier) -> Heading:
    """The head of the case's pages."""
    case, request = dossier.case, dossier.request
    return Heading(
        reference=case.reference, vendor=vendors.shown_name(session, dossier.vendor.name),
        vendor_reference=dossier.vendor.reference,
        service=vault.show_text(session, case.service, context="assessment.service"), status=case.status,
        tier=case.tier, request=request.reference if request else "",
        request_status=request.status if request else None,
        submitted_at=request.submitted_at if request else None, decided_at=case.decided_at,
        can_review=dossier.can_review, can_answer=dossier.can_answer, can_start_review=dossier.can_start_review,
        is_erased=dossier.vendor.erased_at is not None,
    )  # fmt: skip
