"""Requests: sending questionnaires to a vendor, a fresh link, withdrawing. Called by the staff's pages.

What is sent is frozen: a request keeps digests of its questionnaires and rules, so later edits never reach back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Assessment, Contact, Request, User, Vendor
from vendorrisk.domain import assessment as states
from vendorrisk.domain import inherent
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.contradictions import RuleSet
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.domain.questionnaire import Purpose, Questionnaire
from vendorrisk.library.loader import Library
from vendorrisk.mail.messages import Message
from vendorrisk.services import actors, copies, references
from vendorrisk.services.casework import assessments, cases, contacts, vendors
from vendorrisk.services.casework.contacts import ContactView
from vendorrisk.services.sending import briefs, invitations
from vendorrisk.settings import Settings

DEFAULT_DAYS = 14
GRACE = timedelta(days=14)
"""How long after the due date a link goes on working."""
LATEST = timedelta(days=366)
DUE_TIME = time(17, 0)
STRICT_TIERS = (1, 2)
"""Tiers in which the mailed code cannot be switched off."""
SHORT_TIER = 4


@dataclass(frozen=True, slots=True)
class Sending:
    """What staff chose on the send page."""

    contact_id: UUID
    questionnaire_ids: tuple[str, ...]
    due_at: datetime
    zone: str
    note: str = ""
    code_required: bool = True


@dataclass(frozen=True, slots=True)
class Sent:
    """A request with its link. The link is nowhere stored in plain: it can be shown now and never again."""

    request: Request
    link: str


def default_due(zone: str, *, now: datetime) -> datetime:
    """Two weeks from now at 17:00 in `zone`; the Monday after, where that is a weekend."""
    day = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=DEFAULT_DAYS)
    if day.weekday() >= 5:
        day += timedelta(days=7 - day.weekday())
    return datetime.combine(day, DUE_TIME, ZoneInfo(zone))


def frozen(library: Library, ids: Sequence[str], tier: int | None) -> tuple[Questionnaire, ...]:
    """The questionnaires as a vendor of this tier gets them, in the library's order. Raises NotFound."""
    known = {key: q for key, q in library.questionnaires.items() if q.purpose is Purpose.VENDOR}
    strange = set(ids) - known.keys()
    if strange:
        raise NotFound(f"There is no questionnaire {min(strange)!r}.")
    chosen = [q for key, q in known.items() if key in ids]
    return tuple(inherent.shortened(q) if tier == SHORT_TIER else q for q in chosen)


def open_request(session: Session, assessment_id: UUID) -> str | None:
    """The reference of a request of this case that the vendor may still answer, if there is one."""
    live = select(Request.reference).where(Request.assessment_id == assessment_id, Request.status.in_(cases.LIVE))
    return session.scalar(live.limit(1))


def send(
    session: Session, assessment_id: UUID, sending: Sending, *, library: Library, rules: RuleSet, settings: Settings,
    by: Actor, now: datetime,
) -> Sent:  # fmt: skip
    """Freeze the questionnaires, issue the link and put the letter into the outbox: one transaction."""
    case, vendor = _case(session, assessment_id)
    contact = contacts.get(session, vendor, sending.contact_id)
    states.check_assessment_move(case.status, AssessmentStatus.SENT)
    asked = frozen(library, sending.questionnaire_ids, case.tier)
    _check(session, case, sending, asked, now=now)
    request = _add_request(session, case, vendor, contact, sending, asked, rules, by=by, now=now)
    case.status, case.due_at = AssessmentStatus.SENT, sending.due_at
    vendors.touch(session, vendor.id, now=now)
    details: dict[str, object] = {
        "request": request.reference, "questionnaires": [f"{q.id} {q.version}" for q in asked],
        "due": sending.due_at.isoformat(), "code_required": sending.code_required,
    }  # fmt: skip
    assessments.record(session, EventKind.REQUEST_SENT, case, vendor, by=by, now=now, details=details)
    return Sent(request, _invite(session, request, vendor, contact, settings, by=by, now=now))


def fresh_link(
    session: Session, reference: str, contact_id: UUID, *, settings: Settings, by: Actor, now: datetime
) -> Sent:
    """Send a new link, to the same contact or another one. The old link stops working; what was answered stays."""
    request, case, vendor = get(session, reference)
    _check_live(request)
    contact = contacts.get(session, vendor, contact_id)
    request.contact_id = contact.id
    request.closes_at = max(request.closes_at, now + GRACE)
    case.active_at = now
    return Sent(request, _invite(session, request, vendor, contact, settings, by=by, now=now))


