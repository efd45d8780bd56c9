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


def check_assessment_move(now: AssessmentStatus, then: AssessmentStatus) -> None:
    """Raise WrongState unless an assessment may go from `now` to `then`."""
    if then not in ASSESSMENT_MOVES[now]:
        raise WrongState(f"an assessment in state {now.value!r} cannot become {then.value!r}")


def check_request_move(now: RequestStatus, then: RequestStatus) -> None:
    """Raise WrongState unless a request may go from `now` to `then`."""
    if then not in REQUEST_MOVES[now]:
        raise WrongState(f"a request in state {now.value!r} cannot become {then.value!r}")
