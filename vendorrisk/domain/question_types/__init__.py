"""The types of question: how an answer of each is read from a form, kept as JSON, and said in words.

Pages, imports and the score command call `read`, `to_plain`, `from_plain`, `fields` and `words`; each looks the type
up in `QUESTION_TYPES`. To add a type, add a module here, or a function to one, and a line there
(tests/house/test_completeness.py says what else it needs).
"""

from __future__ import annotations

from datetime import date
from typing import Any

from vendorrisk.domain.answers import Value
from vendorrisk.domain.errors import InvalidAnswer
from vendorrisk.domain.question_types import files, measured, signed, tables, ticked, typed
from vendorrisk.domain.question_types.parts import Fields, Get, TypeRules
from vendorrisk.domain.questionnaire import Question, QuestionType

QUESTION_TYPES: dict[QuestionType, TypeRules] = {
    QuestionType.YES_NO: ticked.ONE,
    QuestionType.CHOICE: ticked.ONE,
    QuestionType.CHOICES: ticked.SEVERAL,
    QuestionType.TEXT: typed.RULES,
    QuestionType.LONG_TEXT: typed.RULES,
    QuestionType.NUMBER: measured.NUMBER,
    QuestionType.DATE: measured.DATE,
    QuestionType.TABLE: tables.RULES,
    QuestionType.FILE: files.RULES,
    QuestionType.DECLARATION: signed.RULES,
}


def read(question: Question, get: Get, *, on: date) -> Value | None:
    """One answer from form fields; None where nothing was filled in. Raises InvalidAnswer, a sentence for the person.

    `on` is today: dates in the future are refused. Files are not read here: they are kept as evidence.
    """
    return QUESTION_TYPES[question.type].read(question, get, on)


def fields(question: Question, value: Value | None) -> Fields:
    """What to put into the form's fields so that `read` gives `value` again."""
    return {} if value is None else QUESTION_TYPES[question.type].fields(question, value)


def to_plain(question: Question, value: Value) -> Any:
    """The value as plain JSON; figures as text, so that they come back exactly."""
    return QUESTION_TYPES[question.type].to_plain(question, value)


def from_plain(question: Question, plain: Any) -> Value:
    """The value that `to_plain` gave. Raises InvalidAnswer where it is not one of this question's."""
    try:
        return QUESTION_TYPES[question.type].from_plain(question, plain)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidAnswer(f"not an answer to {question.code}") from error


def words(question: Question, value: Value | None) -> str:
    """The value in words, for pages, reports and letters; empty where there is none."""
    return "" if value is None else QUESTION_TYPES[question.type].words(question, value)