def withdraw(session: Session, reference: str, *, by: Actor, now: datetime) -> Assessment:
    """Take a request back: its link answers nobody any more, the case can be sent again, and drafts are kept."""
    request, case, vendor = get(session, reference)
    states.check_request_move(request.status, RequestStatus.WITHDRAWN)
    states.check_assessment_move(case.status, AssessmentStatus.READY)
    request.status, request.withdrawn_at = RequestStatus.WITHDRAWN, now
    case.status, case.due_at = AssessmentStatus.READY, None
    details: dict[str, object] = {"request": request.reference}
    assessments.record(session, EventKind.REQUEST_WITHDRAWN, case, vendor, by=by, now=now, details=details)
    return case


def preview(
    sending: Sending, asked: Sequence[Questionnaire], *, to: ContactView, sender: User | None, service: str, link: str,
    reference: str, settings: Settings,
) -> Message:  # fmt: skip
    """The letter as `send` would write it, for the send page."""
    brief = briefs.draw_up(
        asked, sender, organisation=settings.organisation, reference=reference, service=service, note=sending.note,
        due_at=sending.due_at, closes_at=sending.due_at + GRACE, zone=sending.zone,
    )  # fmt: skip
    return invitations.letter(brief, link, to=to.email, to_name=to.name, code_required=sending.code_required)


def get(session: Session, reference: str) -> tuple[Request, Assessment, Vendor]:
    """The request with this reference, its case and its vendor. Raises NotFound."""
    query = (
        select(Request, Assessment, Vendor)
        .join(Assessment, Assessment.id == Request.assessment_id)
        .join(Vendor, Vendor.id == Request.vendor_id)
        .where(Request.reference == reference)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFound("There is no such request.")
    return found[0], found[1], found[2]


def of_case(session: Session, assessment_id: UUID) -> list[Request]:
    """The requests of a case, the newest first."""
    query = select(Request).where(Request.assessment_id == assessment_id)
    return list(session.scalars(query.order_by(*cases.LATEST_FIRST)))


def _case(session: Session, assessment_id: UUID) -> tuple[Assessment, Vendor]:
    query = select(Assessment, Vendor).join(Vendor, Vendor.id == Assessment.vendor_id)
    found = session.execute(query.where(Assessment.id == assessment_id)).one_or_none()
    if found is None:
        raise NotFound("There is no such assessment.")
    return found[0], found[1]


def _check(
    session: Session, case: Assessment, sending: Sending, asked: Sequence[Questionnaire], *, now: datetime
) -> None:
    if open_request(session, case.id) is not None:
        raise WrongState("The vendor still has an open request of this assessment.")
    if not asked:
        raise WrongState("Choose at least one questionnaire.")
    if not now < sending.due_at <= now + LATEST:
        raise WrongState("The due date must lie in the future, and within a year.")
    if not sending.code_required and case.tier in STRICT_TIERS:
        raise WrongState("In tiers 1 and 2 the vendor always confirms with a mailed code.")


def _add_request(
    session: Session, case: Assessment, vendor: Vendor, contact: Contact, sending: Sending,
    asked: Sequence[Questionnaire], rules: RuleSet, *, by: Actor, now: datetime,
) -> Request:  # fmt: skip
    request = Request(
        id=uuid4(), reference=references.request(session, Request.reference), assessment_id=case.id,
        vendor_id=vendor.id, contact_id=contact.id,
        copies=[copies.keep(session, questionnaire, now=now) for questionnaire in asked],
        rules_copy=copies.keep_rules(session, rules, now=now), code_required=sending.code_required,
        note=vault.seal_text(session, vendor.key_id, sending.note, context="request.note") if sending.note else None,
        due_at=sending.due_at, zone=sending.zone, closes_at=sending.due_at + GRACE, sent_at=now,
        sent_by=actors.user_id(by), visible=briefs.counts(asked)[0],
    )  # fmt: skip
    session.add(request)
    session.flush()
    return request


def _invite(
    session: Session, request: Request, vendor: Vendor, to: Contact, settings: Settings, *, by: Actor, now: datetime
) -> str:
    shown = contacts.view(session, to)
    return invitations.mail(
        session, request, shown.name, shown.email, key_id=vendor.key_id, settings=settings, by=by, now=now
    )


def _check_live(request: Request) -> None:
    if request.status not in cases.LIVE:
        raise WrongState(f"This request is {request.status.value}: there is nothing left to answer.")
