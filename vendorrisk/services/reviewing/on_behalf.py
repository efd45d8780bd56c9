"""On behalf: what staff answer for the vendor or from public facts, and reviews begun without the vendor's submission.

Called by the staff's pages of that name.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import cast
from uuid import UUID

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from vendorrisk.db.models import Request
from vendorrisk.domain import assessment as states
from vendorrisk.domain import plain_values
from vendorrisk.domain import progress as counting
from vendorrisk.domain.assessment import AssessmentStatus, Origin, RequestStatus
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.errors import InvalidAnswer, WrongState
from vendorrisk.services import audit, copies
from vendorrisk.services.answering import answer_rows, answers, saves, scores
from vendorrisk.services.answering.answers import NewAnswer
from vendorrisk.services.casework import dossiers
from vendorrisk.services.reviewing import reviews

SOURCE_LENGTH = 500
OLDEST = date(2000, 1, 1)
"""No answer is older than this."""


def answer(
    session: Session, reference: str, question_id: str, said: NewAnswer, *, origin: Origin, expected_version: int,
    answered_on: date, by: Actor, now: datetime,
) -> int:  # fmt: skip
    """Answer on the vendor's behalf, or from public facts; returns the answer's new version.

    Allowed from sending until the decision. Raises InvalidAnswer where the source or the day cannot be,
    saves.Conflict where somebody else has answered meanwhile, WrongState outside that time.
    """
    dossier = dossiers.find(session, reference, for_update=True)
    if not dossier.can_answer:
        raise WrongState("Answers can be given on the vendor's behalf from sending until the decision.")
    request, question = dossier.sent, dossiers.question(session, dossier, question_id)
    if not OLDEST <= answered_on <= now.date():
        raise InvalidAnswer("The day of the answer must not lie in the future, nor before 2000.")
    said = replace(said, source=source_from(said.source, origin))
    version = saves.put(
        session, request, dossier.key_id, question, said, expected_version=expected_version, origin=origin, by=by,
        now=now, answered_on=answered_on,
    )  # fmt: skip
    dossier.case.active_at = now
    _count(session, request)
    if request.status is RequestStatus.SUBMITTED:
        scores.compute(session, request, by=by, now=now)
    return version


def source_from(typed: str, origin: Origin) -> str:
    """Whence the answer comes: a link for public facts, else how we know. Raises InvalidAnswer."""
    if origin is Origin.VENDOR:
        raise InvalidAnswer("Only the vendor answers as the vendor.")
    text = plain_values.read_text(typed, max_length=plain_values.URL_LENGTH)
    if origin is Origin.PUBLIC:
        if not text:
            raise InvalidAnswer("Give the link to the public source.")
        return plain_values.read_url(text)
    if not text:
        raise InvalidAnswer("Say how you know: a phone call with whom, which document.")
    return plain_values.read_text(text, max_length=SOURCE_LENGTH)


def _count(session: Session, request: Request) -> None:
    questionnaires = copies.questionnaires(session, request.copies)
    stored = answer_rows.load(session, request, copies.questions_by_id(questionnaires))
    counted = counting.progress(questionnaires, answers.as_domain(stored))
    request.answered, request.visible = counted.answered, counted.visible


def start_review(session: Session, reference: str, reason: str, *, by: Actor, now: datetime) -> None:
    """Close the request without the vendor's own submission, and begin the review.

    For cases answered on the vendor's behalf or from public facts. Raises InvalidAnswer for a short reason, WrongState
    unless the request is open.
    """
    text = reviews.reason_from(reason)
    dossier = dossiers.find(session, reference, for_update=True)
    if not dossier.can_start_review:
        raise WrongState("The review cannot be started: there is no open request.")
    request = dossier.sent
    if not _close(session, request.id, now=now):
        raise WrongState("The vendor has sent the answers meanwhile.")
    session.refresh(request)
    states.check_assessment_move(dossier.case.status, AssessmentStatus.REVIEW)
    dossier.case.status, dossier.case.active_at = AssessmentStatus.REVIEW, now
    audit.record(
        session, EventKind.REQUEST_SUBMITTED, object_kind="assessment", object_id=dossier.case.id,
        key_id=dossier.key_id, by=by, now=now,
        details={"request": request.reference, "on_behalf": True, "reason": text, "answered": request.answered,
                 "visible": request.visible},
    )  # fmt: skip
    scores.compute(session, request, by=by, now=now)


def _close(session: Session, request_id: UUID, *, now: datetime) -> bool:
    # The vendor may press "Send" in the same moment: one statement decides.
    still_open = update(Request).where(
        Request.id == request_id, Request.status.in_((RequestStatus.SENT, RequestStatus.OPEN))
    )
    moved = session.execute(still_open.values(status=RequestStatus.SUBMITTED, submitted_at=now))
    return cast("CursorResult[tuple[()]]", moved).rowcount == 1
