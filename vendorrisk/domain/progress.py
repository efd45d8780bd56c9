"""How far a respondent has come: the state of every question, and counts for each section."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from vendorrisk.domain.answers import UNANSWERED, Answer, Answers, Table
from vendorrisk.domain.conditions import visible
from vendorrisk.domain.questionnaire import Question, Questionnaire, Section


class AnswerState(StrEnum):
    """The states that are never mixed up. HIDDEN wins over all others: the answer is kept, and ignored everywhere."""

    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    NA_PENDING = "not applicable, pending"
    NA_APPROVED = "not applicable, approved"
    UNKNOWN = "do not know"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class SectionProgress:
    """Counts over the visible questions of one section. "Not applicable" and "do not know" count as dealt with."""

    questionnaire_id: str
    section_id: str
    answered: int
    visible: int
    missing_required: tuple[str, ...]
    next_unanswered: str | None

    @property
    def is_complete(self) -> bool:
        """Whether nothing in the section is left to say."""
        return self.answered == self.visible


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts over all sections, in order."""

    sections: tuple[SectionProgress, ...]
    hidden_with_answers: tuple[str, ...]

    @property
    def answered(self) -> int:
        """Visible questions dealt with."""
        return sum(section.answered for section in self.sections)

    @property
    def visible(self) -> int:
        """Visible questions."""
        return sum(section.visible for section in self.sections)

    @property
    def missing_required(self) -> tuple[str, ...]:
        """Ids of the required visible questions without any answer."""
        return tuple(question for section in self.sections for question in section.missing_required)

    @property
    def next_unanswered(self) -> str | None:
        """Id of the first visible question without an answer."""
        return next((s.next_unanswered for s in self.sections if s.next_unanswered is not None), None)


def has_value(answer: Answer) -> bool:
    """Whether a non-empty value was given: blank text, an empty list and a table without rows are none."""
    if isinstance(answer.value, Table):
        return bool(answer.value.rows)
    return answer.value is not None and answer.value != "" and answer.value != ()


def _is_said(answer: Answer | None) -> bool:
    return answer is not None and (has_value(answer) or answer.unknown or answer.not_applicable is not None)


def state_of(question: Question, answer: Answer | None, shown: frozenset[str]) -> AnswerState:
    """The state of one question, given the ids of the visible ones."""
    if question.id not in shown:
        return AnswerState.HIDDEN
    answer = answer or UNANSWERED
    if answer.not_applicable is not None:
        return AnswerState.NA_APPROVED if answer.approved else AnswerState.NA_PENDING
    if answer.unknown:
        return AnswerState.UNKNOWN
    return AnswerState.ANSWERED if has_value(answer) else AnswerState.UNANSWERED


def progress(
    questionnaires: Sequence[Questionnaire], answers: Answers, shown: frozenset[str] | None = None
) -> Progress:
    """Counts for every section; `shown` are the visible questions, where they are known already."""
    shown = visible(questionnaires, answers) if shown is None else shown
    hidden = [
        question.id
        for questionnaire in questionnaires
        for question in questionnaire
        if question.id not in shown and _is_said(answers.get(question.id))
    ]
    return Progress(
        tuple(
            _of_section(questionnaire, section, answers, shown)
            for questionnaire in questionnaires
            for section in questionnaire.sections
        ),
        tuple(hidden),
    )


def _of_section(
    questionnaire: Questionnaire, section: Section, answers: Answers, shown: frozenset[str]
) -> SectionProgress:
    seen = [question for question in section.questions if question.id in shown]
    open_ones = [question for question in seen if not _is_said(answers.get(question.id))]
    return SectionProgress(
        questionnaire.id,
        section.id,
        len(seen) - len(open_ones),
        len(seen),
        tuple(question.id for question in open_ones if question.required),
        open_ones[0].id if open_ones else None,
    )
