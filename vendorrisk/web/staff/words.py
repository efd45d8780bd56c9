"""The words and addresses of the staff pages that several templates share: states, next steps, groups of Home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, url_for

from vendorrisk.domain.assessment import AssessmentStatus, RequestStatus
from vendorrisk.domain.bands import RiskBand
from vendorrisk.mail import messages
from vendorrisk.services.casework.cases import CaseRow, NextStep
from vendorrisk.web.staff import bp

STATUS: dict[AssessmentStatus, str] = {
    AssessmentStatus.INTAKE: "Intake",
    AssessmentStatus.READY: "Ready to send",
    AssessmentStatus.SENT: "Waiting for answers",
    AssessmentStatus.REVIEW: "In review",
    AssessmentStatus.DECIDED: "Decided",
}

REQUEST_STATUS: dict[RequestStatus, str] = {
    RequestStatus.SENT: "Not opened yet",
    RequestStatus.OPEN: "Being answered",
    RequestStatus.SUBMITTED: "Submitted",
    RequestStatus.WITHDRAWN: "Withdrawn",
}

STAGES: tuple[tuple[str, frozenset[AssessmentStatus]], ...] = (
    ("Intake", frozenset({AssessmentStatus.INTAKE, AssessmentStatus.READY})),
    ("Sent", frozenset({AssessmentStatus.SENT})),
    ("Review", frozenset({AssessmentStatus.REVIEW})),
    ("Decided", frozenset({AssessmentStatus.DECIDED})),
)

LETTERS = messages.TITLES

BANDS = tuple(band.value for band in RiskBand)
TIERS = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Step:
    """The next step of a case: a sentence, and the button that takes it ("" where there is nothing to do)."""

    text: str
    button: str = ""
    url: str = ""


def next_step(row: CaseRow) -> Step:
    """What staff do next with a case, and where."""
    text, button, endpoint = _STEPS[row.next_step]
    if row.next_step is NextStep.WAIT and not row.answered:
        text = "Waiting for the vendor to begin."
    if not endpoint:
        return Step(text)
    by_request = endpoint.startswith("staff.request")
    return Step(text, button, address(endpoint, row.request or "") if by_request else address(endpoint, row.reference))


def address(endpoint: str, reference: str) -> str:
    """The address of a page of one case or request; empty where that page is not part of this deployment."""
    return url_for(endpoint, reference=reference) if endpoint in current_app.view_functions else ""


_STEPS: dict[NextStep, tuple[str, str, str]] = {
    NextStep.INTAKE: ("Answer the intake: it sets the tier and what is asked.", "Continue the intake", "staff.intake"),
    NextStep.SEND: ("The intake is complete. Send the questionnaires.", "Send questionnaires", "staff.send"),
    NextStep.FIX_LETTER: ("The invitation was not delivered.", "See what happened", "staff.request_status"),
    NextStep.WAIT: ("The vendor is answering.", "See the request", "staff.request_status"),
    NextStep.CHASE: ("The due date has passed without an answer.", "Chase the vendor", "staff.request_status"),
    NextStep.REVIEW: ("The answers are here. Review them, then decide.", "Review the answers", "staff.answers"),
    NextStep.ERASED: ("The vendor’s data was erased. What is left are the figures and the trail.", "", ""),
    NextStep.NONE: ("Decided. Nothing is left to do.", "", ""),
}


@bp.context_processor
def _words() -> dict[str, Any]:
    return {
        "STATUS": STATUS, "REQUEST_STATUS": REQUEST_STATUS, "STAGES": STAGES, "LETTERS": LETTERS, "BANDS": BANDS,
        "TIERS": TIERS, "next_step": next_step, "address": address,
    }  # fmt: skip
