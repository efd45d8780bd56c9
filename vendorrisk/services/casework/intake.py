"""The intake: what staff say about a purchase before anything is sent, and the tier and questionnaires that follow.

Called by the intake pages. The answers are one sealed JSON object on the assessment:
{question id: {"value": plain value} or {"unknown": true}}; a question that is not a key is unanswered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from vendorrisk.db import vault
from vendorrisk.db.models import Assessment, Vendor
from vendorrisk.domain import assessment as states
from vendorrisk.domain import inherent, question_types
from vendorrisk.domain.answers import Answer, Answers
from vendorrisk.domain.assessment import AssessmentStatus
from vendorrisk.domain.audit import Actor, EventKind
from vendorrisk.domain.errors import WrongState
from vendorrisk.domain.inherent import Inherent, Proposal
from vendorrisk.domain.questionnaire import Question, Questionnaire, Section
from vendorrisk.services import copies
from vendorrisk.services.casework import assessments

CONTEXT = "assessment.intake"


class ChangedMeanwhile(WrongState):
    """Somebody else saved the same page of the intake since it was read."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the intake comes to. `missing` and `unknown` are questions that count as the worst for want of an answer."""

    inherent: Inherent
    reasons: tuple[str, ...]
    proposal: Proposal
    missing: tuple[Question, ...]
    unknown: tuple[Question, ...]


def questionnaire(session: Session, case: Assessment) -> Questionnaire:
    """The intake questionnaire as it was when the case was opened."""
    return copies.questionnaires(session, [case.intake_copy])[0]


def answers(session: Session, case: Assessment, asked: Questionnaire) -> dict[str, Answer]:
    """The stored answers, by question id."""
    if case.intake is None:
        return {}
    stored: dict[str, dict[str, Any]] = vault.open_json(session, case.intake, context=CONTEXT)
    return {key: _from_plain(asked.by_id[key], plain) for key, plain in stored.items() if key in asked.by_id}


def save(
    session: Session, case: Assessment, vendor: Vendor, section: Section, given: Mapping[str, Answer], *, seen: str,
    by: Actor, now: datetime,
) -> None:  # fmt: skip
    """Save one page of the intake. A case whose intake is complete gets its new tier at once.

    `seen` is the `fingerprint` of the page as it was read. Raises ChangedMeanwhile, or WrongState once it was sent.
    """
    _check_open(case)
    asked = questionnaire(session, case)
    stored = answers(session, case, asked)
    if fingerprint(section, stored) != seen:
        raise ChangedMeanwhile("Somebody else saved this page while you were typing.")
    changed = [q.id for q in section.questions if stored.get(q.id, Answer()) != given.get(q.id, Answer())]
    if not changed:
        return
    ids = {question.id for question in section.questions}
    stored = {key: answer for key, answer in stored.items() if key not in ids} | dict(given)
    plain = {key: _to_plain(asked.by_id[key], answer) for key, answer in stored.items() if answer != Answer()}
    case.intake = vault.seal_json(session, vendor.key_id, plain, context=CONTEXT)
    if case.status is AssessmentStatus.READY:
        _set_figures(case, asked, stored)
    details: dict[str, object] = {"section": section.id, "questions": changed}
    assessments.record(session, EventKind.INTAKE_SAVED, case, vendor, by=by, now=now, details=details)


def complete(session: Session, case: Assessment, vendor: Vendor, *, by: Actor, now: datetime) -> None:
    """Take the intake as it stands: what is missing or unknown counts as the worst. Then it can be sent."""
    if case.status is AssessmentStatus.READY:
        return
    states.check_assessment_move(case.status, AssessmentStatus.READY)
    asked = questionnaire(session, case)
    _set_figures(case, asked, answers(session, case, asked))
    case.status, case.intake_done_at = AssessmentStatus.READY, now
    details: dict[str, object] = {"inherent": str(case.inherent), "tier": case.tier}
    assessments.record(session, EventKind.INTAKE_COMPLETED, case, vendor, by=by, now=now, details=details)


def result(asked: Questionnaire, given: Answers, available: Sequence[str]) -> Result:
    """Inherent score, tier and the questionnaires to send, with the reasons."""
    found = inherent.inherent(asked, given)
    assumed = [asked.by_id[item.question_id] for item in found.assumed]
    return Result(
        inherent=found,
        reasons=inherent.reasons(found, asked, given),
        proposal=inherent.proposal(found, asked, given, available),
        missing=tuple(question for question in assumed if given.get(question.id, Answer()) == Answer()),
        unknown=tuple(question for question in assumed if given.get(question.id, Answer()) != Answer()),
    )


def fingerprint(section: Section, stored: Answers) -> str:
    """Tells whether a page's answers are the ones that somebody saw."""
    plain = {q.id: _to_plain(q, stored[q.id]) for q in section.questions if q.id in stored}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:32]


def _check_open(case: Assessment) -> None:
    if case.status not in (AssessmentStatus.INTAKE, AssessmentStatus.READY):
        raise WrongState("The questionnaires were sent: the intake can no longer be changed.")


def _set_figures(case: Assessment, asked: Questionnaire, given: Answers) -> None:
    found = inherent.inherent(asked, given)
    case.inherent, case.tier = found.value, found.tier


def _to_plain(question: Question, answer: Answer) -> dict[str, Any]:
    if answer.value is None:
        return {"unknown": True} if answer.unknown else {}
    return {"value": question_types.to_plain(question, answer.value)}


def _from_plain(question: Question, plain: dict[str, Any]) -> Answer:
    if "value" in plain:
        return Answer(value=question_types.from_plain(question, plain["value"]))
    return Answer(unknown=bool(plain.get("unknown")))
