"""How far a respondent has come: the state of every question, and counts for each section."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from vendorrisk.domain.answers import UNANSWERED, Answer, Answers, Table, Value
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

    __hash__ = str.__hash__  # Enum's own is written in Python


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
    """Whether a non-empty value was given."""
    return not is_empty(answer.value)


def is_empty(value: Value | None) -> bool:
    """Whether a value says nothing: none at all, blank text, an empty list and a table without rows."""
    if not value:
        return not isinstance(value, Decimal)
    return isinstance(value, Table) and not value.rows


def is_said(answer: Answer) -> bool:
    """Whether a question is dealt with by this answer: a value, "not applicable" or "do not know"."""
    return answer.not_applicable is not None or answer.unknown or has_value(answer)


def state_of(question: Question, answer: Answer | None, shown: frozenset[str]) -> AnswerState:
    """The state of one question, given the ids of the visible ones."""
    if question.id not in shown:
        return AnswerState.HIDDEN
    return said_state(answer or UNANSWERED)


def said_state(answer: Answer) -> AnswerState:
    """The state that an answer gives to a visible question."""
    if answer.not_applicable is not None:
        return AnswerState.NA_APPROVED if answer.approved else AnswerState.NA_PENDING
    if answer.unknown:
        return AnswerState.UNKNOWN
    return AnswerState.UNANSWERED if is_empty(answer.value) else AnswerState.ANSWERED


def progress(questionnaires: Sequence[Questionnaire], answers: Answers) -> Progress:
    """Counts for every section of the questionnaires."""
    said = {name for name, answer in answers.items() if is_said(answer)}
    return count(questionnaires, visible(questionnaires, answers), said)


def count(questionnaires: Sequence[Questionnaire], shown: frozenset[str], said: Set[str]) -> Progress:
    """The same counts from the ids of the visible questions and of those dealt with: no answer need be opened."""
    sections = [full if seen <= said else _section(full, section, seen - said)
                for section, seen, full in _seen(tuple(questionnaires), shown)]  # fmt: skip
    hidden = said - shown
    in_order = [q.id for each in questionnaires for q in each if q.id in hidden] if hidden else ()
    return Progress(tuple(sections), tuple(in_order))


@lru_cache(maxsize=256)
def _seen(
    questionnaires: tuple[Questionnaire, ...], shown: frozenset[str]
) -> tuple[tuple[Section, frozenset[str], SectionProgress], ...]:
    """The sections, each with the ids of its visible questions, and how far it is once all of those are dealt with.

    Kept, because nearly all saves of a request show the same questions.
    """
    found = []
    for questionnaire in questionnaires:
        for section in questionnaire.sections:
            seen = shown.intersection([question.id for question in section.questions])
            full = SectionProgress(questionnaire.id, section.id, len(seen), len(seen), (), None)
            found.append((section, seen, full))
    return tuple(found)


def _section(full: SectionProgress, section: Section, missing: Set[str]) -> SectionProgress:
    left = [question for question in section.questions if question.id in missing]
    required = tuple([question.id for question in left if question.required])
    return replace(full, answered=full.visible - len(left), missing_required=required, next_unanswered=left[0].id)
