"""Scores of an assessment: computed from the stored answers, kept with all their working, shown as figures in lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Assessment, Dismissal, Request, Vendor
from vendorrisk.db.models import Score as Row
from vendorrisk.domain import contradictions, fingerprint, scoring
from vendorrisk.domain.assessment import RequestStatus
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.contradictions import Hit
from vendorrisk.domain.errors import NotFound, WrongState
from vendorrisk.domain.questionnaire import FlagLevel, Questionnaire
from vendorrisk.domain.scoring import Case, Score
from vendorrisk.services import audit, copies
from vendorrisk.services.answering import answer_rows, answers
from vendorrisk.services.answering.answers import StoredAnswer

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_CONTEXT = "score.working"


@dataclass(frozen=True, slots=True)
class Working:
    """What is kept of a score: the result, the contradictions that stood, and those that a reviewer had set aside."""

    score: Score
    hits: tuple[Hit, ...]
    dismissed: tuple[Hit, ...]


@cache
def _working() -> TypeAdapter[Working]:
    """Made when the first score is kept or read: it takes a while."""
    from pydantic import TypeAdapter

    return TypeAdapter(Working)


@dataclass(frozen=True, slots=True)
class Scored:
    """A score with what it was computed from, for pages and reports."""

    working: Working
    questionnaires: tuple[Questionnaire, ...]
    answers: Mapping[str, StoredAnswer]
    inputs_hash: str

    @property
    def score(self) -> Score:
        """The result."""
        return self.working.score


@dataclass(frozen=True, slots=True)
class StoredScore:
    """A kept score."""

    id: UUID
    working: Working
    inputs_hash: str
    computed_at: datetime

    @property
    def score(self) -> Score:
        """The result."""
        return self.working.score


def evaluate(session: Session, request: Request, inherent: Decimal, *, now: datetime) -> Scored:
    """Score the answers as they stand; nothing is stored. `inherent` is the intake's score, 0 to 100."""
    questionnaires = copies.questionnaires(session, request.copies)
    rules = copies.rules(session, request.rules_copy)
    stored = answer_rows.load(session, request, copies.questions_by_id(questionnaires))
    on = now.date()
    hits = contradictions.find(rules, questionnaires, answers.as_domain(stored), on=on)
    aside = _dismissed(session, request)
    standing = tuple(hit for hit in hits if aside.get(hit.key) != hit.inputs_hash)
    case = Case(
        questionnaires,
        answers.as_domain(stored, contradictions.contradicted(standing)),
        inherent,
        on,
        contradictions.inconsistent(standing),
        draft=request.status is not RequestStatus.SUBMITTED,
    )
    dismissed = tuple(hit for hit in hits if hit not in standing)
    working = Working(scoring.score(case), standing, dismissed)
    return Scored(working, questionnaires, stored, fingerprint.of(case))


def _dismissed(session: Session, request: Request) -> dict[str, str]:
    rows = session.scalars(select(Dismissal).where(Dismissal.request_id == request.id))
    return {row.rule_id: row.inputs_hash for row in rows}


def compute(session: Session, request: Request, *, by: Actor, now: datetime) -> Scored:
    """Score a request, keep the result, and put its figures on the assessment. Raises WrongState without an intake."""
    assessment = session.get(Assessment, request.assessment_id)
    vendor = session.get(Vendor, request.vendor_id)
    if assessment is None or vendor is None:
        raise NotFound("no such assessment")
    if assessment.inherent is None:
        raise WrongState("The intake has to be finished before anything can be scored.")
    scored = evaluate(session, request, assessment.inherent, now=now)
    session.add(
        Row(
            assessment_id=assessment.id, request_id=request.id, method=scored.score.method,
            inputs_hash=scored.inputs_hash, provisional=scored.score.provisional, computed_at=now,
            working=vault.seal_json(session, vendor.key_id, _working().dump_python(scored.working, mode="json"),
                                    context=_CONTEXT),
        )
    )  # fmt: skip
    _show_on(assessment, scored.score, now)
    audit.record(
        session, EventKind.SCORE_COMPUTED, object_kind="assessment", object_id=assessment.id, key_id=vendor.key_id,
        by=by, now=now, details={"band": scored.score.band.value, "provisional": scored.score.provisional,
                                 "inputs": scored.inputs_hash},
    )  # fmt: skip
    session.flush()
    return scored


def _show_on(assessment: Assessment, score: Score, now: datetime) -> None:
    assessment.effectiveness = score.effectiveness.assured if score.effectiveness else None
    assessment.residual = score.residual.assured if score.residual else None
    assessment.residual_declared = score.residual.declared if score.residual else None
    assessment.band = score.band.value
    assessment.provisional = score.provisional
    counts = count_flags(score)
    assessment.flags_critical = counts[FlagLevel.CRITICAL]
    assessment.flags_high = counts[FlagLevel.HIGH]
    assessment.flags_medium = counts[FlagLevel.MEDIUM]
    assessment.active_at = now


def count_flags(score: Score) -> dict[FlagLevel, int]:
    """How many flags of each level are open."""
    return {level: sum(flag.level is level for flag in score.flags) for level in FlagLevel}


def latest(session: Session, assessment_id: UUID) -> StoredScore | None:
    """The last score that was kept, or None."""
    row = session.scalar(
        select(Row).where(Row.assessment_id == assessment_id).order_by(Row.computed_at.desc(), Row.id).limit(1)
    )
    return None if row is None else opened(session, row)


def opened(session: Session, row: Row) -> StoredScore:
    """A kept score with its working."""
    plain: Any = vault.open_json(session, row.working, context=_CONTEXT)
    return StoredScore(row.id, _working().validate_python(plain), row.inputs_hash, row.computed_at)
