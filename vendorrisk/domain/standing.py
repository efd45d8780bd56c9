"""How each visible question stands: its state and the options that its answer chooses. Scores and flags build on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from vendorrisk.domain.answers import UNANSWERED, Answer, Answers
from vendorrisk.domain.conditions import visible
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.grading import chosen
from vendorrisk.domain.progress import AnswerState, said_state
from vendorrisk.domain.questionnaire import Option, Question, Questionnaire


@dataclass(slots=True)
class Standing:
    """One visible question with its answer; `ticked` are the options it chooses, empty unless it counts as given."""

    question: Question
    answer: Answer
    state: AnswerState
    ticked: tuple[Option, ...]

    @property
    def is_settled(self) -> bool:
        """Whether nothing about it can still change the score: answered or rightly left out, and not contradicted."""
        return self.state in _SETTLED and not self.answer.contradicted

    @property
    def is_dealt_with(self) -> bool:
        """Whether it counts as answered: a value, or "not applicable"."""
        return self.state not in _SILENT


_SETTLED = (AnswerState.ANSWERED, AnswerState.NA_APPROVED)
_SILENT = (AnswerState.UNANSWERED, AnswerState.UNKNOWN)


def standing(questionnaires: Sequence[Questionnaire], answers: Answers, as_of: date) -> Mapping[str, Standing]:
    """The visible questions by id. Raises InvalidAnswer for an option that a question does not have."""
    shown, found = visible(questionnaires, answers), dict[str, Standing]()
    for questionnaire in questionnaires:
        for name, question, codes in _coded(questionnaire):
            if name not in shown:
                continue
            answer = answers.get(name, UNANSWERED)
            state = said_state(answer)
            ticked: tuple[Option, ...] = ()
            if state is AnswerState.ANSWERED and not answer.contradicted:
                # Most answers are one code: what it chooses is known beforehand. A text has no options to choose.
                value = answer.value
                if isinstance(value, str):
                    ticked = codes.get(value, ())
                else:
                    ticked = _options(question, answer, answers, as_of)
            found[name] = Standing(question, answer, state, ticked)
    return found


@lru_cache(maxsize=256)
def _coded(questionnaire: Questionnaire) -> tuple[tuple[str, Question, Mapping[str, tuple[Option, ...]]], ...]:
    """The questions with their ids, and what an answer chooses that is the code of an option."""
    return tuple(
        (question.id, question, {option.code: (option,) for option in question.options}) for question in questionnaire
    )


def _options(question: Question, answer: Answer, answers: Answers, as_of: date) -> tuple[Option, ...]:
    codes = chosen(question, answer, answers, as_of)
    ticked = tuple(option for option in question.options if option.code in codes)
    if len(ticked) < len(set(codes)):
        unknown = min(set(codes) - {option.code for option in ticked})
        raise InvalidAnswer(f"{question.code}: there is no option {unknown!r}")
    return ticked
