"""How each visible question stands: its answer, and what that comes to. Scores and flags build on it."""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import date

from vendorrisk.domain import outcomes
from vendorrisk.domain.answers import UNANSWERED, Answer, Answers
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.grading import chosen
from vendorrisk.domain.marks import Mark, aged, put_in_place
from vendorrisk.domain.outcomes import Asked, Outcome
from vendorrisk.domain.progress import AnswerState, said_state
from vendorrisk.domain.questionnaire import Questionnaire

Standing = tuple[Answer, Outcome]


def standing(questionnaire: Questionnaire, shown: Set[str], answers: Answers, as_of: date) -> list[Standing]:
    """The visible questions in order. Raises InvalidAnswer for an option that a question does not have."""
    found: list[Standing] = []
    for name, asked in outcomes.asked(questionnaire).items():
        if name in shown:
            answer = answers.get(name, UNANSWERED)
            value, outcome = answer.value, None
            # Most answers are the code of an option and nothing else.
            if isinstance(value, str) and answer.not_applicable is None and not (answer.unknown or answer.contradicted):
                outcome = asked.by_code.get(value)
            found.append((answer, outcome or _outcome(asked, answer, answers, as_of)))
    return found


def _outcome(asked: Asked, answer: Answer, answers: Answers, as_of: date) -> Outcome:
    state = said_state(answer)
    if answer.contradicted:
        return asked.contradicted[state]
    if state is not AnswerState.ANSWERED:
        return asked.silent[state]
    return outcomes.of_codes(asked, chosen(asked.question, answer, answers, as_of))


def marks_of(questionnaire: Questionnaire, standings: Iterable[Standing], as_of: date) -> tuple[Mark, ...]:
    """The marks of the visible scored questions, in the order of the questionnaire."""
    marks: list[Mark] = []
    for answer, outcome in standings:
        if outcome.marks:
            age, fresh = aged(answer.answered_on or as_of, as_of)
            if age < 0:
                raise InvalidAnswer(f"{outcome.question.code}: answered on {answer.answered_on}, after {as_of}")
            finish, credit = outcome.marks[answer.evidence]
            marks.append(finish(age, fresh, credit * fresh))
    put_in_place(questionnaire, marks)
    return tuple(marks)
