"""What is said to one question: as it arrives, as it is stored and reviewed, and as the engine reads it.

Called by whatever shows, saves or scores answers; `answer_rows` keeps them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from vendorrisk.domain import progress
from vendorrisk.domain.answers import Answer, Answers, EvidenceLevel, Value
from vendorrisk.domain.assessment import Origin

ANSWERED, UNANSWERED, UNKNOWN = "answered", "unanswered", "unknown"
"""What a row says of its answer in plain; beside "not_applicable"."""


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """What somebody says: a value, or why the question does not apply, or that they do not know."""

    value: Value | None = None
    not_applicable: str | None = None
    unknown: bool = False
    comment: str = ""
    source: str = ""

    @property
    def state(self) -> str:
        """The state that the row says in plain."""
        if self.not_applicable is not None:
            return "not_applicable"
        if self.unknown:
            return UNKNOWN
        return UNANSWERED if progress.is_empty(self.value) else ANSWERED


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A reviewer's word on one answer. `is_current` is False once the answer was changed after it."""

    evidence: EvidenceLevel
    na_approved: bool | None
    grade: str | None
    note: str
    at: datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """One answer as stored, opened."""

    question_id: str
    said: NewAnswer
    by: str
    origin: Origin
    version: int
    answered_on: date
    saved_at: datetime
    review: ReviewView | None = None

    @property
    def value(self) -> Value | None:
        """The value given."""
        return self.said.value

    @property
    def is_said(self) -> bool:
        """Whether the question is dealt with: a value, "not applicable" or "do not know"."""
        return self.said.state != UNANSWERED


def as_domain(stored: Mapping[str, StoredAnswer], contradicted: Collection[str] = ()) -> Answers:
    """The answers as the engine reads them. A review of an older version of an answer counts for nothing."""
    return {name: _as_domain(answer, name in contradicted) for name, answer in stored.items()}


def _as_domain(stored: StoredAnswer, contradicted: bool) -> Answer:
    review = stored.review if stored.review and stored.review.is_current else None
    answer = Answer(
        value=stored.said.value,
        not_applicable=stored.said.not_applicable,
        unknown=stored.said.unknown,
        answered_on=stored.answered_on,
        contradicted=contradicted,
    )
    if review is None:
        return answer
    return replace(answer, evidence=review.evidence, approved=review.na_approved is True, grade=review.grade)
