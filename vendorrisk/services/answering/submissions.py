"""Sending all answers: once, whoever presses how often; and the receipt that is shown ever after.

Called by the vendor's check and receipt pages.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Assessment, Request, User
from vendorrisk.domain import assessment as states
from vendorrisk.domain import question_types
from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.errors import WrongState
from vendorrisk.mail import messages
from vendorrisk.services import audit
from vendorrisk.services.answering import evidence, responses, scores, sittings
from vendorrisk.services.answering.evidence import FileView
from vendorrisk.services.answering.responses import Draft
from vendorrisk.services.answering.sittings import Sitting
from vendorrisk.services.letters import outbox
from vendorrisk.settings import Settings

_CONTEXT = "request.submission"
_OPEN = (RequestStatus.SENT, RequestStatus.OPEN)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was sent, in figures: kept with the request, so that the page and the letter say the same for ever."""

    name: str
    role: str
    visible: int
    answered: int
    not_applicable: int
    unknown: int
    unanswered: int
    hidden: int
    files: int


@dataclass(frozen=True, slots=True)
class Submission:
    """A receipt with when it was sent and the hash of what was sent."""

    receipt: Receipt
    submitted_at: datetime
    digest: str


def submit(
    session: Session, sitting: Sitting, draft: Draft, name: str, role: str, *, settings: Settings, by: Actor,
    now: datetime,
) -> Submission:  # fmt: skip
    """Send the answers. A second time, by whatever browser, changes nothing and gives the first receipt.

    `sitting` must have been found `for_update`. Raises WrongState where the request was withdrawn or has closed.
    """
    request = sitting.request
    if request.status is RequestStatus.SUBMITTED:
        return of(session, request)
    responses.check_open(request, now=now)
    files = evidence.of_request(session, request)
    receipt = _receipt(draft, files, name, role)
    digest = _digest(request, draft, files, receipt, now=now)
    if not _move(session, sitting, receipt, digest, now=now):
        session.refresh(request)
        return of(session, request)
    _tell_the_trail(session, sitting, receipt, digest, by=by, now=now)
    assessment = sittings.assessment(session, sitting)
    states.check_assessment_move(assessment.status, AssessmentStatus.REVIEW)
    assessment.status, assessment.active_at = AssessmentStatus.REVIEW, now
    scores.compute(session, request, by=by, now=now)
    submission = Submission(receipt, now, digest)
    _thank(session, sitting, submission, settings=settings, now=now)
    _tell_staff(session, sitting, assessment, receipt, settings=settings, now=now)
    return submission


def of(session: Session, request: Request) -> Submission:
    """What was sent with this request. Raises WrongState where nothing was."""
    if request.submission is None or request.submitted_at is None:
        raise WrongState("These answers have not been sent.")
    plain = vault.open_json(session, request.submission, context=_CONTEXT)
    return Submission(Receipt(**plain), request.submitted_at, request.submission_hash or "")


def _receipt(draft: Draft, files: Sequence[FileView], name: str, role: str) -> Receipt:
    states_sent = Counter(
        draft.stored[question].said.state if question in draft.stored else "unanswered" for question in draft.visible
    )
    return Receipt(
        name=name, role=role, visible=len(draft.visible), answered=states_sent["answered"],
        not_applicable=states_sent["not_applicable"], unknown=states_sent["unknown"],
        unanswered=states_sent["unanswered"], hidden=len(draft.progress.hidden_with_answers), files=len(files),
    )  # fmt: skip


def _digest(request: Request, draft: Draft, files: Sequence[FileView], receipt: Receipt, *, now: datetime) -> str:
    """SHA-256 over everything that was sent, as JSON with sorted keys and without spaces."""
    plain = {
        "reference": request.reference, "questionnaires": list(request.copies), "name": receipt.name,
        "role": receipt.role, "submitted_at": now.isoformat(),
        "answers": {name: _plain(draft, name) for name in sorted(draft.visible) if name in draft.stored},
        "evidence": sorted(file.sha256 for file in files),
    }  # fmt: skip
    text = json.dumps(plain, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(draft: Draft, name: str) -> dict[str, Any]:
    said = draft.stored[name].said
    value = None if said.value is None else question_types.to_plain(draft.questions[name], said.value)
    return {"state": said.state, "value": value, "not_applicable": said.not_applicable, "comment": said.comment}


def _move(session: Session, sitting: Sitting, receipt: Receipt, digest: str, *, now: datetime) -> bool:
    # One statement decides: of two that press at once, one moves the request and the other finds it moved.
    still_open = update(Request).where(Request.id == sitting.request.id, Request.status.in_(_OPEN))
    moved = session.execute(
        still_open.values(
            status=RequestStatus.SUBMITTED, submitted_at=now, submission_hash=digest,
            submission=vault.seal_json(session, sitting.key_id, asdict(receipt), context=_CONTEXT),
        )
    )  # fmt: skip
    return cast("CursorResult[tuple[()]]", moved).rowcount == 1


def _tell_the_trail(
    session: Session, sitting: Sitting, receipt: Receipt, digest: str, *, by: Actor, now: datetime
) -> None:
    audit.record(
        session, EventKind.REQUEST_SUBMITTED, object_kind="assessment", object_id=sitting.request.assessment_id,
        key_id=sitting.key_id, by=by, now=now,
        details={"request": sitting.request.reference, "hash": digest, **asdict(receipt)},
    )  # fmt: skip


def _thank(session: Session, sitting: Sitting, sent: Submission, *, settings: Settings, now: datetime) -> None:
    request, sender = sitting.request, _sender(session, sitting.request)
    message = messages.receipt(
        to=vault.open_text(session, sitting.invitation.email, context="invitation.email"), to_name=sent.receipt.name,
        organisation=settings.organisation, reference=request.reference, submitted_at=sent.submitted_at,
        answered=sent.receipt.answered, not_applicable=sent.receipt.not_applicable, files=sent.receipt.files,
        digest=sent.digest, link=f"{settings.base_url}/respond/{request.reference}/done",
        reply_to=sender.email if sender else "",
    )  # fmt: skip
    outbox.put(session, message, kind="receipt", key_id=sitting.key_id, request_id=request.id, now=now)


def _tell_staff(
    session: Session, sitting: Sitting, assessment: Assessment, receipt: Receipt, *, settings: Settings, now: datetime
) -> None:
    owner = session.get(User, assessment.owner_id) if assessment.owner_id else _sender(session, sitting.request)
    if owner is None:
        return
    message = messages.answers_arrived(
        to=owner.email, to_name=owner.name,
        vendor=vault.open_text(session, sitting.vendor.name, context="vendor.name"),
        assessment_reference=assessment.reference, answered=receipt.visible - receipt.unanswered,
        visible=receipt.visible, link=f"{settings.base_url}/assessments/{assessment.reference}",
    )  # fmt: skip
    outbox.put(session, message, kind="answers_arrived", key_id=sitting.key_id, request_id=sitting.request.id, now=now)


def _sender(session: Session, request: Request) -> User | None:
    return session.get(User, request.sent_by) if request.sent_by else None
