"""The hash of everything that a score rests on: the same hash means the same score, to the last digit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from vendorrisk.domain import question_types, schema
from vendorrisk.domain.answers import Answer
from vendorrisk.domain.questionnaire import Question, QuestionType
from vendorrisk.domain.scoring import METHOD, Case


def of(case: Case) -> str:
    """SHA-256 over the method, the questionnaires' digests, the answers, the inherent score and the day."""
    questions = {question.id: question for questionnaire in case.questionnaires for question in questionnaire}
    plain = {
        "method": METHOD,
        "questionnaires": sorted(schema.digest(questionnaire) for questionnaire in case.questionnaires),
        "inherent": str(case.inherent.normalize()),
        "as_of": case.as_of.isoformat(),
        "draft": case.draft,
        "inconsistent": sorted(case.inconsistent),
        "controls": [asdict(control) | {"ends_on": control.ends_on.isoformat()} for control in case.controls],
        "answers": {name: _answer(questions[name], given) for name, given in case.answers.items() if name in questions},
    }
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _answer(question: Question, answer: Answer) -> dict[str, Any]:
    value = None if answer.value is None else question_types.to_plain(question, answer.value)
    if question.type is QuestionType.CHOICES and isinstance(value, list):
        value = sorted(value)
    return {
        "value": value,
        "not_applicable": answer.not_applicable,
        "approved": answer.approved,
        "unknown": answer.unknown,
        "evidence": answer.evidence.value,
        "answered_on": answer.answered_on.isoformat() if answer.answered_on else None,
        "contradicted": answer.contradicted,
        "grade": answer.grade,
    }
