"""Reviewing: a reviewer's word on answers, and contradictions set aside. Called by the staff's answers and score pages.

Every change is an event and makes a new score.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Dismissal, Review
from vendorrisk.domain import plain_values
from vendorrisk.domain.answers import EvidenceLevel
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.errors import InvalidAnswer, WrongState
from vendorrisk.domain.questionnaire import Question
from vendorrisk.services import actors, audit
from vendorrisk.services.answering import answer_rows, scores
from vendorrisk.services.answering.answers import StoredAnswer
from vendorrisk.services.casework import dossiers
from vendorrisk.services.casework.dossiers import Dossier

MIN_REASON = 15
"""How many characters a reason needs."""
NOTE_LENGTH = 5_000


@dataclass(frozen=True, slots=True)
class Change:
    """A reviewer's word on an answer. `na_approved` is for "not applicable", `grade` for tables and files."""

    evidence: EvidenceLevel = EvidenceLevel.CLAIMED
    na_approved: bool | None = None
    grade: str | None = None
    note: str = ""


class Overtaken(Exception):
    """Somebody else was faster: the answer or its review is no longer what the reviewer saw."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)


def set_review(
    session: Session, reference: str, question_id: str, change: Change, *, answer_version: int, by: Actor,
    now: datetime, seen: str | None = None,
) -> None:  # fmt: skip
    """Say how well an answer is backed, decide on "not applicable", change a grade; and score again.

    `answer_version` is the version that was looked at; `seen` is the stamp of the review on the page
    ("" for none, None: no matter). Raises Overtaken where either has changed, InvalidAnswer for
    what cannot be said of this answer, WrongState outside the review.
    """
    dossier = dossiers.find(session, reference, for_update=True)
    _check_reviewing(dossier)
    request, question = dossier.sent, dossiers.question(session, dossier, question_id)
    stored = answer_rows.load_one(session, request, question)
    if stored is None:
        raise WrongState("Nobody has answered this question, so there is nothing to review.")
    if stored.version != answer_version:
        raise Overtaken("The answer was changed while you were looking at it. This is how it stands now.")
    before = session.get(Review, (request.id, question.id))
    if seen is not None and seen != stamp(before.at if before else None):
        raise Overtaken("Somebody else has reviewed this answer meanwhile. This is what they said.")
    kept = checked(question, stored, change)
    details = {"question": question.code, "version": answer_version, "before": _was(session, before)}
    row = before or Review(request_id=request.id, question_id=question.id)
    row.answer_version = answer_version
    _store_review(session, dossier, row, kept, by=by, now=now)
    details["after"] = _plain(kept)
    _record(session, EventKind.ANSWER_REVIEWED, dossier, details, by=by, now=now)
    scores.compute(session, request, by=by, now=now)


def stamp(at: datetime | None) -> str:
    """What a page keeps of the review that it shows, to notice a later one."""
    return at.isoformat() if at else ""


def checked(question: Question, stored: StoredAnswer, change: Change) -> Change:
    """The change as far as it fits the answer. Raises InvalidAnswer."""
    note = plain_values.read_text(change.note, max_length=NOTE_LENGTH)
    if stored.said.not_applicable is not None:
        if change.na_approved is None:
            raise InvalidAnswer("Say whether “not applicable” is approved or refused.")
        return Change(na_approved=change.na_approved, note=note)
    if change.grade is None:
        return Change(evidence=change.evidence, note=note)
    if question.grading is None or question.option(change.grade) is None:
        raise InvalidAnswer("This answer has no such grade.")
    if len(note) < MIN_REASON:
        raise InvalidAnswer(f"A changed grade needs a note of {MIN_REASON} characters or more: say why.")
    return Change(evidence=change.evidence, grade=change.grade, note=note)


def _check_reviewing(dossier: Dossier) -> None:
    if dossier.case.status is AssessmentStatus.DECIDED:
        raise WrongState("This assessment is decided: its answers and their review are frozen.")
    if not dossier.can_review:
        raise WrongState("The review begins when the answers are in.")


def _plain(change: Change) -> dict[str, Any]:
    said: dict[str, Any] = {"evidence": change.evidence.value, "note": change.note}
    if change.na_approved is not None:
        said = {"not_applicable": "approved" if change.na_approved else "refused", "note": change.note}
    return said | ({"grade": change.grade} if change.grade else {})


def _was(session: Session, row: Review | None) -> dict[str, Any] | None:
    if row is None:
        return None
    note = vault.open_optional(session, row.note, context="review.note")
    return _plain(Change(row.evidence, row.na_approved, row.grade, note))


def _store_review(session: Session, dossier: Dossier, row: Review, kept: Change, *, by: Actor, now: datetime) -> None:
    row.evidence, row.na_approved, row.grade = kept.evidence, kept.na_approved, kept.grade
    row.by, row.at, row.note = actors.user_id(by), now, None
    if kept.note:
        row.note = vault.seal_text(session, dossier.key_id, kept.note, context="review.note")
    session.add(row)
    session.flush()


def dismiss(
    session: Session, reference: str, key: str, reason: str, *, by: Actor, now: datetime, seen: str | None = None
) -> None:
    """Set a contradiction aside, with the reason, for as long as the answers behind it stay the same.

    `seen` is the hash of those answers as they stood on the page. Raises InvalidAnswer for a short reason, WrongState
    outside the review and where the contradiction does not stand (any more).
    """
    text = reason_from(reason)
    dossier = dossiers.find(session, reference, for_update=True)
    _check_reviewing(dossier)
    request, inherent = dossier.sent, dossier.case.inherent
    assert inherent is not None  # nothing is sent before the intake is finished
    standing = scores.evaluate(session, request, inherent, now=now).working.hits
    hit = next((hit for hit in standing if hit.key == key and seen in (None, hit.inputs_hash)), None)
    if hit is None:
        raise WrongState("This contradiction no longer stands like that: look at the page again.")
    row = session.get(Dismissal, (request.id, key)) or Dismissal(request_id=request.id, rule_id=key)
    row.inputs_hash, row.by, row.at = hit.inputs_hash, actors.user_id(by), now
    row.reason = vault.seal_text(session, dossier.key_id, text, context="dismissal.reason")
    session.add(row)
    session.flush()
    details = {"rule": key, "title": hit.title, "severity": hit.severity.value, "reason": text}
    _record(session, EventKind.CONTRADICTION_DISMISSED, dossier, details, by=by, now=now)
    scores.compute(session, request, by=by, now=now)


def reason_from(typed: str) -> str:
    """A reason that says something. Raises InvalidAnswer."""
    text = plain_values.read_text(typed, max_length=NOTE_LENGTH)
    if len(text) < MIN_REASON:
        raise InvalidAnswer(f"Give the reason in at least {MIN_REASON} characters.")
    return text


def _record(
    session: Session, kind: EventKind, dossier: Dossier, details: dict[str, Any], *, by: Actor, now: datetime
) -> None:
    audit.record(
        session, kind, object_kind="assessment", object_id=dossier.case.id, key_id=dossier.key_id, by=by, now=now,
        details={"request": dossier.sent.reference, **details},
    )  # fmt: skip
