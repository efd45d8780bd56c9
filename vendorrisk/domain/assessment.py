"""The states of an assessment and of a request, and which moves between them are allowed."""

from __future__ import annotations

from enum import StrEnum

from vendorrisk.domain.errors import WrongState


class AssessmentStatus(StrEnum):
    """Where a case stands."""

    INTAKE = "intake"
    READY = "ready"
    SENT = "sent"
    REVIEW = "review"
    DECIDED = "decided"


class RequestStatus(StrEnum):
    """Where one sending stands. `open` means that somebody at the vendor has passed the code."""

    SENT = "sent"
    OPEN = "open"
    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """What a decision can be."""

    APPROVED = "approved"
    WITH_CONDITIONS = "with_conditions"
    REJECTED = "rejected"


class WorkState(StrEnum):
    """Work to be done is state on the row that needs it (a letter, a report)."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class FileState(StrEnum):
    """A stored file is written, kept by a row that points to it, or has to go."""

    WRITING = "writing"
    KEPT = "kept"
    DOOMED = "doomed"


class Origin(StrEnum):
    """Whence an answer comes."""

    VENDOR = "vendor"
    STAFF = "staff"
    PUBLIC = "public"


ASSESSMENT_MOVES: dict[AssessmentStatus, frozenset[AssessmentStatus]] = {
    AssessmentStatus.INTAKE: frozenset({AssessmentStatus.READY}),
    AssessmentStatus.READY: frozenset({AssessmentStatus.INTAKE, AssessmentStatus.SENT}),
    AssessmentStatus.SENT: frozenset({AssessmentStatus.REVIEW, AssessmentStatus.READY}),
    AssessmentStatus.REVIEW: frozenset({AssessmentStatus.DECIDED}),
    AssessmentStatus.DECIDED: frozenset(),
}

REQUEST_MOVES: dict[RequestStatus, frozenset[RequestStatus]] = {
    RequestStatus.SENT: frozenset({RequestStatus.OPEN, RequestStatus.SUBMITTED, RequestStatus.WITHDRAWN}),
    RequestStatus.OPEN: frozenset({RequestStatus.SUBMITTED, RequestStatus.WITHDRAWN}),
    RequestStatus.SUBMITTED: frozenset(),
    RequestStatus.WITHDRAWN: frozenset(),
}


_ASSESSMENT_STANDS: dict[AssessmentStatus, str] = {
    AssessmentStatus.INTAKE: "The intake of this assessment has to be finished first.",
    AssessmentStatus.READY: "Nothing of this assessment was sent to the vendor yet.",
    AssessmentStatus.SENT: "This assessment is with the vendor, who has not sent the answers yet.",
    AssessmentStatus.REVIEW: "The answers of this assessment have arrived already.",
    AssessmentStatus.DECIDED: "This assessment is decided: nothing about it changes any more.",
}
_REQUEST_STANDS: dict[RequestStatus, str] = {
    RequestStatus.SENT: "This request was sent already.",
    RequestStatus.OPEN: "The vendor has opened this request already.",
    RequestStatus.SUBMITTED: "The vendor has sent the answers to this request already.",
    RequestStatus.WITHDRAWN: "This request was withdrawn.",
}
"""What people are told who ask for a move that is not allowed: where the thing stands."""


def check_assessment_move(now: AssessmentStatus, then: AssessmentStatus) -> None:
    """Raise WrongState unless an assessment may go from `now` to `then`."""
    if then not in ASSESSMENT_MOVES[now]:
        raise WrongState(_ASSESSMENT_STANDS[now])


def check_request_move(now: RequestStatus, then: RequestStatus) -> None:
    """Raise WrongState unless a request may go from `now` to `then`."""
    if then not in REQUEST_MOVES[now]:
        raise WrongState(_REQUEST_STANDS[now])
